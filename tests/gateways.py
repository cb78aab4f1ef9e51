"""The gateway's application, connected to fakes."""

import json
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from itertools import count
from typing import Any

import httpx2
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from services.gateway.events import Rhythm
from services.gateway.keys import parse
from services.gateway.live import Hub
from services.gateway.pages import World, pages
from services.gateway.publishing import RequestPublisher
from shared.chassis.http import health_routes
from shared.settings import GatewaySettings
from shared.state import Report, StoredWorkbook
from shared.telemetry import Metrics
from tests.builders import a_report
from tests.fakes import (
    FakeClock,
    FakeParts,
    FakeReports,
    FakeRequests,
    FakeSender,
    FakeUploads,
    FakeWorkbooks,
)
from tests.stores import FakePlans

QUICK = Rhythm(look_seconds=0.02, heartbeat_seconds=0.05)
KEYS = f"ann:{sha256(b'key-of-ann').hexdigest()},bob:{sha256(b'key-of-bob').hexdigest()}"
ROOT = f"root:{sha256(b'key-of-root').hexdigest()}:admin"
REQUEST = {"report_id": "r1", "kind": "agents", "environment_id": "42", "title": "November"}


class AGateway:
    """One gateway and all that it is connected to."""

    def __init__(self, *, keys: str = "", rhythm: Rhythm = QUICK, **settings: Any) -> None:
        self.clock = FakeClock()
        self.reports = FakeReports()
        self.requests = FakeRequests()
        self.parts = FakeParts()
        self.plans = FakePlans(self.parts)
        self.uploads = FakeUploads()
        self.workbooks = FakeWorkbooks()
        self.sender = FakeSender()
        self.publisher = RequestPublisher(self.sender, "report.requests", patience_seconds=0.05)
        self.hub = Hub()
        self.registry = CollectorRegistry()
        ids = count(1)
        world = World(
            reports=self.reports,
            requests=self.requests,
            parts=self.parts,
            plans=self.plans,
            uploads=self.uploads,
            workbooks=self.workbooks,
            publisher=self.publisher,
            hub=self.hub,
            clock=self.clock,
            new_id=lambda: f"new-{next(ids)}",
        )
        gateway = GatewaySettings(_env_file=None, **settings)
        self.app: FastAPI = pages(
            settings=gateway,
            keys=parse(keys, gateway.host),
            retention=timedelta(days=30),
            world=world,
            metrics=Metrics(self.registry, "gateway", "0"),
            health=health_routes(self.registry, lambda: None, {}),
            rhythm=rhythm,
        )

    def client(self, key: str | None = None, host: str = "localhost") -> httpx2.AsyncClient:
        """A client of this gateway, showing a key."""
        transport = httpx2.ASGITransport(app=self.app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx2.AsyncClient(transport=transport, base_url=f"http://{host}", headers=headers)

    @property
    def published(self) -> list[Mapping[str, Any]]:
        """The messages sent to the orchestrator."""
        messages = [outgoing.message for outgoing in self.sender.sent]
        return [
            json.loads(message) if isinstance(message, str) else message.model_dump() for message in messages if message
        ]

    def has(self, **changes: Any) -> Report:
        """Give the store a report."""
        report = a_report(**{"report_id": "r1", "version": 1, **changes})
        self.reports.put(report)
        return report

    def has_finished(self, **changes: Any) -> Report:
        """Give the store a report that has ended, with its workbook."""
        content = b"PK the bytes of a workbook"
        self.workbooks.stored["file-1"] = content
        digest = sha256(content).hexdigest()
        workbook = StoredWorkbook(file_id="file-1", sha256=digest, bytes=len(content), generation=1)
        return self.has(**{"status": "completed", "version": 9, "workbook": workbook, **changes})


def problem(response: httpx2.Response, status: int) -> Any:
    """The problem document in a response, which must be one with this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document
