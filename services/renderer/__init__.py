"""Folds what happens to a report into its state, publishes its status, and builds its workbook."""
