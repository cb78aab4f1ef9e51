"""The packaged samples can be asked for, and the demo's failing part is among them."""

import pytest

from services.client.orders import from_reviews, from_runs
from services.standalone.running import REFUSED_IN_DEMO, SAMPLES


def test_the_demo_has_agents_with_a_few_runs_each() -> None:
    data = from_runs(SAMPLES / "agents.jsonl", SAMPLES / "runs.jsonl", []).data
    assert data
    assert data.agents
    assert [len(agent.runs) for agent in data.agents] == pytest.approx([6] * 6, abs=2)
    assert REFUSED_IN_DEMO in [agent.agent_id for agent in data.agents]


def test_the_reviews_are_in_six_languages() -> None:
    data = from_reviews(SAMPLES / "reviews.jsonl", []).data
    assert data
    assert {review.language for review in data.reviews or ()} == {"en", "de", "fr", "es", "ar", "ja"}
