"""A line between a worker and its server that a test can cut, and make slow.

What it has delivered stays delivered: a worker that is frozen keeps the task that it was given, and the server learns
that the line is dead, so that it gives this worker no other.
"""

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from tests.system.hands import until


class Cable:
    """Relays TCP to a server. `delay` is how many seconds each piece takes towards the worker."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(f"//{target}")
        self._target = (parts.hostname, parts.port)
        self._far: set[asyncio.StreamWriter] = set()
        self._delivered = 0
        self.delay = 0.0

    async def __aenter__(self) -> Self:
        self._relay = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.address = f"127.0.0.1:{self._relay.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self.cut()
        self._relay.close()

    def cut(self) -> None:
        """Break off towards the server. The worker finds out when it next says something, and may connect again."""
        for far in self._far:
            far.transport.abort()
        self._far.clear()

    async def delivers(self, size: int = 1_000) -> None:
        """Wait until so many bytes have come down from now on: more than any answer that holds no task."""
        before = self._delivered

        async def enough() -> bool:
            return self._delivered >= before + size

        await until(enough, f"{size} bytes have come down the line")

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far = await asyncio.open_connection(*self._target)
        self._far.add(far)
        down = asyncio.create_task(self._down(far_reader, writer))
        with suppress(OSError):
            while (data := await reader.read(65_536)) and not far.is_closing():
                far.write(data)
        far.close()
        self._far.discard(far)
        writer.close()
        await down

    async def _down(self, far_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await far_reader.read(65_536):
                await asyncio.sleep(self.delay)
                writer.write(data)
                self._delivered += len(data)
