"""Everything that may happen to Assay happens at once, and afterwards its promises are checked from outside."""
