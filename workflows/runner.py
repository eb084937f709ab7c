"""The one way in which workers, tests and replays run workflow code: plainly, in the worker's own interpreter.

Temporal's sandbox would load that code anew for each mission and enter a guarded world several times for each payload.
What it guards against, a test finds by reading every line (`tests/interpreter/test_purity.py`): no code of an author
or an agent ever runs in a workflow, so our own is all that there is to watch.

What workers aim at: a workflow task is run whole. A query that has waited for a worker makes the SDK run the mission on
what came after its last task, before the next one begins; that task would then give in two parts what a replay gives
in one, and its commands in another order. A mission that ran ahead for a query is therefore forgotten once the query is
answered, and its next task begins from the history (`docs/adr/0025-workflow-tasks-are-run-whole.md`).

A task that takes long, as on a machine with too much to do, the SDK takes for stuck: it fails the task, and would have
an exception rise in the middle of whatever its thread is at, locks of its own included. Ours has as long as the server
gives it, and is let finish; whoever would drop the mission waits for that.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from threading import Lock
from typing import Any

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import (
    Plugin,
    ReplayerConfig,
    UnsandboxedWorkflowRunner,
    Worker,
    WorkerConfig,
    WorkflowInstance,
    WorkflowInstanceDetails,
)
from temporalio.workflow import Info

from workflows.refused import settle

STUCK = 10
"""Seconds after which the SDK takes a task for stuck: the server gives no task more. By itself it waits two."""
Forget = Callable[[str], None]
"""Drops a run from the worker's cache."""


def runner() -> UnsandboxedWorkflowRunner:
    """Return the runner of replays, in which nobody asks."""
    return _Replayed()


class WholeTasks(Plugin):
    """Makes a worker run workflow code plainly, and each workflow task whole. One for each worker."""

    def __init__(self) -> None:
        self._worker: Worker | None = None

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        """Give the worker our runner."""
        config["workflow_runner"] = _Runner(self._forget)
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:  # noqa: A002
        """Learn which worker it is."""
        self._worker = worker
        if worker._workflow_worker is not None:  # noqa: SLF001 (no option says it)
            worker._workflow_worker._deadlock_timeout_seconds = STUCK  # noqa: SLF001
        await next(worker)

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        """Change nothing: no query reaches a replay."""
        return config

    def run_replayer(self, replayer: Any, histories: Any, next: Any) -> AbstractAsyncContextManager[Any]:  # noqa: A002
        """Change nothing."""
        result: AbstractAsyncContextManager[Any] = next(replayer, histories)
        return result

    def _forget(self, run: str) -> None:
        if self._worker is not None:
            # The SDK offers this to itself alone; there is no other way to drop one run.
            self._worker._bridge_worker.request_workflow_eviction(run)  # noqa: SLF001


class _Replayed(UnsandboxedWorkflowRunner):
    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return Settled(super().create_instance(det))


class _Runner(UnsandboxedWorkflowRunner):
    def __init__(self, forget: Forget) -> None:
        self._forget = forget

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return Whole(super().create_instance(det), self._forget)


class Settled(WorkflowInstance):
    """A mission that gets no answer which was refused."""

    def __init__(self, inner: WorkflowInstance) -> None:
        self._inner = inner

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run what the SDK brings."""
        settle(act)
        return self._inner.activate(act)

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Info:
        return self._inner.get_info()


class Whole(Settled):
    """A mission in a worker's cache, which is forgotten once it has run ahead for a query."""

    def __init__(self, inner: WorkflowInstance, forget: Forget) -> None:
        super().__init__(inner)
        self._forget = forget
        self._one_at_a_time = Lock()
        self._task = (0, 0)
        self._length = 0
        self._ahead = False

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run what the SDK brings. A new task for a mission that has run ahead fails, and comes again."""
        kinds = {str(job.WhichOneof("variant")) for job in act.jobs}
        with self._one_at_a_time:
            if not kinds & {"query_workflow", "remove_from_cache"}:
                self._watch(act)
            completion = super().activate(act)
        if self._ahead and "query_workflow" in kinds:
            self._forget(act.run_id)
        return completion

    def _watch(self, act: WorkflowActivation) -> None:
        """Tell a task from what is brought before one: that bears the time of the task before, and more history."""
        task = (act.timestamp.seconds, act.timestamp.nanos)
        if self._ahead and task != self._task:
            raise RuntimeError("the mission had run ahead for a query; the task is run again from its history")
        self._ahead = self._ahead or (task == self._task and act.history_length > self._length)
        self._task, self._length = task, act.history_length

    def get_thread_id(self) -> int | None:
        """Return none: a task that takes long is not to be interrupted."""
        return None
