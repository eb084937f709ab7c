"""Anchors: heads of records, made known where the recorder cannot take them back: a file elsewhere, an HTTP endpoint.

The law: a head is at each place at least once. `gonogo audit verify --anchors` compares.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx

from activities.outward import AddressRefused, Outward

SECONDS = 10.0


class Unanchored(Exception):
    """Heads that could not be made known, with the reason."""


class Anchor(Protocol):
    """A place outside. `place` is its name in the archive."""

    place: str

    async def add(self, heads: Sequence[dict[str, Any]]) -> None:
        """Make signed heads known there, or raise `Unanchored`."""
        ...


class FileAnchor:
    """A file that is only written at its end, one signed head a line."""

    def __init__(self, path: Path) -> None:
        self.place = str(path)
        self._path = path

    async def add(self, heads: Sequence[dict[str, Any]]) -> None:
        text = "".join(json.dumps(head, sort_keys=True) + "\n" for head in heads)
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
        except OSError as error:
            raise Unanchored(f"heads cannot be written to {self.place}: {error.strerror}") from None


class HttpAnchor:
    """An endpoint that takes one signed head by POST, and answers with 2xx when it has it; redirected it is not."""

    def __init__(self, url: str, outward: Outward) -> None:
        self.place = url
        self._outward = outward

    async def add(self, heads: Sequence[dict[str, Any]]) -> None:
        async with self._outward.client(timeout=SECONDS) as http:
            for head in heads:
                if why := await self._refused(http, head):
                    raise Unanchored(f"heads cannot be posted to {self._host()}: {why}")

    async def _refused(self, http: httpx.AsyncClient, head: dict[str, Any]) -> str:
        """Post a head; return why it was not taken, nothing where it was."""
        try:
            async with http.stream("POST", self.place, json=head) as response:
                return "" if response.is_success else f"it answered {response.status_code}"
        except AddressRefused as refused:
            return str(refused)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"it cannot be reached ({type(error).__name__})"

    def _host(self) -> str:
        """Return what may be said of an address: its path is often a secret."""
        try:
            return urlsplit(self.place).hostname or "the address"
        except ValueError:
            return "the address"


def anchor(place: str, outward: Outward) -> Anchor:
    """Return the anchor at a place: an address, or the path of a file."""
    return HttpAnchor(place, outward) if place.startswith(("http://", "https://")) else FileAnchor(Path(place))
