"""Judges one task at a time, many at once: task in, outcome out."""
