"""A mission that was reset: it begins nothing new before its operators have said how it goes on.

The law: what had been begun is asked for again, under the same keys, so that the journal knows of it; everything else
waits. That a run was reset, its seed tells before any of its code goes on; why, `activities/past.py` reads.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from contracts.command import DeadLetter
from contracts.notice import STOPPED as WAS_STOPPED
from contracts.past import READ_PAST, STOPPED, Past
from contracts.plan import Ending
from contracts.record import Failure
from workflows.governance.control import Control
from workflows.interpreter.course import overdue
from workflows.interpreter.effort import NEVER_RETRIED
from workflows.interpreter.journal import Journal
from workflows.interpreter.scope import Scope
from workflows.interpreter.tell import tell_operators
from workflows.versions import LOOKS_BACK

UNDISTURBED = 3
"""Events at the first task of a run whose first task nothing came before."""
SUSPECTED = 0
"""What stands for the seed of a reset that is only suspected."""
LOOK = timedelta(seconds=20)
RETRIES = RetryPolicy(maximum_interval=timedelta(seconds=30), non_retryable_error_types=list(NEVER_RETRIED))


class Resets:
    """The resets that a run has met. The letter is opened at once, and says more once the past has been read."""

    def __init__(self, control: Control, scope: Callable[[], Scope], ended: Callable[[], bool]) -> None:
        self._control = control
        self._scope = scope
        self._ended = ended
        self._number = 0
        self.ending: Ending | None = None
        """What the mission comes to because nobody has said in time how it goes on."""
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
        control = self._control
        while True:
            await workflow.wait_condition(lambda: bool(control.unread))
            if control.unread[0] != SUSPECTED:
                self._open("reset from outside")
            self._number += 1
            past = await _read(self._number)
            if past.cause:
                control.put(begun=tuple(dict.fromkeys((*control.state.begun, *past.begun))))
                self._open(past.cause)
            control.unread.pop(0)
            self._scope().ports.changed()

    async def read(self) -> None:
        """Wait until it is known what was begun before."""
        if self._control.unread:
            await workflow.wait_condition(lambda: not self._control.unread)

    async def expire(self) -> None:
        """End the mission at the deadline of its letter, unless an operator has said how it goes on."""
        ports = self._scope().ports
        while self.ending is None:
            await workflow.wait_condition(lambda: self._until() is not None and not ports.stopping())
            await self._wait(self._until())

    async def _wait(self, until: datetime | None) -> None:
        ports = self._scope().ports
        await ports.wait(lambda: self._until() != until, until, "an operator says how it goes on")
        letter = self._control.letter
        due = letter is not None and until is not None and self._until() == until <= ports.now()
        if letter is not None and due and not ports.stopping():
            self.ending = overdue(letter)
            ports.stop()

    def _until(self) -> datetime | None:
        """Return the deadline that runs: none while a command is carried out, which may be the answer."""
        letter, control = self._control.letter, self._control
        return letter.deadline if letter is not None and letter.outside and not control.due() else None

    def _met(self, seed: int) -> None:
        if not self._control.unread:
            self._control.unread.append(seed)

    def _open(self, cause: str) -> None:
        """Open the letter that operators answer, or say more in the one that is open; have them told once."""
        scope = self._scope()
        known, box = self._control.letter, scope.plan.definition.dead_letter
        if self._ended() or (known is not None and not known.outside):
            return
        failure = Failure(code=STOPPED, step=_innermost(scope.journal), operation="go on", cause=cause)
        now, deadline = scope.ports.now(), None
        if known is not None:
            now, deadline = known.at, known.deadline
        elif scope.limits.attentive:
            deadline = now + box.timeout if box is not None and box.timeout is not None else None
            tell_operators(failure.step, deadline, scope, WAS_STOPPED)
        self._control.put(letter=DeadLetter(failure=failure, at=now, deadline=deadline, outside=True))
        scope.ports.changed()


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
