"""Who reaches the server directly, with a client and a worker of their own, gets nothing done without people's word.

The thief here has read a mission's history, and so holds its real approval. The executor's real check stands before the
world; what the world has seen in the end is held against every law.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from contracts.call import EXECUTE_ACTION, ToolCall
from contracts.view import STATE
from proof.ledgers import read
from tests.workflows.house import House, Started, house
from tests.workflows.schedule import world
from tests.workflows.test_continue import chain

HOST = {"host": "web-01"}
ISOLATE = {
    "kind": "action",
    "step": "isolate",
    "action": "isolate",
    "with": HOST,
    "compensate": {"tool": "release"},
    "approval": {"approvers": ["lead"], "required": 2, "timeout": "1h", "on_timeout": "refuse"},
}


@workflow.defn(name="thief", sandboxed=False)
class Thief:
    """Asks the executor of others to do something, and tells what it said."""

    @workflow.run
    async def run(self, queue: str, call: ToolCall) -> str:
        try:
            await workflow.execute_activity(
                EXECUTE_ACTION,
                call,
                task_queue=queue,
                start_to_close_timeout=timedelta(seconds=20),
                retry_policy=RetryPolicy(maximum_attempts=1),
            )
        except ActivityError as error:
            assert isinstance(error.cause, ApplicationError)
            return f"{error.cause.type}: {error.cause.message}"
        return "done"


class Calm(set[str]):
    """Every mission."""

    def __contains__(self, _: object) -> bool:
        return True


async def robbed(h: House) -> tuple[Started, ToolCall]:
    """Have a mission act with the approval of two people, and return the call as its history has it."""
    started = await h.start([ISOLATE])
    opening = await started.until()
    for person in ("lea", "lou"):
        assert (await started.decide(opening, person)).accepted
    assert "completed" == (await started.result()).state
    [(_, call)] = (await told(started)).calls
    return started, call


async def told(started: Started) -> Any:
    runs = await chain(started.house.client, started.handle)
    return read([await run.fetch_history() for run in runs][::-1], started.house.client.namespace)


async def steal(h: House, call: ToolCall, name: str) -> str:
    """Ask for a call out of a workflow of one's own, under any id."""
    queue = f"thief-{name}"
    async with Worker(h.client, task_queue=queue, workflows=[Thief], workflow_runner=UnsandboxedWorkflowRunner()):
        asked = [h.queue, call]
        return await h.client.execute_workflow("thief", args=asked, id=name, task_queue=queue, result_type=str)


async def test_a_stolen_approval_is_worth_nothing(client, home):
    acts = world(client, home)
    acts.calm = Calm()
    async with house(client, home, acts) as h:
        victim, call = await robbed(h)
        own = f"thief-of-{victim.handle.id}"
        more = call.model_copy(update={"key": "another", "generation": 7})
        answers = {
            "as the mission, from outside it": await steal(h, call, own),
            "in its own name": await steal(h, more.model_copy(update={"mission": f"{own}-2"}), f"{own}-2"),
            "under the id of the mission that has ended": await steal(h, more, victim.handle.id),
        }

        assert {"refused"} == {answer.partition(":")[0] for answer in answers.values()}, answers
        assert [HOST] == [one.arguments for one, _ in acts.book[victim.handle.id]]


async def test_a_plan_that_frees_its_tools_from_approval_frees_nothing(client, home):
    """Whoever starts a mission directly writes its plan: the executor believes its own contracts."""
    acts = world(client, home)
    acts.calm = Calm()
    async with house(client, home, acts) as h:
        started = await h.start([{**ISOLATE, "approval": None}], change=freed)
        with pytest.raises(WorkflowFailureError):
            await started.result()
        view = await started.state()

        assert ("failed", []) == (view.state, acts.book[started.handle.id])


def freed(argument: Any) -> Any:
    tools = {name: tool.model_copy(update={"autonomy": "allowed"}) for name, tool in argument.plan.tools.items()}
    return argument.model_copy(update={"plan": argument.plan.model_copy(update={"tools": tools}).sealed()})


async def test_rubbish_reaches_a_mission_and_it_goes_on(client, home):
    acts = world(client, home)
    acts.calm = Calm()
    async with house(client, home, acts) as h:
        started = await h.start([ISOLATE])
        opening = await started.until()
        for rubbish in ({"since": "x"}, [[]], None, "\x00"):
            with pytest.raises(WorkflowQueryFailedError):
                await started.handle.query(STATE, rubbish)
        with pytest.raises(WorkflowQueryFailedError):
            await started.handle.query("passwords")
        with pytest.raises(WorkflowUpdateFailedError):
            # A good decision, but not in the one way in.
            await started.handle.execute_update("decide", started.token(opening, "lea"))
        sent = [0, [], {"a": {"a": {"a": 1}}}, "x" * 300_000, "\x00\x1b[2J", "a.b.c", f"{'e' * 9}." * 3]
        await asyncio.gather(*(started.handle.signal("decide", one) for one in sent))
        await started.handle.signal("__temporal_nothing", "x")
        for person in ("lea", "lou"):
            assert (await started.decide(opening, person)).accepted
        view = await started.state()
        await started.result()

        assert len(sent) + 1 == len(view.refusals)
        assert [HOST] == [one.arguments for one, _ in acts.book[started.handle.id]]
