"""Wires the gateway: HTTP in, requests out to the orchestrator, statuses in for those who listen."""

import logging
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from faststream.kafka import KafkaMessage
from faststream.kafka.subscriber.usecase import DefaultSubscriber
from prometheus_client import CollectorRegistry
from pydantic import ValidationError

from services.gateway.events import Rhythm
from services.gateway.keys import Keys, WrongKeysError, parse
from services.gateway.live import Hub
from services.gateway.outbox import Outbox
from services.gateway.pages import World, pages
from services.gateway.publishing import RequestPublisher
from shared.chassis import checks, process
from shared.chassis.assembly import Assembly, assemble
from shared.chassis.http import health_routes
from shared.chassis.sending import utc_now
from shared.messages import ReportStatus, Request
from shared.settings import GatewaySettings, Settings
from shared.store import Store, connect

NAME = "gateway"
logger = logging.getLogger(__name__)


def declare(room: Assembly, tell: Callable[[ReportStatus], None]) -> DefaultSubscriber:
    """Say what this room reads and writes."""
    room.broker.publisher(room.topics.requests, schema=Request, title="Request")
    subscriber = room.broker.subscriber(
        room.topics.status,
        group_id=None,  # every gateway hears everything: its listeners are its own
        auto_offset_reset="latest",  # what was before, the store tells
        fetch_max_wait_ms=room.kafka.fetch_max_wait_ms,
        decoder=_decode,
        title="Listen",
    )

    @subscriber
    async def listen(status: ReportStatus) -> None:
        """Hand a report's latest state to those who listen to it."""
        if isinstance(status, ReportStatus):  # a tombstone, or what a later release wrote, is not
            tell(status)

    return subscriber


async def _decode(message: KafkaMessage) -> ReportStatus | None:
    """The status, if it is one. What cannot be read is left out: nothing is lost, as the store is looked at too."""
    try:
        return ReportStatus.model_validate_json(message.body)
    except ValidationError:
        return None


@asynccontextmanager
async def build(settings: Settings, registry: CollectorRegistry) -> AsyncIterator[process.Room]:
    """The gateway, ready to run. Raises WrongKeysError."""
    keys = parse(settings.gateway.api_keys.get_secret_value(), settings.gateway.host)
    _say_who_may_come(settings.gateway, keys)
    room = assemble(NAME, settings.kafka, registry)
    hub = Hub()
    declare(room, hub.tell)
    publisher = RequestPublisher(room.sender, room.topics.requests)
    async with connect(settings.mongo) as store:
        outbox = Outbox(reports=store.reports, requests=store.requests, publisher=publisher, clock=utc_now)
        ready = {"kafka": checks.answering(room.broker), "mongo": checks.reachable(store)}
        yield process.Room(
            name=NAME,
            broker=room.broker,
            pages=pages(
                settings=settings.gateway,
                keys=keys,
                retention=timedelta(days=settings.report.retention_days),
                world=_world(store, publisher, hub),
                metrics=room.metrics,
                health=health_routes(registry, lambda: None, ready),  # it has no loop of its own that could stall
                rhythm=Rhythm(),
            ),
            host=settings.gateway.host,
            port=settings.gateway.port,
            prepare=_prepare(store, room),
            background=[outbox.run, hub.close_at_end, checks.looking_after(room.metrics, room.broker, store)],
        )


def _world(store: Store, publisher: RequestPublisher, hub: Hub) -> World:
    return World(
        reports=store.reports,
        requests=store.requests,
        parts=store.parts,
        plans=store.plans,
        uploads=store.uploads,
        workbooks=store.workbooks,
        publisher=publisher,
        hub=hub,
        clock=utc_now,
        new_id=lambda: secrets.token_hex(8),
    )


def _prepare(store: Store, room: Assembly) -> Callable[[], Awaitable[None]]:
    async def prepare() -> None:
        await store.prepare()
        await room.create_topics()

    return prepare


def _say_who_may_come(settings: GatewaySettings, keys: Keys) -> None:
    address = f"{settings.host}:{settings.port}"
    if keys.are_needed:
        logger.info("%d API keys; listening at %s", len(keys.keys), address)
    else:
        logger.warning("no GATEWAY_API_KEYS: open, to this machine only, at %s", address)


def main() -> None:
    """Run the gateway. Exits with 2 where its keys are wrong or missing."""
    try:
        process.run(build)
    except WrongKeysError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(process.WRONG_USAGE) from None
