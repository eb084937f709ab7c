"""What people decided lately about the same: the same tools on the same resources, in other missions or in this one.

The law: this informs and never holds up. It looks at the latest missions for so many seconds, asks each how it stands,
and says how many it looked at. Nobody signs it: it is of others, and may be another one in a minute.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from rich.text import Text
from temporalio.client import Client, RPCTimeoutOrCancelledError
from temporalio.service import RPCError

from contracts.base import canonical
from contracts.decision import Opening
from contracts.record import Record
from contracts.view import MissionView
from starter.escape import visible
from starter.problem import Problem
from starter.reading import Reading
from starter.state import read_state

LATELY = timedelta(days=30)
SECONDS = 3.0
"""How long it looks, whatever it has found by then."""
LATEST = 15
"""How many missions of the same name it looks at, of those that ended and of those that run; and of other names."""
AT_ONCE = 10
RUNNING = "ExecutionStatus = 'Running'"
MOST = 8
"""How many decisions are told; of more, how many more."""


@dataclass(frozen=True)
class Decided:
    """A decision on one of the resources, and what came of it."""

    at: datetime
    tool: str
    decision: str
    by: tuple[str, ...]
    outcome: str
    mission: str
    step: str


@dataclass(frozen=True)
class Related:
    """The decisions that were found, the latest first, in so many missions of so many."""

    resources: tuple[tuple[str, str, Any], ...]
    decided: tuple[Decided, ...] = ()
    looked: int = 0
    of: int = 0

    def lines(self) -> Iterator[Text]:
        """Yield it in words."""
        for tool, name, value in self.resources:
            yield Text(visible(f"{tool} with {name} {canonical(value).decode()[:200]}"))
        for one in self.decided[:MOST]:
            what = f"{one.decision} by {', '.join(one.by)}" if one.by else one.decision
            told = f"{one.at:%Y-%m-%d %H:%M} UTC  {one.tool} {what}, {one.outcome}; {one.mission} at {one.step}"
            yield Text(visible(told))
        more = f", {len(self.decided) - MOST} more are not told here" if len(self.decided) > MOST else ""
        count = "1 decision" if len(self.decided) == 1 else f"{len(self.decided) or 'no'} decisions"
        found = f"{count} in the last {LATELY.days} days{more}"
        yield Text(f"{found}; looked at {self.looked} of {self.of} missions", "dim")


async def related(
    client: Client,
    gate: Opening,
    resources: tuple[tuple[str, str, Any], ...],
    seconds: float = SECONDS,
    person: str = "",
) -> Related | None:
    """Return what was decided lately about a gate's resources; none where it has none."""
    if not resources:
        return None
    found = _Search(client, gate, resources, Reading(person))
    try:
        async with asyncio.timeout(seconds):
            await found.look()
    except (TimeoutError, RPCError, RPCTimeoutOrCancelledError):
        pass  # What was found by then is told, with how little was looked at.
    return found.told()


class _Search:
    """One search, which may be stopped at any moment."""

    def __init__(
        self, client: Client, gate: Opening, resources: tuple[tuple[str, str, Any], ...], reading: Reading
    ) -> None:
        self._reading = reading
        self._client = client
        self._gate = gate
        self._resources = resources
        self._decided: list[Decided] = []
        self._looked = self._of = 0

    def told(self) -> Related:
        latest = sorted(self._decided, key=lambda one: one.at, reverse=True)
        return Related(self._resources, tuple(latest), self._looked, max(self._of, self._looked))

    async def look(self) -> None:
        since = f"StartTime >= '{(datetime.now(UTC) - LATELY).isoformat(timespec='seconds')}'"
        lately = f"{since} AND MissionName IS NOT NULL"
        over = "ExecutionStatus != 'Running' AND ExecutionStatus != 'ContinuedAsNew'"
        self._of = (await self._client.count_workflows(f"{lately} AND ExecutionStatus != 'ContinuedAsNew'")).count
        few = asyncio.Semaphore(AT_ONCE)
        own = self._gate.subject.name.replace("'", "")
        # Those that run are listed first: where many wait, nothing that was decided would ever be looked at.
        for same, stage in product((f"MissionName = '{own}'", f"MissionName != '{own}'"), (over, RUNNING)):
            listed = self._client.list_workflows(f"{lately} AND {same} AND {stage}", limit=LATEST)
            await asyncio.gather(*[self._ask(one.id, few) async for one in listed if self._reading.reads(one)])

    async def _ask(self, mission: str, few: asyncio.Semaphore) -> None:
        async with few:
            try:
                view = await read_state(self._client, mission, patience=timedelta(seconds=SECONDS))
            except (Problem, RPCError, RPCTimeoutOrCancelledError):
                return
        self._looked += 1
        self._decided += decided(view, self._resources)


def decided(view: MissionView, resources: Iterable[tuple[str, str, Any]]) -> Iterator[Decided]:
    """Yield what people decided in a mission about some resources."""
    records = {record.path: record for record in view.records}
    for record in view.records:
        tool, arguments = _act(record)
        about = any(tool == one and arguments.get(name) == value for one, name, value in resources)
        gate = records.get(record.approved.at) if record.approved is not None else record
        said = gate.answer if gate is not None else None
        if about and said and gate is not None:
            yield Decided(
                at=gate.answered_at or gate.started_at,
                tool=tool,
                decision=str(said.get("decision", "decided")).replace("_", " "),
                by=tuple(str(name) for name in said.get("by", ())),
                outcome=_outcome(record),
                mission=view.id,
                step=record.path,
            )


def _act(record: Record) -> tuple[str, dict[str, Any]]:
    """Return what a step did, or would have done had people approved it."""
    if record.effect is not None:
        return record.effect.tool, record.effect.arguments
    asked = record.answer.get("arguments") if record.kind == "action" and record.answer else None
    return (record.actor, asked) if isinstance(asked, dict) else ("", {})


def _outcome(record: Record) -> str:
    if record.effect is None or record.effect.applied == "no":
        return "not run" if record.status != "running" else "under way"
    undone = {"done": "done and undone again", "failed": "done, and could not be undone"}
    return undone.get(record.effect.undo_status, "done" if record.effect.applied == "yes" else "perhaps done")
