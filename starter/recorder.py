"""The recorder: reads the histories of all missions, from where it left off, and archives their records.

It trusts no mission and asks no worker, so a mission that was terminated from outside is recorded like any other. The
law: it adds and never changes; two of them write the same. What it adds is what `gonogo audit ID --export` has, and
`activities/publisher.py` tells others of it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import Client, WorkflowExecution, WorkflowExecutionStatus
from temporalio.service import RPCError

from activities.books.archive import Archive, Differs, Ending
from activities.books.database import Unreadable
from activities.content import ContentLost
from activities.publisher import Publisher
from contracts.halt import HALTS
from contracts.payload import KeyLacking
from starter.anchors import Anchor, Unanchored
from starter.connect import PATIENCE
from starter.problem import Problem
from starter.record import continued, signed

AT_ONCE = 10
OVERLAP = timedelta(minutes=5)
"""How far back each look goes again: what is listed lags behind what has happened."""
RECORDED = f"(MissionName IS NOT NULL OR WorkflowId = '{HALTS}') AND ExecutionStatus != 'ContinuedAsNew'"


@dataclass(frozen=True)
class News:
    """What a look came to: how many entries were added, and what could not be recorded."""

    added: int = 0
    ended: int = 0
    problems: tuple[str, ...] = ()


class Recorder:
    """Looks again and again. It remembers what it has seen only to spare itself work."""

    def __init__(
        self,
        client: Client,
        archive: Archive,
        key: Ed25519PrivateKey,
        anchors: tuple[Anchor, ...] = (),
        publisher: Publisher | None = None,
    ) -> None:
        self._publisher = publisher
        self._client = client
        self._archive = archive
        self._key = key
        self._anchors = anchors
        self._seen: dict[str, tuple[str, int]] = {}
        self._over: set[str] = set()
        self._closed: datetime | None = None

    async def look(self) -> News:
        """Record what has happened since the last look."""
        began, few = datetime.now(UTC), asyncio.Semaphore(AT_ONCE)

        async def one(mission: str, runs: list[WorkflowExecution]) -> News:
            async with few:
                return await self._recorded(mission, runs)

        found: dict[str, list[WorkflowExecution]] = {}
        async for run in self._listed():
            found.setdefault(run.id, []).append(run)
        news = await asyncio.gather(*(one(mission, runs) for mission, runs in found.items()))
        problems = [*(said for one in news for said in one.problems), *[said async for said in self._anchored()]]
        if not problems:
            self._closed = began - OVERLAP
        if self._publisher is not None:
            problems += await self._publisher.tell()
        return News(sum(one.added for one in news), sum(one.ended for one in news), tuple(problems))

    async def _listed(self) -> AsyncIterator[WorkflowExecution]:
        since = f" AND CloseTime >= '{self._closed.isoformat()}'" if self._closed else ""
        for wanted in ("ExecutionStatus = 'Running'", f"ExecutionStatus != 'Running'{since}"):
            async for execution in self._client.list_workflows(f"{RECORDED} AND {wanted}"):
                yield execution

    async def _recorded(self, mission: str, runs: list[WorkflowExecution]) -> News:
        try:
            if all([await self._done(run) for run in runs]):
                return News()
            now = await self._client.get_workflow_handle(mission).describe(rpc_timeout=PATIENCE)
            seen = (now.run_id, now.history_length)
            if self._seen.get(mission) != seen:
                news = await self._read(mission, events=0 if _runs(now) else now.history_length)
                self._seen[mission] = seen
            else:
                news = News()
            self._over |= {run.run_id for run in runs if not _runs(run)}
            return news
        except (Problem, Differs, Unreadable, ContentLost, KeyLacking) as error:
            return News(problems=(f"{mission}: {error}",))
        except RPCError as error:
            return News(problems=(f"{mission}: the server does not answer: {error.message}",))

    async def _done(self, run: WorkflowExecution) -> bool:
        """Whether a run that is over was recorded, now or by a recorder before."""
        if _runs(run):
            return False
        return run.run_id in self._over or await self._archive.ended(run.run_id, run.history_length)

    async def _read(self, mission: str, events: int) -> News:
        """Archive what is new of a mission, and its head where it has ended."""
        book, new = await continued(self._client, self._archive, mission)
        added = book.links[len(book.links) - new :]
        await self._archive.add(book.chain, book.entries[len(book.links) - new :], added)
        if not events or not book.head.ended:
            return News(len(added))
        if await self._archive.ending(book.head.chain, book.head.count) is None:
            await self._archive.end(Ending(book.head, events, signed(book.head, self._key)))
        return News(len(added), ended=1)

    async def _anchored(self) -> AsyncIterator[str]:
        """Make heads known outside; yield what could not be."""
        for anchor in self._anchors:
            try:
                if heads := await self._archive.unanchored(anchor.place):
                    await anchor.add([one.said() for one in heads])
                    await self._archive.anchored([one.head for one in heads], anchor.place)
            except (Unanchored, Unreadable) as error:
                yield str(error)


def _runs(execution: WorkflowExecution) -> bool:
    return execution.status == WorkflowExecutionStatus.RUNNING
