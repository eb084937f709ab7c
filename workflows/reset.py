"""A mission that was reset: it begins nothing new before its operators have said how it goes on.

The law: what had been begun is asked for again, under the same keys, so that the journal knows of it; everything else
waits. That a run was reset, its seed tells before any of its code goes on; why, `activities/past.py` reads.
"""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from contracts.command import DeadLetter
from contracts.past import READ_PAST, STOPPED, Past
from contracts.record import Failure
from workflows.governance.control import Control
from workflows.interpreter.effort import NEVER_RETRIED
from workflows.interpreter.journal import Journal
from workflows.versions import LOOKS_BACK

UNDISTURBED = 3
"""Events at the first task of a run whose first task nothing came before."""
SUSPECTED = 0
"""What stands for the seed of a reset that is only suspected."""
LOOK = timedelta(seconds=60)
RETRIES = RetryPolicy(maximum_interval=timedelta(seconds=30), non_retryable_error_types=list(NEVER_RETRIED))


class Resets:
    """The resets that a run has met. `letter` is opened at once, and says more once the past has been read."""

    def __init__(
        self, control: Control, journal: Journal, ended: Callable[[], bool], changed: Callable[[], None]
    ) -> None:
        self._control = control
        self._journal = journal
        self._ended = ended
        self._changed = changed
        self._number = 0
        # It is called where no workflow code may run: before anything of this task does.
        workflow.register_random_seed_callback(self._met)

    def begin(self) -> None:
        """Suspect a reset where the first task of a run comes late.

        Whether the seed's change is told in a first task hangs on whether it is replayed, so there it says nothing.
        """
        if workflow.info().get_current_history_length() > UNDISTURBED and workflow.patched(LOOKS_BACK):
            self._control.unread[:] = [SUSPECTED]

    async def attend(self) -> None:
        """Open a dead letter at each reset, for as long as the run lasts."""
        while True:
            await workflow.wait_condition(lambda: bool(self._control.unread))
            seed = self._control.unread[0]
            if seed != SUSPECTED:
                self._open("reset from outside", ())
            self._number += 1
            past = await _read(self._number)
            if past.cause:
                self._open(past.cause, past.begun)
            self._control.unread.pop(0)
            self._changed()

    async def read(self) -> None:
        """Wait until it is known what was begun before."""
        await workflow.wait_condition(lambda: not self._control.unread)

    def _met(self, seed: int) -> None:
        if not self._control.unread:
            self._control.unread.append(seed)

    def _open(self, cause: str, begun: tuple[str, ...]) -> None:
        self._control.put(begun=tuple(dict.fromkeys((*self._control.state.begun, *begun))))
        known = self._control.letter
        if self._ended() or (known is not None and not known.outside):
            return
        failure = Failure(code=STOPPED, step=_innermost(self._journal), operation="go on", cause=cause)
        at = known.at if known is not None else workflow.now()
        self._control.put(letter=DeadLetter(failure=failure, at=at, outside=True))
        self._changed()


async def _read(number: int) -> Past:
    try:
        past: Past = await workflow.execute_activity(
            READ_PAST,
            activity_id=f"/past/{number}",
            result_type=Past,
            start_to_close_timeout=LOOK,
            retry_policy=RETRIES,
            summary="why the run before ended, and what it had begun",
        )
    except ActivityError as error:
        return Past(cause=f"reset from outside; what was before cannot be read: {error.cause}"[:500])
    return past


def _innermost(journal: Journal) -> str:
    """Return the step that was under way, the innermost."""
    running = [record.path for record in journal.records() if record.status in {"running", "waiting"}]
    return max(running, key=len, default="")
