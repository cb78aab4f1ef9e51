"""Follows one report to its end, shows how it gets on, and fetches its results."""

from contextlib import aclosing
from pathlib import Path

from rich.console import Console

from services.client.gateway import Format, Gateway, GatewayError
from services.client.progress import shown
from shared.messages import ReportStatus


async def watched(gateway: Gateway, report_id: str, console: Console) -> ReportStatus:
    """The final status, after all others were shown. Raises GatewayError."""
    with shown(console) as progress:
        async with aclosing(gateway.follow(report_id)) as states:
            async for status in states:
                progress.show(status)
                if status.status.is_final:
                    return status
    raise GatewayError(f"the gateway stopped telling of {report_id}")


async def fetched(
    gateway: Gateway,
    report_id: str,
    out: Path | None,
    form: Format = Format.XLSX,
    generation: int | None = None,
) -> Path:
    """Where the results were written: `out`, or a file of the report's name here. Raises GatewayError."""
    of = "" if generation is None else f".g{generation}"
    path = out or Path(f"{report_id}{of}.{form}")
    await gateway.download(report_id, path, form, generation)
    return path
