"""Puts the gateway's web application together from its parts; tests call the same function with other parts."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from fastapi import APIRouter, FastAPI
from starlette.routing import Route

from services.gateway.asking import Asking
from services.gateway.bodies import Bodies
from services.gateway.commands import CommandRoutes
from services.gateway.description import DescribedApp, fails
from services.gateway.doors import Counting, LoopbackOnly
from services.gateway.events import Rhythm
from services.gateway.keys import Keys
from services.gateway.live import Hub
from services.gateway.ports import Parts, Plans, Publisher, Reports, Requests, Uploads, Workbooks
from services.gateway.reading import Reading
from services.gateway.reports import ReportRoutes
from services.gateway.responses import answer_errors
from services.gateway.results import ResultRoutes
from shared.settings import GatewaySettings
from shared.telemetry import Metrics
from shared.version import VERSION


class World(NamedTuple):
    """What the application is connected to."""

    reports: Reports
    requests: Requests
    parts: Parts
    plans: Plans
    uploads: Uploads
    workbooks: Workbooks
    publisher: Publisher
    hub: Hub
    clock: Callable[[], datetime]
    new_id: Callable[[], str]


def pages(
    *,
    settings: GatewaySettings,
    keys: Keys,
    retention: timedelta,
    world: World,
    metrics: Metrics,
    health: Sequence[Route],
    rhythm: Rhythm,
) -> FastAPI:
    """The application. `retention` is how long requests and uploads are kept."""
    app = DescribedApp(
        title="Assay",
        version=VERSION,
        description="Many LLM evaluations at once, and one Excel workbook that is honest about what failed.",
        redoc_url=None,
        routes=list(health),
    )
    app.state.keys = keys
    app.state.public_url = settings.public_url
    reading = Reading(world.reports, world.requests, world.parts)
    asking = Asking(
        reports=world.reports,
        requests=world.requests,
        uploads=world.uploads,
        publisher=world.publisher,
        clock=world.clock,
        retention=retention,
    )
    router = APIRouter(tags=["reports"], responses=fails())
    ReportRoutes(reading=reading, hub=world.hub, rhythm=rhythm).add_to(router)
    ResultRoutes(reading=reading, plans=world.plans, parts=world.parts, workbooks=world.workbooks).add_to(router)
    bodies = Bodies(settings.max_body_bytes)
    CommandRoutes(asking=asking, reading=reading, bodies=bodies, new_id=world.new_id).add_to(router)
    app.include_router(router)
    answer_errors(app)
    if not keys.are_needed:
        app.add_middleware(LoopbackOnly)
    app.add_middleware(Counting, metrics=metrics)  # added last, so it stands before the others
    return app
