"""Tell every sink what was archived since: in order within a mission, at least once, going on where each sink stands.

The law: a sink that does not take an event is told nothing further of that mission until it does, and other sinks and
missions do not wait for it. What it refuses for good is said, and tried again by a later round: skipping is losing.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass

from activities.books.database import Unreadable
from activities.books.position import Outbox
from activities.outbox import event
from activities.sinks import Sink
from activities.undelivered import Undelivered
from contracts.audit import AuditEntry, Chain
from contracts.published import KINDS

LONGEST = 60.0
"""Seconds that a sink which keeps failing is left alone."""


Numbered = list[tuple[int, AuditEntry]]
Hide = Callable[[Chain, Iterable[AuditEntry]], Awaitable[list[AuditEntry]]]
"""Takes out of entries what is sensitive in their mission."""


@dataclass
class Rest:
    """A sink that failed: what was said, how often in a row, and until when it is left alone."""

    said: tuple[str, ...] = ()
    times: int = 0
    until: float = 0.0


class Publisher:
    """Brings what is archived to sinks."""

    def __init__(
        self,
        sinks: Iterable[Sink],
        outbox: Outbox,
        now: Callable[[], float] = time.monotonic,
        hide: Hide | None = None,
    ) -> None:
        self._hide = hide
        self._sinks = {sink.name: (sink, Rest()) for sink in sinks}
        self._outbox = outbox
        self._now = now

    async def tell(self) -> list[str]:
        """Tell all sinks what they have not been told; return what keeps any from it, in sentences."""
        found = await asyncio.gather(*(self._round(sink, rest) for sink, rest in self._sinks.values()))
        return [said for rest in found for said in rest]

    async def close(self) -> None:
        """Let go of every connection."""
        for sink, _ in self._sinks.values():
            await sink.close()

    async def _round(self, sink: Sink, rest: Rest) -> tuple[str, ...]:
        if self._now() < rest.until:
            return rest.said
        rest.said = tuple([said async for said in self._failures(sink)])
        rest.times = rest.times + 1 if rest.said else 0
        rest.until = self._now() + min(LONGEST, 2.0 ** (rest.times - 1)) if rest.said else 0.0
        return rest.said

    async def _failures(self, sink: Sink) -> AsyncIterator[str]:
        try:
            for key, chain, done in await self._outbox.behind(sink.name):
                try:
                    await self._mission(sink, key, chain, done)
                except Undelivered as undelivered:
                    yield f"{sink.name} is not told of {chain.mission}: {undelivered}"
                    if not undelivered.final:
                        # Whoever does not answer would not for the next mission either.
                        return
        except Unreadable as unreadable:
            yield f"{sink.name} is told nothing: {unreadable}"

    async def _hidden(self, chain: Chain, entries: Numbered) -> Numbered:
        """Return the entries as others may be told them."""
        if self._hide is None:
            return entries
        return list(zip((seq for seq, _ in entries), await self._hide(chain, [one for _, one in entries]), strict=True))

    async def _mission(self, sink: Sink, key: str, chain: Chain, done: int) -> None:
        while entries := await self._outbox.after(key, done):
            noted = done
            try:
                for seq, entry in await self._hidden(chain, entries):
                    if entry.topic in KINDS and (not sink.topics or entry.topic in sink.topics):
                        await sink.send(event(chain, seq, entry))
                        await self._outbox.advance(sink.name, key, seq)
                        noted = seq
                    done = seq
            finally:
                if noted < done:
                    await self._outbox.advance(sink.name, key, done)
