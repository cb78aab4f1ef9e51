"""Facts about orchestrator."""
