"""Requests to test with, small enough to send inline."""

from collections.abc import Sequence
from typing import Any

Json = dict[str, Any]
_LETTERS = str.maketrans("0123456789", "abcdefghij")


def reviews_request(languages: Sequence[str], each: int = 5, **fields: Any) -> Json:
    """Reviews in these languages; every text of a language holds a word that no other has."""
    reviews = [
        {
            "review_id": f"{language}-{number}",
            "language": language,
            "text": f"{own_word(language)} {own_word(language)} number {number}",
            "rating": 1 + number % 5,
        }
        for number in range(each)
        for language in languages
    ]
    return {"kind": "reviews", "data": {"reviews": reviews}, **fields}


def own_word(language: str) -> str:
    """The word that only this language's reviews have."""
    return f"only{language.translate(_LETTERS)}word"


def agents_request(agents: int, runs: int = 3, **fields: Any) -> Json:
    """Agents with runs that went well and runs that did not."""
    return {"kind": "agents", "data": {"agents": [an_agent(number, runs) for number in range(agents)]}, **fields}


def an_agent(number: int, runs: int) -> Json:
    """One agent with its runs."""
    return {
        "agent_id": str(number),
        "name": f"Agent {number}",
        "runs": [
            {
                "run_id": f"{number}-{run}",
                "input": f"question {run}",
                "output": f"answer {run} of agent {number}",
                "status": "completed" if run % 2 else "failed",
            }
            for run in range(runs)
        ],
    }
