"""A mission that was stopped from outside begins nothing new before an operator says so, and nothing is forgotten."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio import workflow
from temporalio.client import WorkflowExecutionStatus as Status
from temporalio.client import WorkflowFailureError
from temporalio.common import RawValue

from contracts.decision import DECIDE
from contracts.plan import MissionResult
from starter.reconcile import OPENED, Bounds, sweep
from tests.interpreter.test_steps import gate
from tests.workflows.house import Activities, Started, broken, house
from tests.workflows.test_commands import act
from tests.workflows.test_mission import agent, isolate, replays
from workflows.mission import Mission

BOUNDS = Bounds(timedelta(hours=1), timedelta(0))


class Slow:
    """A tool that acts at once, and reports when it is let go."""

    def __init__(self):
        self.begun, self.free = asyncio.Event(), asyncio.Event()

    def __call__(self, call):
        return self._work()

    async def _work(self):
        self.begun.set()
        await self.free.wait()
        return {}


async def run_of(handle):
    return (await handle.describe()).run_id


async def terminated(h, tool, steps, **more):
    """Terminate a mission while its approved action is under way; return it as whoever comes later knows it."""
    started = await h.start(steps, **more)
    await started.decide(await started.until(), "lea")
    await tool.begun.wait()
    await started.handle.terminate(reason="the wrong one")
    tool.free.set()
    return later(h, started)


def later(h, started):
    """Return a mission by its chain: its first run is over."""
    first, id_ = started.handle.first_execution_run_id, started.handle.id
    return Started(h, h.client.get_workflow_handle(id_, first_execution_run_id=first, result_type=MissionResult))


async def found(client, mission, bounds=BOUNDS):
    """Have a mission found and reset, as soon as the server lists it, and return what was said of it."""
    async with asyncio.timeout(20):
        while not (said := await swept(client, mission, bounds)):
            await asyncio.sleep(0.05)
    return said


async def swept(client, mission, bounds=BOUNDS):
    return [one for one in await sweep(client, bounds) if one.id == mission.handle.id]


def stopped(view):
    return view.letter is not None and "terminated" in view.letter.failure.cause


def settled(view):
    return any(record.path == "isolate" and record.status == "succeeded" for record in view.records)


def world(h):
    return [tool for tool, _, _ in h.activities.world]


async def test_a_terminated_mission_waits_in_its_dead_letter_and_an_abort_undoes_everything(client, home):
    tool = Slow()
    async with house(client, home, Activities(tools={"isolate": tool})) as h:
        mission = await terminated(h, tool, [act("file"), isolate(), agent("after")])
        [told] = await found(client, mission)
        view = await mission.seen(lambda view: stopped(view) and settled(view))

        assert ("terminated", OPENED) == (told.what, told.did)
        assert told.why.endswith(": the wrong one")
        assert ("dead_letter", told.why, []) == (view.state, view.letter.failure.cause, h.activities.asked)
        await mission.command("abort")

        assert "aborted" == (await mission.result()).state
        assert ["file", "isolate", "release", "unfile"] == world(h)
        await replays(mission.handle)


async def test_a_terminated_mission_goes_on_where_it_was_and_does_nothing_twice(client, home):
    tool = Slow()
    async with house(client, home, Activities(tools={"isolate": tool})) as h:
        mission = await terminated(h, tool, [act("file"), isolate(), agent("after")])
        await found(client, mission)
        await mission.seen(lambda view: stopped(view) and settled(view))
        receipt = await mission.command("resume")

        assert (True, "completed") == (receipt.accepted, (await mission.result()).state)
        assert (["file", "isolate"], ["after"]) == (world(h), h.activities.asked)
        await replays(mission.handle)


async def test_a_retry_undoes_what_was_under_way_and_begins_it_anew(client, home):
    tool = Slow()
    async with house(client, home, Activities(tools={"isolate": tool})) as h:
        mission = await terminated(h, tool, [act("file"), isolate(), agent("after")])
        await found(client, mission)
        await mission.seen(lambda view: stopped(view) and settled(view))
        await mission.command("retry", "isolate")
        await mission.decide(await mission.until(), "lou")

        assert "completed" == (await mission.result()).state
        assert ["file", "isolate", "release", "isolate"] == world(h)
        await replays(mission.handle)


async def test_a_mission_that_was_terminated_in_its_first_step_is_undone_too(client, home):
    tool = Slow()
    async with house(client, home, Activities(tools={"file": tool})) as h:
        started = await h.start([act("file"), agent("after")])
        await tool.begun.wait()
        await started.handle.terminate(reason="too soon")
        tool.free.set()
        mission = later(h, started)
        await found(client, mission)
        await mission.seen(lambda view: stopped(view) and any(r.status == "succeeded" for r in view.records))
        await mission.command("abort")

        assert ("aborted", []) == ((await mission.result()).state, h.activities.asked)
        assert ["file", "unfile"] == world(h)
        await replays(mission.handle)


async def test_what_was_found_once_is_found_no_more(client, home):
    tool = Slow()
    async with house(client, home, Activities(tools={"isolate": tool})) as h:
        mission = await terminated(h, tool, [isolate()])
        first = await found(client, mission)
        run = await run_of(mission.handle)
        await mission.seen(stopped)

        assert (1, []) == (len(first), await swept(client, mission))
        assert run == await run_of(mission.handle)
        await mission.command("abort")


async def test_a_mission_that_goes_on_is_left_alone(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        opening = await started.until()

        assert [] == await swept(client, started)
        await started.decide(opening, "lea")
        assert "completed" == (await started.result()).state


async def test_a_dry_run_changes_nothing(client, home):
    tool = Slow()
    async with house(client, home, Activities(tools={"isolate": tool})) as h:
        mission = await terminated(h, tool, [isolate()])
        dry = await found(client, mission, replace(BOUNDS, dry_run=True))

        assert ["would open a dead letter"] == [one.did for one in dry]
        assert Status.TERMINATED == (await mission.handle.describe()).status


async def test_a_mission_that_was_terminated_while_it_was_undone_goes_on_undoing(client, home):
    tool = Slow()
    async with house(client, home, Activities(tools={"unfile": tool})) as h:
        started = await h.start([act("file"), isolate()])
        await started.until()
        await started.command("abort")
        await tool.begun.wait()
        await started.handle.terminate(reason="in the middle")
        tool.free.set()
        mission = later(h, started)
        await found(client, mission)

        assert "aborted" == (await mission.result()).state
        assert ["file", "unfile"] == world(h)
        await replays(mission.handle)


@workflow.defn(dynamic=True)
class Hopeless:
    """A release whose workflow code raises what no task survives."""

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> None:
        raise RuntimeError("a bug that nothing catches")


async def test_a_mission_stuck_on_a_workflow_task_is_found_and_waits_in_its_dead_letter(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate(), agent("after")])
        await started.until()
    async with house(client, home, queue=h.queue, workflows=[Hopeless]):
        await started.handle.signal("event", {"event": "anything"})
        [told] = await found(client, started)
    async with house(client, home, h.activities, queue=h.queue):
        mission = later(h, started)
        view = await mission.seen(lambda view: view.letter is not None and "stuck" in view.letter.failure.cause)

        assert ("stuck", OPENED) == (told.what, told.did)
        assert "a bug that nothing catches" in told.why
        assert "stopped from outside: stuck: its workflow task has failed " in view.letter.failure.cause
        await mission.command("resume")
        await mission.decide(await mission.until(), "lea")
        assert "completed" == (await mission.result()).state
        await replays(mission.handle)


def told(h):
    return [(one.about, one.kind, one.to) for one in h.activities.notices if one.about == "dead_letter"]


async def test_operators_are_told_of_a_reset_once_and_a_mission_that_nobody_answers_for_is_undone(
    client, skipper, home
):
    tool = Slow()
    async with house(client, home, Activities(tools={"isolate": tool})) as h:
        steps = [act("file"), isolate(), agent("after")]
        mission = await terminated(h, tool, steps, notify=True, dead_letter={"timeout": "1h"})
        await found(client, mission)
        view = await mission.seen(lambda view: stopped(view) and settled(view))

        assert timedelta(hours=1) == view.letter.deadline - view.letter.at
        await skipper.fast_forward(mission.handle, timedelta(minutes=61))
        with pytest.raises(WorkflowFailureError) as caught:
            await mission.result()
        assert "stopped" == caught.value.cause.type
        assert str(caught.value.cause).endswith("; no operator said in time how to go on")
        assert ["file", "isolate", "release", "unfile"] == world(h)
        assert [("dead_letter", "stopped", ("chief",))] == told(h)
        await replays(mission.handle)


async def test_an_answer_in_time_ends_the_deadline_of_a_reset(client, skipper, home):
    tool = Slow()
    async with house(client, home, Activities(tools={"isolate": tool})) as h:
        mission = await terminated(h, tool, [isolate(), gate("ask", timeout="9h")], dead_letter={"timeout": "1h"})
        await found(client, mission)
        await mission.seen(lambda view: stopped(view) and settled(view))
        await mission.command("resume")
        opening = await mission.until()
        await skipper.fast_forward(mission.handle, timedelta(hours=2))
        await mission.decide(opening, "lea")

        assert "completed" == (await mission.result()).state
        await replays(mission.handle)


async def test_a_command_waits_until_it_is_known_what_had_been_begun(client, home):
    tool, read = Slow(), asyncio.Event()
    async with house(client, home, Activities(tools={"isolate": tool}, read=read)) as h:
        mission = await terminated(h, tool, [act("file"), isolate(), agent("after")])
        await found(client, mission)
        await mission.seen(lambda view: view.letter is not None)
        await mission.handle.signal(DECIDE, mission.order("retry", "isolate"))
        read.set()
        await mission.seen(lambda view: view.commands)
        await mission.decide(await mission.until(), "lou")

        assert "completed" == (await mission.result()).state
        assert ["file", "isolate", "release", "isolate"] == world(h)
        await replays(mission.handle)


async def test_an_operator_who_answers_before_the_past_is_known_is_not_asked_again(client, home):
    tool, read = Slow(), asyncio.Event()
    async with house(client, home, Activities(tools={"isolate": tool}, read=read)) as h:
        mission = await terminated(h, tool, [isolate(), agent("after")])
        await found(client, mission)
        await mission.seen(lambda view: view.letter is not None)
        await mission.handle.signal(DECIDE, mission.order("resume"))
        read.set()

        assert ("completed", ["isolate"]) == ((await mission.result()).state, world(h))
        await replays(mission.handle)


@workflow.defn(dynamic=True)
class Before(Mission):
    """A release that asked nobody about what a bug kept from being undone."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        super().__init__(args)

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> MissionResult:
        return await super().run(args)

    async def _put_to_people(self) -> bool:
        return False


