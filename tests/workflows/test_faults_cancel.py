"""A cancellation is delivered once, and never lost: whatever it meets, the mission ends and what it did is undone."""

import asyncio
import uuid
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError
from temporalio.worker import Worker

from activities.identity import Judge
from activities.people import Directory
from contracts.call import JUDGE_DECISION
from contracts.decision import DECIDE, Hearing, Ruling
from contracts.plan import Limits, MissionInput, MissionResult
from tests.interpreter.fakes import plan_of
from tests.policies import OPEN
from tests.workflows.house import Activities, House, Started, exact, house, moved
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays
from workflows.mission import Mission
from workflows.runner import WholeTasks


def file(name="file", **more):
    return {
        "kind": "action",
        "step": name,
        "action": "file",
        "with": {"n": name},
        "compensate": {"tool": "unfile"},
        **more,
    }


def gate(name="gate", **more):
    return {"kind": "gate", "step": name, "gate": {"approvers": ["lead"], "timeout": "9d", **more}}


class Slow:
    """A tool that has begun, and reports well although the mission was cancelled meanwhile."""

    def __init__(self):
        self.begun, self.report = asyncio.Event(), asyncio.Event()

    async def __call__(self):
        self.begun.set()
        await self.report.wait()
        return {"ok": True}


LOOP = {"do": [file()], "until": "false", "max_iterations": 1, "on_max": "escalate"}


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param([file()], id="the last step"),
        pytest.param([{"kind": "loop", "step": "loop", "loop": LOOP}], id="then people are asked"),
        pytest.param([{"kind": "group", "step": "g", "steps": [file()]}, gate()], id="then a gate"),
    ],
)
async def test_a_cancellation_that_met_an_effect_is_not_forgotten_when_it_reports(client, home, steps):
    slow = Slow()
    async with house(client, home, Activities(tools={"file": lambda _: slow()})) as h:
        started = await h.start(steps)
        await asyncio.wait_for(slow.begun.wait(), 20)
        await started.handle.cancel(reason="enough")
        await asking(started.handle)
        slow.report.set()
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert isinstance(failed.value.cause, CancelledError)
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
        await replays(started.handle)


async def test_a_cancelled_mission_does_not_hand_over_instead_of_ending(client, home):
    slow = Slow()
    steps = [{"kind": "loop", "step": "loop", "loop": LOOP}]
    async with house(client, home, Activities(tools={"file": lambda _: slow()})) as h:
        started = await h.start(steps, Limits(decisions_per_run=1))
        await asyncio.wait_for(slow.begun.wait(), 20)
        await started.handle.signal(DECIDE, "nonsense")
        await started.handle.cancel(reason="enough")
        await asking(started.handle)
        slow.report.set()
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]


async def asking(handle):
    """Wait until the mission has asked its effect to stop."""
    async with asyncio.timeout(20):
        while True:
            async for event in handle.fetch_history_events():
                if event.HasField("activity_task_cancel_requested_event_attributes"):
                    return
            await asyncio.sleep(0.01)


class SlowJudge:
    """A judge who takes longer than a workflow task may."""

    def __init__(self, home):
        self._judge = Judge(Directory(home / "people.yaml"), policy=OPEN)
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    @activity.defn(name=JUDGE_DECISION)
    async def judge(self, hearing: Hearing) -> Ruling:
        self.begun.set()
        await self.go_on.wait()
        return await self._judge.judge(hearing)


@asynccontextmanager
async def slow_court(client, home, steps, limits, **tools):
    """Start a mission whose judge waits; the worker lasts as long as the context."""
    fakes, judge, queue = Activities(tools=tools), SlowJudge(home), f"q-{uuid.uuid4().hex[:12]}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[Mission],
        activities=[fakes.run, fakes.execute, judge.judge],
        plugins=[WholeTasks()],
    ):
        plan = moved(plan_of(steps), queue)
        handle = await client.start_workflow(
            "rehearsal",
            MissionInput(plan=plan, requested_by="rita", limits=exact(limits)),
            id=f"m-{uuid.uuid4().hex[:12]}",
            task_queue=queue,
            task_timeout=timedelta(seconds=2),
            result_type=MissionResult,
        )
        yield Started(House(client, home, fakes, queue), handle), judge


async def cancelled_while_the_judge_thinks(started, judge, opening, person):
    update = asyncio.create_task(started.decide(opening, person))
    await asyncio.wait_for(judge.begun.wait(), 20)
    await started.handle.cancel(reason="enough")
    await noticed(started.handle)
    judge.go_on.set()
    with suppress(Exception):
        await update


CANCELLED = "workflow_execution_cancel_requested_event_attributes"


async def noticed(handle, kind=CANCELLED):
    """Wait until a workflow task has seen an event of a kind."""
    async with asyncio.timeout(20):
        while True:
            kinds = [event.WhichOneof("attributes") async for event in handle.fetch_history_events()]
            if kind in kinds and "workflow_task_started_event_attributes" in kinds[kinds.index(kind) :]:
                return
            await asyncio.sleep(0.02)


async def test_a_cancellation_while_a_run_hands_over_still_undoes(client, home):
    async with slow_court(client, home, [file(), gate()], Limits(decisions_per_run=1)) as (started, judge):
        opening = await started.until()
        await cancelled_while_the_judge_thinks(started, judge, opening, "eve")
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert ["file", "unfile"] == [tool for tool, _, _ in started.house.activities.world]
        for run in await chain(client, client.get_workflow_handle(started.handle.id)):
            await replays(run)


async def test_a_mission_that_has_completed_stays_so_when_it_is_cancelled_on_its_way_out(client, home):
    """It waits only to answer a decision that came too late: what was done stays done."""
    slow = Slow()
    async with slow_court(client, home, [file()], Limits(), file=lambda _: slow()) as (started, judge):
        await asyncio.wait_for(slow.begun.wait(), 20)
        await started.handle.signal(DECIDE, "nonsense")
        await asyncio.wait_for(judge.begun.wait(), 20)
        slow.report.set()
        await over(started)
        await started.handle.cancel(reason="enough")
        await noticed(started.handle)
        judge.go_on.set()

        assert "completed" == (await started.result()).state
        assert ["file"] == [tool for tool, _, _ in started.house.activities.world]
        await replays(started.handle)


async def over(started):
    """Wait until the mission says that it has completed."""
    async with asyncio.timeout(20):
        while (await started.state()).state != "completed":
            await asyncio.sleep(0.01)
