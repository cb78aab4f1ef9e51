"""Facts about one process and its drivers."""
