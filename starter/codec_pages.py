"""What is encrypted on one's own machine: the first key is made, and the Web UI reads by a server beside it.

The key of the pages stands in the address that the Web UI is told, so whoever may open the Web UI here reads there what
`GONOGO_PERSON` may. On a cluster people show tokens instead (`gonogo codec serve`).
"""

import asyncio
import secrets
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from activities import payload_keys
from runtime.settings import KEYS, Settings
from starter.ports import HOST, free_port
from starter.problem import Problem

if TYPE_CHECKING:
    from runtime.codec_server import Door

DATABASE = "temporal.db"


def with_keys(place: Settings) -> Settings:
    """Return settings under which everything is encrypted; a home whose missions began in the clear stays so."""
    keys = place.payload_keys or place.home / KEYS
    if place.payload_keys is None:
        if (place.home / DATABASE).exists():
            return place
        payload_keys.rotate(keys)
    return place.model_copy(update={"payload_keys": keys})


class Pages:
    """The server beside a Web UI. Without keys there is none."""

    def __init__(self, place: Settings, ui_port: int) -> None:
        self._place = place
        self._ui_port = ui_port
        self._port = free_port() if place.payload_keys else 0
        self._key = secrets.token_urlsafe(24)
        self._door: Door | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """Where the Web UI has payloads read."""
        return f"http://{HOST}:{self._port}/pages/{self._key}" if self._port else ""

    @property
    def words(self) -> tuple[str, str]:
        """Say how contents are kept, with the style for it."""
        if self._port:
            return f"encrypted with {self._place.payload_keys}", "dim"
        return "in the clear, as the missions here began; without temporal.db they are encrypted", "yellow"

    def start(self) -> None:
        """Begin to serve, as soon as what it takes has been loaded."""
        if self._port:
            self._serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        await asyncio.to_thread(import_module, "runtime.codec_server")
        from activities.people import Directory
        from runtime.codec_server import Access, application, door
        from runtime.connection import connect
        from runtime.payloads import sealing
        from runtime.reading import Readers
        from starter.connect import quiet
        from starter.reading import policy

        quiet()
        origins = [f"http://{name}:{self._ui_port}" for name in (HOST, "localhost")]
        place = self._place
        access = Access(Directory(*place.people_files()), origins, self._key, place.person)
        readers = Readers(policy(), lambda: connect(place))
        app = application(sealing(place.payload_keys), access, "default", readers.why_not)
        self._door = door(app, HOST, self._port)
        await self._door.serve()

    async def stop(self) -> None:
        """Stop serving."""
        if self._serving is None:
            return
        if self._door is None:
            self._serving.cancel()
        else:
            self._door.should_exit = True
        # A workspace that cannot be read has ended the worker too, which says so.
        with suppress(asyncio.CancelledError, Problem):
            await self._serving
