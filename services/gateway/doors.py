"""Stands between the network and the routes: lets in who may come here at all, and counts what is answered."""

import time
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.keys import is_loopback
from services.gateway.problems import ProblemError
from services.gateway.responses import problem_response
from shared.chassis.traces import asked_with
from shared.telemetry import Metrics
from shared.traces import HEADER

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"})


class LoopbackOnly:
    """Without keys: lets nobody in who names another host than this one, as a page from elsewhere would (rebinding)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] == "http" and not _is_local(Headers(scope=scope)):
            detail = "Without API keys the gateway serves this machine only: set GATEWAY_API_KEYS."
            return await problem_response(ProblemError(HTTPStatus.FORBIDDEN, detail))(scope, receive, send)
        return await self._app(scope, receive, send)


class Counting:
    """Counts requests by route and how they were answered; measures until the answer begins, as streams go on."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve and count."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started = time.perf_counter()
        status = HTTPStatus.INTERNAL_SERVER_ERROR.value  # what is sent, outside of here, if this is left by an error

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._metrics.http_seconds.labels(*_labels(scope)).observe(time.perf_counter() - started)
            await send(message)

        try:
            with asked_with(Headers(scope=scope).get(HEADER)):
                return await self._app(scope, receive, counted)
        finally:
            self._metrics.http_requests.labels(*_labels(scope), str(status)).inc()


def _labels(scope: Scope) -> tuple[str, str]:
    """Method and route, each from a closed set whatever is asked for."""
    method = scope["method"] if scope["method"] in METHODS else "other"
    if scope["path"] in PROBES:
        return method, scope["path"]
    return method, getattr(scope.get("route"), "path", "none")


def _is_local(headers: Headers) -> bool:
    """Whether the host that was asked for, and the page that asks if there is one, are on this machine."""
    origin = headers.get("origin")
    named = [f"//{headers.get('host', '')}", *([origin] if origin is not None else [])]
    return all(is_loopback(_host_of(address)) for address in named)


def _host_of(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
