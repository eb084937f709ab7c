"""Whether histories replay on this code."""

from collections.abc import Iterable

from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer

from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import runner


async def unreplayable(histories: Iterable[WorkflowHistory], converter: DataConverter, namespace: str) -> list[str]:
    """Return how each history fails to replay on this code."""
    replayer = Replayer(
        workflows=[Mission, Locks, Halts], workflow_runner=runner(), data_converter=converter, namespace=namespace
    )
    found = []
    for history in histories:
        result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if result.replay_failure:
            found.append(f"does not replay: {result.replay_failure}")
    return found
