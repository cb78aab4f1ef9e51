"""The ledger's collections: `claims`, who is judging a part, and `outcomes`, what came of it; the first insert wins."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReadPreference
from pymongo.errors import BulkWriteError

from shared.state import Claim
from shared.store.documents import EXPIRY, Document

DUPLICATE_KEY = 11000


class StoredOutcome(NamedTuple):
    """An outcome as it is published: JSON of the message that `kind` names."""

    key: str
    kind: str
    body: str


class LedgerCollections:
    """Claims and outcomes by the key of a part in a generation. Written in bulk: one round trip for many keys."""

    def __init__(self, database: AsyncIOMotorDatabase[Document]) -> None:
        current = database.with_options(read_preference=ReadPreference.PRIMARY)  # a stale read could pay twice
        self._claims = current["claims"]
        self._outcomes = current["outcomes"]

    async def prepare(self) -> None:
        """Create the indexes."""
        await self._claims.create_indexes([EXPIRY])
        await self._outcomes.create_indexes([EXPIRY])

    async def claim(self, claims: Mapping[Claim, datetime]) -> frozenset[str]:
        """Store the claims on keys that nobody has claimed, each until it expires; return the keys already taken."""
        return await _insert(
            self._claims,
            [
                {"_id": claim.key, "owner": claim.owner, "until": claim.until, "expires_at": expires_at}
                for claim, expires_at in claims.items()
            ],
        )

    async def claims(self, keys: Sequence[str]) -> Mapping[str, Claim]:
        """The claims on these keys."""
        cursor = self._claims.find({"_id": {"$in": list(keys)}})
        return {found["_id"]: Claim(found["_id"], found["owner"], found["until"]) async for found in cursor}

    async def take_over(self, lapsed: Claim, claim: Claim) -> bool:
        """Replace a claim that has lapsed, if it is still the one that holds."""
        result = await self._claims.update_one(
            {"_id": lapsed.key, "owner": lapsed.owner, "until": lapsed.until},
            {"$set": {"owner": claim.owner, "until": claim.until}},
        )
        return result.modified_count == 1

    async def renew(self, claims: Sequence[Claim], until: datetime) -> None:
        """Hold those of these claims that are still theirs until then."""
        await self._claims.update_many(_of(claims), {"$set": {"until": until}})

    async def release(self, claims: Sequence[Claim]) -> None:
        """Give the claims back: whoever gets the task next may begin at once."""
        await self._claims.delete_many(_of(claims))

    async def outcomes(self, keys: Sequence[str]) -> Mapping[str, StoredOutcome]:
        """The outcomes of these keys, as far as there are any."""
        cursor = self._outcomes.find({"_id": {"$in": list(keys)}}, {"kind": 1, "body": 1})
        return {found["_id"]: StoredOutcome(found["_id"], found["kind"], found["body"]) async for found in cursor}

    async def settle(self, outcomes: Mapping[StoredOutcome, datetime]) -> frozenset[str]:
        """Store the outcomes of keys that have none, each until it expires; return the keys that had one."""
        return await _insert(
            self._outcomes,
            [
                {"_id": outcome.key, "kind": outcome.kind, "body": outcome.body, "expires_at": expires_at}
                for outcome, expires_at in outcomes.items()
            ],
        )


async def _insert(collection: AsyncIOMotorCollection[Document], documents: list[Document]) -> frozenset[str]:
    """Insert what is not there; return the ids that were."""
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        refused = error.details["writeErrors"]
        if error.details.get("writeConcernErrors") or any(item["code"] != DUPLICATE_KEY for item in refused):
            raise
        return frozenset(documents[item["index"]]["_id"] for item in refused)
    return frozenset()


def _of(claims: Sequence[Claim]) -> Document:
    """Exactly these claims, as no owner makes two: a claim of another owner on the same key is not one of them."""
    keys, owners = [claim.key for claim in claims], [claim.owner for claim in claims]
    return {"_id": {"$in": keys}, "owner": {"$in": owners}}
