"""The lineage of a run, as a real server tells it."""

import uuid

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.lineage import ServerLineage


@workflow.defn
class Relay:
    """Runs as often as it is told, each time as a new run."""

    @workflow.run
    async def run(self, more: int) -> str:
        if more:
            workflow.continue_as_new(more - 1)
        return workflow.info().run_id


async def relay(client: Client, mission: str, more: int) -> tuple[str, str]:
    """Run a chain; return its first run and its last."""
    queue = uuid.uuid4().hex
    async with Worker(client, task_queue=queue, workflows=[Relay], workflow_runner=UnsandboxedWorkflowRunner()):
        handle = await client.start_workflow(Relay.run, more, id=mission, task_queue=queue)
        return handle.first_execution_run_id or "", await handle.result()


async def test_every_run_of_a_chain_descends_from_its_first(client: Client) -> None:
    mission = uuid.uuid4().hex
    first, last = await relay(client, mission, 2)

    assert first != last
    assert first == await ServerLineage(client)(mission, last)
    assert first == await ServerLineage(client)(mission, first)


async def test_a_new_mission_under_an_old_id_is_no_descendant(client: Client) -> None:
    mission = uuid.uuid4().hex
    before, _ = await relay(client, mission, 0)
    after, last = await relay(client, mission, 1)

    assert after == await ServerLineage(client)(mission, last)
    assert before != after


async def test_a_run_that_the_server_does_not_know_is_an_error(client: Client) -> None:
    with pytest.raises(RPCError) as caught:
        await ServerLineage(client)("nobody", str(uuid.uuid4()))

    assert RPCStatusCode.NOT_FOUND == caught.value.status
