"""Fanning statuses out."""

import asyncio

from services.gateway.events import Rhythm, events, version_seen
from services.gateway.live import Hub
from shared.messages import ReportStatus
from shared.statuses import status_of
from shared.vocabulary import Status
from tests.builders import a_report

SOON = 0.5


def a_status(version: int, report_id: str = "r1", status: Status = Status.EVALUATING) -> ReportStatus:
    return status_of(a_report(report_id=report_id, version=version, status=status))


async def test_a_listener_hears_its_own_report_only() -> None:
    hub = Hub()
    with hub.listening("r1") as listener:
        hub.tell(a_status(1, "other"))
        hub.tell(a_status(2, "r1"))
        assert await listener.latest(SOON) == a_status(2)


async def test_a_slow_listener_keeps_the_newest_status_alone() -> None:
    hub = Hub()
    with hub.listening("r1") as listener:
        for version in (1, 3, 2):
            hub.tell(a_status(version))
        assert await listener.latest(SOON) == a_status(3)
        assert await listener.latest(0) is None


async def test_all_listeners_of_a_report_hear_it() -> None:
    hub = Hub()
    with hub.listening("r1") as one, hub.listening("r1") as other:
        hub.tell(a_status(1))
        assert await one.latest(SOON) == await other.latest(SOON) == a_status(1)


async def test_nothing_is_left_of_listeners_that_went() -> None:
    hub = Hub()
    with hub.listening("r1"):
        with hub.listening("r1"):
            pass
        assert hub.listened_to == 1
    assert hub.listened_to == 0


async def test_a_closed_hub_ends_all_listening_from_then_on() -> None:
    hub = Hub()
    with hub.listening("r1") as early:
        hub.close()
        assert await early.latest(SOON) is None
        assert early.closed
    with hub.listening("r1") as late:
        assert late.closed


async def test_the_hub_closes_when_its_room_ends() -> None:
    hub = Hub()
    with hub.listening("r1") as listener:
        job = asyncio.create_task(hub.close_at_end())
        await asyncio.sleep(0)
        job.cancel()
        assert await listener.latest(SOON) is None
        assert listener.closed


def test_the_version_a_client_has_seen_counts_if_it_can_be_one() -> None:
    stored = a_status(7)
    assert version_seen("7", stored) == 7
    assert version_seen("0", stored) == 0
    for wrong in (None, "", "x", "-1", "8", "٣", "9" * 5000):
        assert version_seen(wrong, stored) == -1


async def test_a_status_with_a_lower_version_is_not_shown() -> None:
    hub = Hub()
    stored = [a_status(2), a_status(1), a_status(4), a_status(3), a_status(5, status=Status.COMPLETED)]

    async def look() -> ReportStatus:
        return stored.pop(0)

    shown = events(hub, a_status(3), -1, look, Rhythm(look_seconds=0.001))
    assert [status.version async for status in shown if status] == [3, 4, 5]
    assert hub.listened_to == 0
