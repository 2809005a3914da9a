"""What people read of a graded class: feedback, pages of the class, similar submissions, tables for other systems."""
