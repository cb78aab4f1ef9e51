"""The only room that talks to MongoDB's driver: connection, one file per collection."""

from shared.store.connection import Store, StoreUnavailableError, connect

__all__ = ["Store", "StoreUnavailableError", "connect"]
