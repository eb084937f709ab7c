"""What an agent notices while it works, streamed through heartbeats to whoever follows the mission.

Heartbeats carry the latest that fit; the agent's result carries everything, and the journal keeps it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast, get_args

from contracts.call import Observation

KINDS: tuple[str, ...] = get_args(Observation.model_fields["kind"].annotation)
LONGEST = 2_000
MOST = 500
MOST_LETTERS = 60_000
"""An attempt's observations lie in a history beside its answer: both have to fit."""
STREAMED = 100


class Notebook:
    """One attempt's observations. `observe` may be called from any thread."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._observations: list[Observation] = []
        self._streamed: deque[dict[str, Any]] = deque(maxlen=STREAMED)
        self._room = MOST_LETTERS
        self._closed = False
        self._beside: Callable[[], dict[str, Any]] = dict

    def carry(self, beside: Callable[[], dict[str, Any]]) -> None:
        """Let heartbeats carry this as well: what the next attempt needs to go on where this one is."""
        self._beside = beside

    def beat(self) -> None:
        """Let a heartbeat carry it now."""
        self._changed()

    def observe(self, text: str, source: str = "", kind: str = "finding") -> None:
        """Note something, and let followers see it."""
        if kind not in KINDS:
            raise ValueError(f"an observation is a {', '.join(KINDS[:-1])} or {KINDS[-1]}, not a {kind!r}")
        if self._closed:
            raise RuntimeError("nobody waits for this agent any more")
        said = (str(text)[:LONGEST], str(source)[:LONGEST], kind)
        if threading.get_ident() == self._thread:
            self._note(*said)
        else:
            self._loop.call_soon_threadsafe(self._note, *said)

    def close(self) -> None:
        """Take no more: the attempt is over. An agent that runs on in a thread is stopped by it."""
        self._closed = True

    def all(self) -> tuple[Observation, ...]:
        """Return every observation so far."""
        return tuple(self._observations)

    def details(self) -> tuple[object, ...]:
        """Return what a heartbeat carries."""
        return ({"observations": list(self._streamed), **self._beside()},)

    def _note(self, text: str, source: str, kind: str) -> None:
        if self._closed or self._room <= 0:
            return
        number = len(self._observations) + 1
        self._room -= len(text) + len(source)
        if number == MOST or self._room <= 0:
            self._room = 0
            text, source, kind = "more observations than can be kept: the rest is left out", "", "progress"
        said = Observation(number=number, at=datetime.now(UTC), kind=cast("Any", kind), text=text, source=source)
        self._observations.append(said)
        self._streamed.append(said.model_dump(mode="json"))
        self._changed()
