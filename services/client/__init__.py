"""What the console's commands are made of: orders from files, the gateway over HTTP, progress, the source database."""
