"""The ports of halts, bound to Temporal: an activity looks at the table until nothing that a call needs is halted.

Nothing is learnt from signals; a wait of days holds no worker and writes no event: it is `look` of `workflows/kin.py`.
`workflows/interpreter/halted.py` has the way of a call that is halted.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow

from contracts.halt import HALTED, WATCH_HALT, HaltNote, HaltWatch
from workflows.interpreter.halted import Waiting, unhalted
from workflows.interpreter.journal import Journal
from workflows.interpreter.ports import Effort
from workflows.kin import look
from workflows.meter import EFFECT, Meter
from workflows.running import Running

T = TypeVar("T")


class HaltPorts:
    """Calls that wait while what they need is halted."""

    def __init__(
        self, journal: Journal, meter: Meter, changed: Callable[[], None], stopping: Callable[[], bool]
    ) -> None:
        self._running = Running()
        self._halts = Waiting(journal, workflow.now, changed, self._lifted)
        self._measure = meter
        self._leaving = stopping

    async def unhalted(self, path: str, effort: Effort, once: Callable[[Effort], Awaitable[T]]) -> T:
        """Return what comes of a call, however long it is halted before."""
        return await unhalted(path, effort, once, self._halts)

    async def _lifted(self, note: HaltNote) -> bool:
        watch = HaltWatch(path=note.path, targets=tuple(halt.target for halt in note.halts))
        summary = "; ".join(map(str, note.halts))
        name = f"{note.path}/{HALTED}"
        found = await look(
            WATCH_HALT, watch, name, bool, stopping=self._leaving, summary=summary, running=self._running
        )
        self._measure.count(EFFECT)
        return bool(found) and not self._leaving()
