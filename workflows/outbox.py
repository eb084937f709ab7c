"""Notices on their way to people, beside everything else that the mission does.

The law: no step and no gate waits for one. What is still on its way when a run hands over is sent again by the next,
under the same id; at its end a mission stays a few seconds for the last of them. What could not be sent is noted, and
so is what was not told by itself: whether people get too many, of all missions, the activity says.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from contracts.notice import SEND_NOTICE, Delivery, Note, Notice
from workflows.interpreter.effort import NEVER_RETRIED
from workflows.interpreter.join import see_through
from workflows.interpreter.scope import Scope
from workflows.interpreter.tell import note
from workflows.label import label
from workflows.meter import EFFECT, Meter

ATTEMPT = timedelta(seconds=60)
RETRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=6,
    non_retryable_error_types=list(NEVER_RETRIED),
)
PATIENCE = timedelta(minutes=10)
"""How long a notice is worth sending: whoever reads it later has long seen the queue, or missed the deadline."""
LAST_WORDS = timedelta(seconds=10)


class Outbox:
    """What is on its way. `scope` is asked for where to note what could not be sent."""

    def __init__(self, waiting: Iterable[Notice], meter: Meter, scope: Callable[[], Scope]) -> None:
        self._waiting = {notice.id: notice for notice in waiting}
        self._meter = meter
        self._scope = scope

    def waiting(self) -> tuple[Notice, ...]:
        return tuple(self._waiting.values())

    def resume(self) -> None:
        """Send again what the run before had not seen through."""
        for notice in self.waiting():
            self._start(notice)

    def send(self, notice: Notice) -> None:
        """Have a notice sent."""
        self._waiting[notice.id] = notice
        self._start(notice)

    async def emptied(self) -> None:
        """Stay a little for what is on its way, whatever is cancelled meanwhile."""
        if self._waiting:
            await see_through(self._emptied())

    async def _emptied(self) -> None:
        timer = asyncio.create_task(workflow.sleep(LAST_WORDS, summary="the last notices"))
        await workflow.wait_condition(lambda: not self._waiting or timer.done())
        timer.cancel()

    def _start(self, notice: Notice) -> None:
        sending = workflow.start_activity(
            SEND_NOTICE,
            notice,
            activity_id=label(f"{notice.step}/notice/{notice.id[:8]}"),
            result_type=Delivery,
            start_to_close_timeout=ATTEMPT,
            schedule_to_close_timeout=PATIENCE,
            retry_policy=RETRIES,
            summary=f"{notice.step} {notice.about}: tell {', '.join(notice.to)}"[:400],
        )
        sending.add_done_callback(lambda sent: self._sent(notice, sent))

    def _sent(self, notice: Notice, sent: "asyncio.Future[Delivery]") -> None:
        self._waiting.pop(notice.id, None)
        self._meter.count(EFFECT)
        if sent.cancelled():
            return
        error = sent.exception()
        delivery = sent.result() if error is None else Delivery(failed=(_cause(error),))
        told = Note(about=notice.about, at=workflow.now(), to=notice.to)
        notes = [told.model_copy(update={"failed": reason}) for reason in delivery.failed]
        if delivery.instead:
            notes.append(told.model_copy(update={"text": delivery.instead}))
        for one in notes:
            note(notice.step, one, self._scope())


def _cause(error: BaseException) -> str:
    return str(error.cause or error) if isinstance(error, ActivityError) else str(error)
