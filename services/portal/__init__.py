"""The course's portal: conversation trees made from cloud logs, the leaderboard, the class (Lecture 10).

Read the code in this order: ``entries`` (from a line of a log to what was said), ``trees`` (from what was said to one
tree, whatever the order), ``models`` and ``store`` (what the database keeps), ``ingestion`` (the Beam pipeline around
the three), ``pages`` (what people see). ``entries`` and ``trees`` know nothing of Django.
"""
