"""Facts about evaluator."""
