"""From input to workbook in one go: a standalone, one report, its progress, its workbook, the end; and the demo."""

from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from services.client.gateway import connected
from services.client.orders import Order, from_runs
from services.client.progress import COMPLETED, FAILED, INTERRUPTED, exit_code, stderr, summary
from services.client.watching import fetched, watched
from services.standalone.app import Addresses, Wanted, until_signal, what_is_real, while_standing
from shared.messages import ReportStatus
from shared.settings import Settings
from shared.vocabulary import Status

SAMPLES = Path(__file__).parent / "samples"
REFUSED_IN_DEMO = "refund-desk"
DEMO_LATENCY_SECONDS = 1.0


class Finished(NamedTuple):
    """A report that has ended: its status, the whole status document as it came, and where its workbook is."""

    status: ReportStatus
    document: str
    workbook: Path | None


def run(wanted: Wanted, settings: Settings, order: Order, out: Path | None) -> Finished | None:
    """Stand, run the report, end; None if interrupted. Raises what a standalone or the gateway raises."""
    console = stderr()
    console.print(what_is_real(settings), markup=False)

    async def body(addresses: Addresses) -> Finished:
        finished = await _report(addresses, order, out, console)
        for line in summary(finished.status, str(finished.workbook), stand_in=addresses.judge is not None):
            console.print(line, markup=False)
        return finished

    return until_signal(while_standing(wanted, settings, body))


def code_of(finished: Finished | None) -> int:
    """What the command exits with."""
    return exit_code(finished.status.status) if finished else INTERRUPTED


def demo(wanted: Wanted, settings: Settings, out: Path) -> int:
    """Run the packaged sample and say what was to be seen; 0 if it went as intended."""
    order = from_runs(SAMPLES / "agents.jsonl", SAMPLES / "runs.jsonl", ["title=Demo: support agents"])
    finished = run(wanted._replace(refuse=REFUSED_IN_DEMO), settings, order, out)
    if finished is None:
        return INTERRUPTED
    stands_in = not settings.openai.model_fields_set & {"api_key", "base_url"}
    as_intended = _as_intended(finished.status, stands_in=stands_in)
    if as_intended and stands_in:
        stderr().print(
            f"As intended: the stand-in refused {REFUSED_IN_DEMO}, so that you see how a failed part looks.",
            markup=False,
        )
    return COMPLETED if as_intended else FAILED


def _as_intended(status: ReportStatus, *, stands_in: bool) -> bool:
    if stands_in:
        return status.status is Status.COMPLETED_WITH_ERRORS and status.counts.errored == 1
    return status.status in {Status.COMPLETED, Status.COMPLETED_WITH_ERRORS}


async def _report(addresses: Addresses, order: Order, out: Path | None, console: Console) -> Finished:
    async with connected(addresses.gateway, addresses.api_key) as gateway:
        report_id = await gateway.request(order.body)
        status = await watched(gateway, report_id, console)
        path = (await fetched(gateway, report_id, out)).resolve() if status.workbook else None
        return Finished(status, await gateway.document(report_id), path)
