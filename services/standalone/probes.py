"""Asks a child whether it is ready."""

import asyncio

import httpx2

PROBE_SECONDS = 2.0


async def answers(address: str, client: httpx2.AsyncClient) -> bool:
    """`tcp://host:port` accepts a connection, or `http://…` gives 200."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            if address.startswith("tcp://"):
                host, _, port = address.removeprefix("tcp://").rpartition(":")
                _, writer = await asyncio.open_connection(host, int(port))
                writer.close()
                return True
            return (await client.get(address)).status_code == httpx2.codes.OK
    except (OSError, TimeoutError, httpx2.HTTPError):
        return False
