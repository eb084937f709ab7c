"""When a run is long enough to hand over to the next one.

The law: the run counts what it has seen come to an end itself. How long its history is, the server tells with each
workflow task, and where a task begins is not the same on replay: a query that waits, or a local activity, moves it. So
the server's own word is only the last resort, for a flood that no step has asked for.
"""

from temporalio import workflow

from contracts.payload import INLINE, REFERENCE
from contracts.plan import Limits

EFFECT = 6
"""Events of an activity that reports: scheduled, started, completed, and the workflow task that hears of it."""
RULING = 10
"""Events of a decision: the signal and its workflow task, the activity that rules on it."""
CHILD = 9
"""Events of a child mission: asked for, started, ended, and the workflow tasks that hear of it."""
TIMER = 5
MOST_BYTES = 2_500_000
"""What a run may send and be sent: with what it was handed (1.5 MB), less than the 4 MB at which the server speaks."""


class Meter:
    """What a run has put into its history, as far as it knows. A mission from before there were any asks the server."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._events = 0
        self._bytes = 0
        self.rulings = 0

    def count(self, events: int, *sizes: int, inline: bool = False) -> None:
        """Count what has come to an end, and the sizes of what was sent for it and came of it."""
        self._events += events
        apart = self._limits.by_reference and not inline
        self._bytes += sum(REFERENCE if apart and size > INLINE else size for size in sizes)

    def count_ruling(self, size: int) -> None:
        """Count a decision that was ruled on."""
        self.rulings += 1
        self.count(RULING, size)

    def full(self, arrived: int) -> bool:
        """Say whether this run is to hand over. `arrived` counts the decisions that have come."""
        limits, info = self._limits, workflow.info()
        if not limits.exact:
            long = info.get_current_history_length() >= limits.events_per_run or arrived >= limits.decisions_per_run
        else:
            enough = self._events >= limits.events_per_run or self.rulings >= limits.decisions_per_run
            long = enough or self._bytes >= MOST_BYTES
        return long or info.is_continue_as_new_suggested()
