"""What is kept of a graded class: results, the ledger, the gradebook and its copies, and whether they agree."""
