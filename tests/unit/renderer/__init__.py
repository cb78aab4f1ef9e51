"""Facts about renderer."""
