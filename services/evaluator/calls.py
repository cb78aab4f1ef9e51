"""A call to the judge as values: what is sent, and the answer or failure that comes back."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import JsonValue

from shared.evaluations import Parameters, Usage
from shared.vocabulary import Reason


class Turn(NamedTuple):
    """One message of a conversation: role `system`, `user` or `assistant`."""

    role: str
    content: str


class Form(NamedTuple):
    """What the answer must look like, and the parameters it is to be given with."""

    name: str
    schema: Mapping[str, JsonValue]
    parameters: Parameters = Parameters()


class Headroom(NamedTuple):
    """What the judge says is left of its own limits; None where it does not say.

    `resets_in` is in seconds, and there only where something is used up.
    """

    requests: int | None = None
    tokens: int | None = None
    resets_in: float | None = None


class Reply(NamedTuple):
    """An answer's text, not yet checked against the task."""

    text: str
    model: str
    usage: Usage
    headroom: Headroom = Headroom()


class Failure(NamedTuple):
    """A call without an answer; `again` says that the same call may succeed, `after` how many seconds later."""

    reason: Reason
    detail: str
    again: bool
    after: float | None = None
    usage: Usage = Usage()
    headroom: Headroom = Headroom()
