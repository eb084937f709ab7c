"""Whether a tool is still what was admitted: its definition, as its server lists it, has the digest in `pins.yaml`.

Law: a tool that is pinned and described differently now is refused before anything is sent, until somebody has looked
at it and admitted it again (`gonogo admit`). What this worker's workspace admits counts; of what it says nothing, the
mission's plan does. A tool that neither pins is not looked at.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from contracts.base import digest
from contracts.workspace import Tool

FRESH = 10.0
"""Seconds for which a server's list is good."""

Listing = Callable[[str], Awaitable[Mapping[str, str]]]
"""What a server lists: the digest of each tool's definition, by the tool's name there."""


class Changed(Exception):
    """The tool is not what was admitted."""


class Pins:
    """Looks at what servers list, at most once in `FRESH` seconds for each."""

    def __init__(self, listing: Listing, clock: Callable[[], float] = time.monotonic) -> None:
        self._listing = listing
        self._clock = clock
        self._lists: dict[str, tuple[float, Mapping[str, str]]] = {}
        self._reading: dict[str, asyncio.Future[Mapping[str, str]]] = {}
        """What is being read now: who calls meanwhile waits for that."""

    async def demand(self, name: str, tool: Tool) -> None:
        """Raise `Changed` where a tool is not what was admitted."""
        if not tool.pin:
            return
        now = (await self._listed(tool.server)).get(tool.tool or name)
        if now != tool.pin:
            how = "its server lists it no more" if now is None else "its server describes it differently now"
            raise Changed(f"{name} is not what was admitted: {how}; look at it, then `gonogo admit {name}`")

    async def _listed(self, server: str) -> Mapping[str, str]:
        read_at, listed = self._lists.get(server, (float("-inf"), {}))
        if self._clock() - read_at < FRESH:
            return listed
        reading = self._reading.get(server)
        if reading is None or reading.done():
            reading = self._reading[server] = asyncio.ensure_future(self._read(server))
        return await asyncio.shield(reading)

    async def _read(self, server: str) -> Mapping[str, str]:
        began = self._clock()
        listed = await self._listing(server)
        self._lists[server] = began, listed
        return listed


def pinned(name: str, tool: Tool, planned: Mapping[str, str]) -> Tool:
    """Return a tool's contract with the pin that counts: what was admitted last, else when the mission started."""
    return tool if tool.pin or name not in planned else tool.model_copy(update={"pin": planned[name]})


def fingerprint(name: str, description: str | None, schema: Mapping[str, Any]) -> str:
    """Return the digest of a tool's definition: all of it that says what the tool does and with what."""
    return digest([name, description or "", dict(schema)])
