"""Facts about shared."""