FILED = act("file", compensate={"tool": "unfile", "with": {"n": 1}})


def forgetful(argument):
    """Have a plan forget the tool that undoes: whoever asks for help with that trips over it."""
    plan = argument.plan
    tools = {name: tool for name, tool in plan.tools.items() if name != "unfile"}
    return argument.model_copy(update={"plan": plan.model_copy(update={"tools": tools}).sealed()})


async def test_a_mission_that_failed_before_it_had_undone_everything_waits_in_its_dead_letter(client, home):
    fakes, queue = Activities(agents={"dot": broken()}), f"q-{uuid.uuid4().hex[:12]}"
    async with house(client, home, fakes, queue, workflows=[Before]) as h:
        started = await h.start([FILED, agent("breaks", agent="dot")], change=forgetful)
        with pytest.raises(WorkflowFailureError) as caught:
            await started.result()
        assert "internal: step file/undo, undo what was done: " in str(caught.value.cause)
        [first] = await found(client, started)
        mission = later(h, started)
        view = await mission.until_state("dead_letter")

        assert ("unfinished", OPENED, True) == (first.what, first.did, first.good)
        assert "file/undo" in first.why
        assert ("breaks", []) == (view.letter.failure.step, await swept(client, started))
        await mission.command("abort")
        with pytest.raises(WorkflowFailureError):
            await mission.result()
        [second] = await found(client, started)
        assert ("unfinished", False) == (second.what, second.good)
        assert second.did.startswith("nothing: it was reset before")


async def test_what_a_bug_keeps_from_being_undone_is_put_to_people_until_one_says_that_it_was_done_by_hand(
    client, home
):
    async with house(client, home, Activities(agents={"dot": broken()})) as h:
        started = await h.start([FILED, agent("breaks", agent="dot")], change=forgetful)
        first = await started.until(kind="compensation")

        assert ("file/undo[1]", "dead_letter") == (first.subject.step, (await started.state()).state)
        assert "file could not be undone, by a mistake in the interpreter (" in first.subject.message
        await started.decide(first, "cleo")
        second = await started.until(lambda gates: any(gate.subject.step == "file/undo[2]" for gate in gates))
        await started.decide(second, "cleo", "reject")
        with pytest.raises(WorkflowFailureError) as caught:
            await started.result()

        assert "refused" == caught.value.cause.type
        [filed] = [one for one in (await started.state()).records if one.path == "file"]
        assert ("given_up", []) == (filed.effect.undo_status, await swept(client, started))
        await replays(started.handle)
