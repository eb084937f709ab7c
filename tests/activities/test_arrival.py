"""When a decision came, as a real server tells it, over the runs of a mission."""

import uuid
from datetime import datetime, timedelta

from activity_stage import failing, stage
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.arrival import Arrivals
from contracts.decision import DECIDE


@workflow.defn
class Relay:
    """Waits for a decision in each of its runs; answers with the moments at which it heard of them."""

    @workflow.init
    def __init__(self, more: int, heard: list[str]) -> None:
        self.heard: list[str] = []

    @workflow.signal(name=DECIDE)
    def decide(self, token: str) -> None:
        self.heard.append(workflow.now().isoformat())

    @workflow.run
    async def run(self, more: int, heard: list[str]) -> tuple[list[str], str]:
        await workflow.wait_condition(lambda: bool(self.heard))
        if more:
            workflow.continue_as_new(args=[more - 1, heard + self.heard])
        return heard + self.heard, workflow.info().run_id


async def relayed(client: Client) -> tuple[str, str, list[datetime]]:
    """Send a decision to each of two runs, the first again. Return the mission, its last run, when it heard of them."""
    mission, queue = uuid.uuid4().hex, uuid.uuid4().hex
    handle = await client.start_workflow(Relay.run, args=[1, []], id=mission, task_queue=queue)
    await handle.signal(DECIDE, "token of the first")
    async with Worker(client, task_queue=queue, workflows=[Relay], workflow_runner=UnsandboxedWorkflowRunner()):
        while (await handle.describe()).run_id == handle.first_execution_run_id:
            pass
        await client.get_workflow_handle(mission).signal(DECIDE, "token of the last")
        moments, last = await client.get_workflow_handle(mission).result()
    return mission, last, [datetime.fromisoformat(moment) for moment in moments]


async def test_a_decision_is_found_in_the_run_that_took_it_in(client: Client) -> None:
    mission, last, (first_heard, last_heard) = await relayed(client)
    asking = stage(workflow_id=mission, workflow_run_id=last)

    first = await asking.run(Arrivals(client), "token of the first", first_heard)
    then = await asking.run(Arrivals(client), "token of the last", last_heard)

    assert first is not None
    assert then is not None
    assert first <= first_heard < then <= last_heard


async def test_a_decision_that_never_came_has_no_time(client: Client) -> None:
    mission, last, (first_heard, last_heard) = await relayed(client)
    asking = stage(workflow_id=mission, workflow_run_id=last)

    assert await asking.run(Arrivals(client), "token of another", last_heard) is None
    assert await asking.run(Arrivals(client), "token of the last", first_heard) is None
    assert await asking.run(Arrivals(client), "token of the first", first_heard - timedelta(days=1)) is None


async def test_a_history_that_cannot_be_read_lets_nothing_pass(client: Client) -> None:
    asking = stage(workflow_id=uuid.uuid4().hex, workflow_run_id=str(uuid.uuid4()))
    error = await failing(asking.run(Arrivals(client), "token", datetime.now().astimezone()))

    assert ("unavailable", False) == (error.type, error.non_retryable)
