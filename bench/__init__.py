"""The measurements behind every figure that the documents name; run by hand, never part of a test."""
