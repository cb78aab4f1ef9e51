"""What the ledger's collections must do, in memory and in the real database alike."""

import pytest

from services.evaluator.ledger import Books
from shared.state import Claim
from shared.store import Store
from shared.store.ledger import StoredOutcome
from tests.builders import at
from tests.fakes import FakeBooks

pytestmark = pytest.mark.anyio

ONE = Claim("part#1", "one", at(20))
TWO = Claim("part#1", "two", at(40))
OTHER = Claim("other#1", "three", at(20))
LATER = at(86_400)
FIRST = StoredOutcome("part#1", "PartEvaluated", '{"score": 5}')
SECOND = StoredOutcome("part#1", "PartFailed", "{}")


@pytest.fixture(params=["fake", "real"])
def books(request: pytest.FixtureRequest, store: Store) -> Books:
    return FakeBooks() if request.param == "fake" else store.ledger


async def test_the_first_claim_on_a_key_holds(books: Books) -> None:
    assert await books.claim({ONE: LATER}) == frozenset()
    assert await books.claim({TWO: LATER, OTHER: LATER}) == {"part#1"}
    assert await books.claims(["part#1", "other#1", "none#1"]) == {"part#1": ONE, "other#1": OTHER}


async def test_a_claim_is_taken_over_only_from_who_still_holds_it(books: Books) -> None:
    await books.claim({ONE: LATER})
    assert not await books.take_over(ONE._replace(until=at(5)), TWO)
    assert await books.take_over(ONE, TWO)
    assert not await books.take_over(ONE, Claim("part#1", "four", at(60)))
    assert await books.claims(["part#1"]) == {"part#1": TWO}


async def test_a_claim_is_renewed_and_given_back_by_its_owner_alone(books: Books) -> None:
    await books.claim({ONE: LATER, OTHER: LATER})
    await books.renew([ONE._replace(owner="two"), OTHER], at(99))
    assert await books.claims(["part#1", "other#1"]) == {"part#1": ONE, "other#1": OTHER._replace(until=at(99))}
    await books.release([TWO, OTHER])
    assert await books.claims(["part#1", "other#1"]) == {"part#1": ONE}


async def test_the_first_outcome_of_a_key_holds(books: Books) -> None:
    assert await books.settle({FIRST: LATER}) == frozenset()
    assert await books.settle({SECOND: LATER, FIRST._replace(key="other#1"): LATER}) == {"part#1"}
    found = await books.outcomes(["part#1", "other#1", "none#1"])
    assert found == {"part#1": FIRST, "other#1": FIRST._replace(key="other#1")}


async def test_of_two_outcomes_of_a_key_brought_at_once_the_first_holds(books: Books) -> None:
    assert await books.settle({FIRST: LATER, SECOND: LATER}) == {"part#1"}
    assert await books.outcomes(["part#1"]) == {"part#1": FIRST}
