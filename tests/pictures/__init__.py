"""`make pictures`: the sample workbooks as a reader sees them, for people to look at and for the README."""
