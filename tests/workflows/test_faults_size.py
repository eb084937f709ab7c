"""What is too large for a history ends the mission in order: it is undone, and it never hangs."""

import random

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from contracts.plan import Limits
from tests.workflows.house import Activities, house
from tests.workflows.test_continue import chain
from tests.workflows.test_faults_cancel import file
from tests.workflows.test_mission import agent, replays

LARGE = {"text": "x" * 280_000}


def dense(_):
    """Text that no compression makes small."""
    return {"text": random.randbytes(210_000).hex()[:280_000]}


def large(number):
    return agent(f"a{number}", output=f"v{number}")


async def test_a_journal_that_can_be_packed_small_is_handed_over(client, home):
    steps = [file(), *(large(number) for number in range(9))]
    async with house(client, home, Activities(agents={"ann": LARGE})) as h:
        started = await h.start(steps, Limits(events_per_run=16))

        assert "completed" == (await started.result()).state
        runs = await chain(client, client.get_workflow_handle(started.handle.id))
        assert len(runs) > 1
        for run in runs:
            await replays(run)


async def test_a_journal_too_large_to_hand_over_fails_the_mission_and_undoes_it(client, home):
    steps = [file(), *(large(number) for number in range(12))]
    async with house(client, home, Activities(agents={"ann": dense})) as h:
        started = await h.start(steps, Limits(events_per_run=16))
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()
        assert isinstance(failed.value.cause, ApplicationError)
        assert "over_budget" == failed.value.cause.type
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
        for run in await chain(client, client.get_workflow_handle(started.handle.id)):
            await replays(run)


async def test_a_context_too_large_to_send_fails_the_step_and_undoes_the_mission(client, home):
    steps = [file(), *(large(number) for number in range(9)), agent("all", context=[f"v{n}" for n in range(9)])]
    async with house(client, home, Activities(agents={"ann": LARGE})) as h:
        started = await h.start(steps)
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert isinstance(failed.value.cause, ApplicationError)
        assert "over_budget" == failed.value.cause.type
        assert "all" not in h.activities.asked
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
