"""The course site: staged from the rooms' text, built by the MyST engine with book/theme, checked, served."""
