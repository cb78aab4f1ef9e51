"""Facts about standalone."""
