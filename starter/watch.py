"""Watch a mission until it ends: what changed, what agents notice meanwhile. Its history does not notice."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus

from contracts.view import MissionView
from starter.connect import described
from starter.discretion import Discretion, discretion
from starter.problem import Refused
from starter.state import live_observations, read_state
from starter.timeline import Line, Timeline

PERIOD = 0.25
"""Seconds between two looks: about as often as agents tell what they notice."""
SOON = 0.05
"""Seconds until the next look at a mission that is about to take its first step."""


@dataclass(frozen=True)
class News:
    """One look at a mission: the view with all its records so far, what is new, whether it is over."""

    view: MissionView
    lines: list[Line]
    began: datetime
    over: bool


async def watch(client: Client, mission: str, period: float = PERIOD, *, reveal: bool = False) -> AsyncIterator[News]:
    """Yield a look at the mission whenever there is something new, and once more when it is over."""
    timeline, known = Timeline(), Known()
    shown: Discretion | None = None
    while True:
        # The description comes first: whatever a mission did before it was seen to be closed is in the query after it.
        description = await described(client, mission)
        over = _closed(description)
        shown = shown or await discretion(client, mission, reveal=reveal)
        view = shown.view(known.with_news(await read_state(client, mission, known.revision)))
        live = shown.live(await live_observations(client, mission, description.raw_description.pending_activities))
        lines = timeline.news(view, live)
        if lines or over:
            yield News(view, lines, view.started_at or description.start_time, over)
        if over:
            return
        await asyncio.sleep(period if view.records else min(period, SOON))


class Known:
    """All records read so far, by path: a query brings only those that changed."""

    def __init__(self) -> None:
        self.revision = 0
        self._records: dict[str, object] = {}

    def with_news(self, view: MissionView) -> MissionView:
        """Take in a page of changes and return the whole mission."""
        self._records.update({record.path: record for record in view.records})
        self.revision = max(self.revision, view.revision)
        return view.model_copy(update={"records": tuple(self._records.values())})


def _closed(description: WorkflowExecutionDescription) -> bool:
    status = description.status
    if status in {WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT}:
        raise Refused(f"mission {description.id} was stopped from outside ({status.name.lower()}): nothing was undone")
    return description.close_time is not None and status != WorkflowExecutionStatus.CONTINUED_AS_NEW
