"""Walk a mission from task to task, with a worker for each that is killed with -9 as soon as its task is done.

The way is the list of tasks of an undisturbed run, read from its history. So no task of the mission, neither of the
workflow nor of an activity, is ever taken by a process that has seen the one before it: each time the mission stands
at the boundary with nobody at work. In `fatal` are tasks that moreover fall into the hands of a worker that dies with
them: it was frozen while it polled, so it surely has the task and surely does nothing with it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from temporalio.api.enums.v1 import EventType, TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import WorkflowHistory

from contracts.decision import Opening
from contracts.workspace import MISSION_QUEUE
from tests.system.case import Case
from tests.system.hands import Hand, until

WORKFLOW_TASK_COMPLETED = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
ACTIVITY_TASK_COMPLETED = EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED
ACTIVITY_TASK_SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
SIGNALED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED


@dataclass(frozen=True)
class Stop:
    """One task of the way: its queue; its step's path when it is an activity; whether a decision brought it about."""

    queue: str
    path: str = ""
    decided: bool = field(default=False, compare=False)


def way_of(history: WorkflowHistory) -> list[Stop]:
    """Return the tasks of a run in their order. Attempts that came to nothing are no stops.

    A decision, its ruling and what follows from it are one, and so are a start and what policy says of it: the
    missions' own queue has them all, and no worker can be killed between two of them for sure.
    """
    before = dict(zip([event.event_id for event in history.events][1:], history.events, strict=False))
    stops: list[Stop] = []
    beside: set[int] = set()
    reported = False
    for event in history.events:
        if event.event_type == ACTIVITY_TASK_SCHEDULED:
            scheduled = event.activity_task_scheduled_event_attributes
            if scheduled.task_queue.name == MISSION_QUEUE:
                beside.add(event.event_id)
            else:
                stops.append(Stop(scheduled.task_queue.name, scheduled.activity_id))
        if event.event_type == ACTIVITY_TASK_COMPLETED:
            reported |= event.activity_task_completed_event_attributes.scheduled_event_id in beside
        if event.event_type == WORKFLOW_TASK_COMPLETED:
            cause = before[event.workflow_task_completed_event_attributes.scheduled_event_id]
            if not reported:
                stops.append(Stop(MISSION_QUEUE, decided=cause.event_type == SIGNALED))
            reported = False
    return stops


@dataclass
class Walk:
    """One mission on its way. Before the stop `first`, which a decision brings about, one worker does everything."""

    case: Case
    way: Sequence[Stop]
    fatal: Collection[int] = ()
    first: int = 0
    environ: Mapping[str, str] = field(default_factory=dict)
    _opening: Opening | None = None

    async def run(self) -> list[str]:
        """Walk the whole way; return the boundaries at which the mission stood, and how."""
        reached = []
        if self.first:
            await self._hurry()
        for number in range(self.first, len(self.way)):
            stop = self.way[number]
            doomed = await self._bring_about(number, fatal=number in self.fatal)
            await self.case.until_task(stop.queue, stop.path, taken=doomed is not None)
            reached.append(f"{stop.path or 'workflow task'} {'taken' if doomed else 'waits'}")
            if doomed is not None:
                await doomed.kill()
        await self._do(self.way[-1])
        await self.case.end()
        return reached

    async def _hurry(self) -> None:
        worker = await self._hire()
        await self.case.start()
        self._opening = await self.case.opening()
        await worker.kill()

    async def _bring_about(self, number: int, *, fatal: bool) -> Hand | None:
        """Let happen what opens a task: the start, the task before it, or a decision. Return who waits to die with it.

        Before a decision the same queue has work to be done first: only then is the trap set.
        """
        stop = self.way[number]
        if stop.decided and number > self.first:
            await self._do(self.way[number - 1], gate_follows=True)
        doomed = await self._trap(stop) if fatal else None
        if stop.decided:
            assert self._opening is not None
            assert await self.case.signal(self.case.sign(self._opening))
        elif number == 0:
            await self.case.start()
        else:
            await self._do(self.way[number - 1])
        return doomed

    async def _do(self, stop: Stop, *, gate_follows: bool = False) -> None:
        """Have one task done by a worker that lives no longer than that."""
        worker = await self._hire(stop.queue)
        if stop.decided:
            await self.case.until_clear(stop.queue)
        await self.case.until_settled(stop.queue, stop.path)
        if stop.queue == MISSION_QUEUE:
            # A mission whose first task came late looks back before it goes on.
            await self.case.until_clear(stop.queue)
        if gate_follows:
            self._opening = await self.case.opening()
        await worker.kill()

    async def _trap(self, stop: Stop) -> Hand:
        """Hire a worker and freeze it while the server counts on it for the next task of its queue."""
        worker = await self._hire(stop.queue)
        await polls(self.case, worker, stop.queue, stop.path)
        worker.freeze()
        return worker

    async def _hire(self, queue: str = "") -> Hand:
        return await self.case.place.hire(queue, **self.environ)


async def polls(case: Case, worker: Hand, queue: str, path: str = "") -> None:
    """Wait until the server knows that a worker polls a queue: for activities when there is a path."""
    kind = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY if path else TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
    request = DescribeTaskQueueRequest(
        namespace=case.place.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )

    async def known() -> bool:
        answer = await case.client.workflow_service.describe_task_queue(request)
        return worker.identity in [poller.identity for poller in answer.pollers]

    await until(known, f"{worker.name} polls {queue}")
