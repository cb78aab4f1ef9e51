"""What every room runs on: the broker, sending, dead letters, the process with its health pages and its end."""
