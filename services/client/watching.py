"""Follows one report to its end, shows how it gets on, and fetches its workbook."""

from contextlib import aclosing
from pathlib import Path

from rich.console import Console

from services.client.gateway import Gateway, GatewayError
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


async def fetched(gateway: Gateway, report_id: str, out: Path | None) -> Path:
    """Where the workbook was written: `out`, or a file of the report's name here. Raises GatewayError."""
    path = out or Path(f"{report_id}.xlsx")
    await gateway.download(report_id, path)
    return path
