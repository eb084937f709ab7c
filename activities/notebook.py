"""What an agent notices while it works, streamed through heartbeats to whoever follows the mission.

Heartbeats carry the latest that fit, to followers and to the attempt after one that failed. The agent's result carries
everything, and so does the failure of its last attempt; the journal keeps it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, cast, get_args

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.failure import adding
from activities.pulse import beating
from contracts.observation import KEY, STEP, Kind, Observation, observed

KINDS: tuple[str, ...] = get_args(Kind)
LONGEST = 2_000
MOST = 500
MOST_LETTERS = 60_000
"""An attempt's observations lie in a history beside its answer: both have to fit."""
STREAMED = 100


class Notebook:
    """An attempt's observations, after those of the attempts before it. `observe` may be called from any thread."""

    def __init__(self, changed: Callable[[], None], before: Sequence[Any] | None = None, path: str = "") -> None:
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        info = activity.info()
        self._attempt = info.attempt
        # Followers read it beside the id of the activity, where items are veiled.
        self._where = {STEP: path} if path not in {"", info.activity_id} else {}
        self._observations: list[Observation] = list(observed(info.heartbeat_details if before is None else before))
        self._streamed: deque[dict[str, Any]] = deque(map(_dumped, self._observations), maxlen=STREAMED)
        self._room = MOST_LETTERS - sum(len(one.text) + len(one.source) for one in self._observations)
        self._closed = False
        self._beside: Callable[[], dict[str, Any]] = dict

    def carry(self, beside: Callable[[], dict[str, Any]]) -> None:
        """Let heartbeats carry this as well: what the next attempt needs to go on where this one is."""
        self._beside = beside

    def beat(self) -> None:
        """Let a heartbeat carry it now."""
        self._changed()

    def observe(self, text: str, source: str = "", kind: str = "finding", *, confidence: float | None = None) -> None:
        """Note something, and let followers see it."""
        if kind not in KINDS:
            raise ValueError(f"an observation is a {', '.join(KINDS[:-1])} or {KINDS[-1]}, not a {kind!r}")
        if confidence is not None and not 0 <= confidence <= 1:
            raise ValueError(f"a confidence is a number from 0 to 1, not {confidence!r}")
        if self._closed:
            raise RuntimeError("nobody waits for this agent any more")
        said = (str(text)[:LONGEST], str(source)[:LONGEST], kind, confidence)
        if threading.get_ident() == self._thread:
            self._note(*said)
        else:
            self._loop.call_soon_threadsafe(self._note, *said)

    def conclude(self, output: Any) -> None:
        """Note how sure the agent says that it is of its answer."""
        stated = output.get("confidence") if isinstance(output, dict) else None
        if isinstance(stated, int | float) and not isinstance(stated, bool) and 0 <= stated <= 1:
            self.observe(f"{stated:.0%} sure of the answer", kind="confidence", confidence=float(stated))

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Let followers see it while the block runs; a failure takes along what was noticed until then."""
        async with beating(self.details):
            try:
                yield
            except ApplicationError as error:
                raise self._taking_all(error) from error.__cause__

    def close(self) -> None:
        """Take no more: the attempt is over. An agent that runs on in a thread is stopped by it."""
        self._closed = True

    def all(self) -> tuple[Observation, ...]:
        """Return every observation so far."""
        return tuple(self._observations)

    def details(self) -> tuple[object, ...]:
        """Return what a heartbeat carries."""
        return ({KEY: list(self._streamed), **self._where, **self._beside()},)

    def everything(self) -> dict[str, Any]:
        """Return the same with every observation."""
        return {KEY: [_dumped(one) for one in self._observations], **self._beside()}

    def _taking_all(self, error: ApplicationError) -> ApplicationError:
        return adding(error, {KEY: [_dumped(one) for one in self._observations]})

    def _note(self, text: str, source: str, kind: str, confidence: float | None) -> None:
        if self._closed or self._room <= 0:
            return
        number = len(self._observations) + 1
        self._room -= len(text) + len(source)
        if number == MOST or self._room <= 0:
            self._room = 0
            text, source, kind = "more observations than can be kept: the rest is left out", "", "progress"
        said = Observation(
            number=number,
            at=datetime.now(UTC),
            kind=cast("Any", kind),
            text=text,
            source=source,
            attempt=self._attempt,
            confidence=confidence,
        )
        self._observations.append(said)
        self._streamed.append(_dumped(said))
        self._changed()


def _dumped(observation: Observation) -> dict[str, Any]:
    return observation.model_dump(mode="json", exclude_defaults=True)
