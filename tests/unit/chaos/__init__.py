"""The laws of the chaos run, each seen failing once."""
