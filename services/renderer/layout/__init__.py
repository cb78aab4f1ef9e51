"""What stands on which sheet: values that say it, and no word of how a spreadsheet file is written."""
