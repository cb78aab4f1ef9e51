"""Facts about all services, on a real broker and a real database."""
