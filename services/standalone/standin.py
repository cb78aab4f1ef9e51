"""Serves the stand-in judge: an OpenAI-compatible API on loopback whose answers no model wrote.

Beside OpenAI's own `POST /v1/chat/completions` and `GET /v1/models` it has `PUT /behaviour` (be slow, refuse, fail)
and `GET /calls` (what it was asked), for tests, benchmarks and demonstrations.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import uvicorn
from pydantic import ValidationError
from starlette.types import Receive, Scope, Send

from services.standalone import replies
from services.standalone.behaviour import Behaviour, Fault
from services.standalone.chat import ChatRequest
from services.standalone.journal import Asked, Journal
from services.standalone.opinions import MARK, UnknownFormError, form_of, opinion
from services.standalone.question import Question, UnreadableQuestionError, read
from services.standalone.replies import Call, Reply
from shared import settings

HOST = "127.0.0.1"
_MODELS = ("gpt-4o-mini", "gpt-4o", "stand-in")  # any other name is answered as well


class Standin:
    """The application: raw ASGI, as a stand-in must not be what limits a benchmark."""

    def __init__(
        self, behaviour: Behaviour, clock: Callable[[], float] = time.time, journal: Journal | None = None
    ) -> None:
        self._behaviour = behaviour
        self._clock = clock
        self._journal = journal
        self._total = 0
        self._answered = 0
        self._in_flight = 0
        self._most_in_flight = 0
        self._by_key: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reply = await self._route(scope, scope["path"].rstrip("/"), receive)
        if reply is None:
            return  # nobody is there any more
        headers = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(reply.body)).encode())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _route(self, scope: Scope, path: str, receive: Receive) -> Reply | None:
        method: str = scope["method"]
        match method, path:
            case "POST", "/v1/chat/completions":
                return await self._chat(await _body(receive), _who(scope), receive)
            case "GET", _ if path == "/v1/models" or path.startswith("/v1/models/"):
                return self._models(path.removeprefix("/v1/models").removeprefix("/"))
            case "GET", "/calls":
                return self._calls()
            case "GET" | "PUT", "/behaviour":
                return self._behave(await _body(receive) if method == "PUT" else b"")
            case _:
                return replies.unknown(method, path)

    def _models(self, name: str) -> Reply:
        """One model, or all of them; none to a key that is refused, nor where no model is there."""
        always = self._behaviour.always
        is_denied = always is Fault.AUTH or (always is Fault.NOT_FOUND and name)
        if always and is_denied and (denied := replies.problem(always)):
            return denied
        found = _model(name) if name else {"object": "list", "data": [_model(known) for known in _MODELS]}
        return Reply(200, json.dumps(found).encode())

    def _calls(self) -> Reply:
        counts = {
            "total": self._total,
            "answered": self._answered,
            "in_flight": self._in_flight,
            "most_in_flight": self._most_in_flight,
            "by_key": self._by_key,
        }
        return Reply(200, json.dumps(counts).encode())

    def _behave(self, body: bytes) -> Reply:
        if body:
            try:
                self._behaviour = Behaviour.model_validate_json(body)
            except ValidationError as error:
                return replies.unusable(str(error))
        return Reply(200, self._behaviour.model_dump_json().encode())

    async def _chat(self, body: bytes, who: str, receive: Receive) -> Reply | None:
        arrived = asyncio.get_running_loop().time()
        try:
            request = ChatRequest.model_validate_json(body)
            question = read(request.question) if request.fields else None
        except (ValidationError, UnreadableQuestionError) as error:
            return replies.unusable(str(error))
        if request.stream:
            return replies.unusable("Streaming is not offered.")
        key = question.key if question else ""
        self._total += 1
        self._by_key[key] += 1
        call = Call(self._total, request.characters, int(self._clock()))
        fault = self._behaviour.fault(key, call.number, self._in_flight)
        if self._journal:
            self._journal.begin(Asked(call.number, who, question, fault))
        if fault and (refused := replies.problem(fault)):
            return refused
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        try:
            reply = _answer(call, request, question, fault)
            spent = asyncio.get_running_loop().time() - arrived
            seconds = None if fault is Fault.TIMEOUT else max(0.0, self._behaviour.latency_seconds - spent)
            answered = await _still_there_after(seconds, receive)
            if self._journal:
                self._journal.end(call.number, answered=answered)
            if not answered:
                return None
        finally:
            self._in_flight -= 1
        self._answered += 1
        return reply


def _answer(call: Call, request: ChatRequest, question: Question | None, fault: Fault | None) -> Reply:
    if question is None or request.fields is None:
        return replies.completion(call, f"{MARK} This is not one of the questions it has answers for.")
    try:
        answer = opinion(form_of(request.fields), question)
    except UnknownFormError as error:
        return replies.unusable(str(error))
    return replies.spoilt(call, answer, fault) if fault else replies.completion(call, answer.model_dump_json())


async def _still_there_after(seconds: float | None, receive: Receive) -> bool:
    """Wait, for ever if `seconds` is None; False as soon as the client has gone."""
    if seconds == 0:
        return True
    try:
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass
    except TimeoutError:
        return True
    return False


async def _body(receive: Receive) -> bytes:
    """The whole body of a request."""
    pieces = []
    while True:
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _who(scope: Scope) -> str:
    """The key that is shown: it opens nothing here, but tells callers apart."""
    shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    return bytes(shown).decode("latin-1").removeprefix("Bearer ")


def _model(name: str) -> dict[str, str | int]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "stand-in"}


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m services.standalone.standin", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="on 127.0.0.1")
    parser.add_argument("--journal", type=Path, help="write every call down in this file, as lines of JSON")
    wanted = parser.parse_args()
    try:
        standin = settings.load().standin
    except settings.SettingsError as error:
        sys.exit(str(error))
    behaviour = Behaviour(latency_seconds=standin.latency_seconds, refuse=standin.refused_keys)
    uvicorn.run(
        Standin(behaviour, journal=Journal.at(wanted.journal, time.time) if wanted.journal else None),
        host=HOST,
        port=wanted.port,
        http="httptools",
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
