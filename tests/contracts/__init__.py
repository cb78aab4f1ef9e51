"""What fakes and real parts, and the libraries we rely on, must do."""
