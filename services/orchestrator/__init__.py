"""Turns a request into a stored plan and published tasks."""
