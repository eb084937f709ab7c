"""What a mission that is a child knows of its parent: whether it is over, and what that means here.

The law: a child undoes what it did unless its parent completed; that it reads from the server, so no signal can release
it and no terminated parent leaves it behind. Temporal's own parent-close policy cannot say this: it also strikes
when a parent continues as a new run. The other half is `workflows/interpreter/steps/mission.py`, in the parent.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from temporalio import workflow

from contracts.child import ABANDON, UNDO, Parent, ParentEnd
from contracts.plan import Ending
from contracts.record import Record
from contracts.view import MissionState
from workflows.governance.saga import to_undo
from workflows.interpreter.ending import EffectFailed, Suspended
from workflows.interpreter.join import halt_if_cancelled

Watch = Callable[[Parent], Awaitable[ParentEnd | None]]


class Parentage:
    """A mission's parent, if it has one that matters to it. `over` is set once that is known to have ended."""

    def __init__(self, parent: Parent | None, watch: Watch) -> None:
        self._parent = parent if parent is not None and parent.on_close != ABANDON else None
        self._watch = watch
        self.over: ParentEnd | None = None
        self._attending: asyncio.Task[None] | None = None

    def holds(self, records: Iterable[Record]) -> bool:
        """Whether a mission that has completed must wait for its parent, since what it did may have to be undone."""
        return self._parent is not None and self._parent.on_close == UNDO and bool(to_undo(records))

    def attend(self, walking: Callable[[], bool]) -> None:
        """Watch the parent for as long as the run lasts. When it comes to nothing, stop a mission that still walks."""
        if self._parent is not None:
            self._attending = asyncio.create_task(self._attend(self._parent, walking, asyncio.current_task()))

    async def _attend(self, parent: Parent, walking: Callable[[], bool], main: "asyncio.Task[Any] | None") -> None:
        try:
            self.over = await self._watch(parent)
        except EffectFailed:
            # The server knows no such parent (any more). What it came to nobody can tell, so people say what follows.
            return
        if self.ending() is not None and main is not None and walking():
            main.cancel()

    async def outlived(self, stopping: Callable[[], bool]) -> Ending | None:
        """Wait until the parent is over, and return what that makes of this mission. Raises `Suspended`."""
        halt_if_cancelled()
        await workflow.wait_condition(lambda: self.over is not None or stopping())
        if self.over is None:
            raise Suspended
        return self.ending()

    def ending(self) -> Ending | None:
        """Return the ending of a mission whose parent came to nothing."""
        if self.over is None or self.over.completed:
            return None
        return Ending(state=MissionState.ABORTED, reason=f"its parent {self.over.reason}")


def cancelled() -> Ending:
    """Return the ending of a mission that somebody cancelled."""
    return Ending(state=MissionState.CANCELLED, reason=workflow.cancellation_reason() or "cancelled")
