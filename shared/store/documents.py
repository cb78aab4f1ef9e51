"""How values become documents: native fields where they are queried, JSON text where their keys are somebody else's."""

from typing import Any

from pymongo import ASCENDING, IndexModel

Document = dict[str, Any]  # a BSON document; never leaves this folder

EXPIRY = IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0)
"""Documents go when their `expires_at` has passed."""
