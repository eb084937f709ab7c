"""A mission as a step, on a real server: what becomes of the child when its parent ends, and of the parent with it."""

import asyncio
import uuid
from contextlib import suppress

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy

from contracts.child import Parent
from contracts.decision import DECIDE
from contracts.plan import Limits, MissionInput, MissionResult
from contracts.view import MissionState
from contracts.workspace import PeopleFile
from rehearsal.play import play
from rehearsal.script import Answer, Cue, Expected, Rehearsal
from starter.chronicle import chronicle
from tests.interpreter.fakes import plan_of
from tests.workflows.house import LONG, Activities, Started, broken, house, moved
from tests.workflows.record_histories import APPROVED, act, agent
from tests.workflows.test_continue import chain
from tests.workflows.test_mission import replays

PATIENCE = 40


def patch(**more):
    step = {"kind": "mission", "step": "patch", "mission": "patching", "accept": ["done"], "on_parent_close": "undo"}
    return {**step, "output": "patched", **more}


GATE = {"kind": "gate", "step": "ask", "gate": {"approvers": ["lead"]}}
WAITING = [act("a", 1), GATE]
LAST = agent("last", "dot")


async def start(h, steps, inner, limits=None, **inside):
    plan = plan_of(inner, mission="patching").model_copy(update={"missions": inside})
    return await h.start(steps, limits, missions={"patching": moved(plan, h.queue)})


def child_of(started, path="patch"):
    handle = started.house.client.get_workflow_handle(f"{started.handle.id}/{path}", result_type=MissionResult)
    return Started(started.house, handle)


async def result(started):
    return await asyncio.wait_for(started.handle.result(), PATIENCE)


async def becomes(started, state):
    """Wait until a mission stands in a way; it may have to be started first."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if (view := await started.state()).state == state:
                    return view
            except Exception as error:
                if "not found" not in str(error):
                    raise
            await asyncio.sleep(0.02)


def world(h):
    return [(tool, arguments["n"]) for tool, _, arguments in h.activities.world]


async def test_a_child_is_held_until_its_parent_has_completed_and_its_effects_stand(client, home):
    async with house(client, home) as h:
        started = await start(h, [patch(), GATE], [act("a", 1)])
        child = child_of(started)
        view = await becomes(child, MissionState.HELD)
        opening = await started.until()
        await started.decide(opening, "lea")
        ended, inner = await result(started), await result(child)

        assert ("done", "completed", "completed") == (view.verdict, ended.state, inner.state)
        assert [("file", 1)] == world(h)
        await replays(started.handle)
        await replays(child.handle)


async def test_a_child_that_did_nothing_is_over_at_once(client, home):
    async with house(client, home) as h:
        started = await start(h, [patch(), GATE], [agent("only")])
        await started.until()

        assert "completed" == (await result(child_of(started))).state


async def test_a_parent_that_fails_afterwards_has_everything_undone_in_reverse_order(client, home):
    async with house(client, home, Activities(agents={"dot": broken()})) as h:
        started = await start(h, [act("before", 1), patch(), act("after", 4), LAST], [act("a", 2), act("b", 3)])
        with pytest.raises(WorkflowFailureError):
            await result(started)
        child = child_of(started)

        assert WorkflowExecutionStatus.CANCELED == (await child.handle.describe()).status
        done = [("file", n) for n in (1, 2, 3, 4)]
        assert [*done, *[("unfile", n) for _, n in reversed(done)]] == world(h)
        assert "done" == next(one for one in (await started.state()).records if one.path == "patch").effect.undo_status
        await replays(started.handle)
        await replays(child.handle)


async def test_a_cancelled_parent_cancels_the_child_and_ends_when_that_has_undone_itself(client, home):
    async with house(client, home) as h:
        started = await start(h, [act("before", 1), patch()], [act("a", 2), GATE])
        child = child_of(started)
        await becomes(child, MissionState.WAITING)
        await started.handle.cancel(reason="enough")
        with pytest.raises(WorkflowFailureError):
            await result(started)

        assert WorkflowExecutionStatus.CANCELED == (await child.handle.describe()).status
        assert WorkflowExecutionStatus.CANCELED == (await started.handle.describe()).status
        assert [("file", 1), ("file", 2), ("unfile", 2), ("unfile", 1)] == world(h)
        await replays(started.handle)
        await replays(child.handle)


async def test_the_child_asks_at_gates_of_its_own_and_not_who_asked_for_the_parent(client, home):
    async with house(client, home) as h:
        started = await start(h, [patch()], [act("a", 1, approval=APPROVED)])
        child = child_of(started)
        await becomes(child, MissionState.WAITING)
        opening = await child.until()
        own = await child.decide(opening, "rita")
        other = await child.decide(opening, "lea")
        ended = await result(started)

        assert (child.handle.id, "rita") == (opening.subject.mission, opening.subject.requested_by)
        assert (False, True, "completed") == (own.accepted, other.accepted, ended.state)


async def test_a_child_that_people_refuse_fails_the_step_unless_it_is_provided_for(client, home):
    refusing = {**GATE, "gate": {"approvers": ["lead"], "on_reject": "abort"}}
    async with house(client, home) as h:
        started = await start(h, [patch(on_failure={"child_refused": "continue"})], [act("a", 1), refusing])
        child = child_of(started)
        await becomes(child, MissionState.WAITING)
        await child.decide(await child.until(), "lea", "reject")
        ended = await result(started)
        [record] = (await started.state()).records

        assert ("completed", "recovered", "child_refused") == (ended.state, record.status, record.failure.code)
        assert [("file", 1), ("unfile", 1)] == world(h)


async def test_a_child_that_cannot_undo_itself_asks_for_help_and_the_parent_waits_for_it(client, home):
    activities = Activities(agents={"dot": broken()}, tools={"unfile": [broken(), {}]})
    async with house(client, home, activities) as h:
        started = await start(h, [patch(), LAST], [act("a", 1)])
        child = child_of(started)
        await becomes(child, MissionState.DEAD_LETTER)
        parent = await started.state()
        await child.decide(await child.until(), "cleo")
        with pytest.raises(WorkflowFailureError):
            await result(started)

        assert (MissionState.COMPENSATING, ()) == (parent.state, parent.waiting)
        assert WorkflowExecutionStatus.CANCELED == (await child.handle.describe()).status
        await replays(started.handle)


async def test_what_people_gave_up_in_a_child_is_not_said_to_be_undone_in_its_parent(client, home):
    activities = Activities(agents={"dot": broken()}, tools={"unfile": broken()})
    async with house(client, home, activities) as h:
        started = await start(h, [patch(), LAST], [act("a", 1)])
        child = child_of(started)
        await becomes(child, MissionState.DEAD_LETTER)
        await child.decide(await child.until(), "cleo", "reject", comment="unfiled by hand")
        with pytest.raises(WorkflowFailureError):
            await result(started)
        [effect] = [one.effect for one in (await started.state()).records if one.path == "patch"]

        assert ("given_up", f"{child.handle.id} was left as it is at a") == (effect.undo_status, effect.undo_error)
        assert ("a",) == (await child.state()).not_undone
        await replays(started.handle)


async def test_a_child_that_fails_and_leaves_something_says_so_to_its_parent(client, home):
    activities = Activities(agents={"dot": broken()}, tools={"unfile": broken()})
    async with house(client, home, activities) as h:
        started = await start(h, [patch()], [act("a", 1), LAST])
        child = child_of(started)
        await becomes(child, MissionState.DEAD_LETTER)
        await child.decide(await child.until(), "cleo", "reject", comment="unfiled by hand")
        with pytest.raises(WorkflowFailureError):
            await result(started)
        [effect] = [one.effect for one in (await started.state()).records if one.path == "patch"]

        assert ("given_up", f"{child.handle.id} was left as it is at a") == (effect.undo_status, effect.undo_error)
        await replays(started.handle)


async def test_a_child_that_is_terminated_under_way_makes_its_parent_ask_for_help(client, home):
    async with house(client, home) as h:
        started = await start(h, [patch()], [act("a", 1), GATE])
        child = child_of(started)
        await becomes(child, MissionState.WAITING)
        await child.handle.terminate("by hand")
        opening = await started.until()
        await started.decide(opening, "cleo", "reject", comment="unfiled by hand")
        with pytest.raises(WorkflowFailureError):
            await result(started)

        assert ("patch/undo[1]", [("file", 1)]) == (opening.subject.step, world(h))
        await replays(started.handle)


@pytest.mark.parametrize("inner", [WAITING, [act("a", 1)]], ids=["it runs", "it is held"])
async def test_a_child_whose_parent_was_terminated_undoes_itself(client, home, inner):
    async with house(client, home) as h:
        started = await start(h, [patch(), GATE], inner)
        child = child_of(started)
        await becomes(child, MissionState.WAITING if inner is WAITING else MissionState.HELD)
        await started.handle.terminate("by hand")
        ended = await result(child)

        assert ("aborted", f"its parent {started.handle.id} ended terminated") == (ended.state, ended.reason)
        assert [("file", 1), ("unfile", 1)] == world(h)
        await replays(child.handle)


async def test_an_abandoned_child_goes_on_whatever_becomes_of_its_parent(client, home):
    async with house(client, home) as h:
        started = await start(h, [patch(on_parent_close="abandon")], WAITING)
        child = child_of(started)
        await becomes(child, MissionState.WAITING)
        await started.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await result(started)
        await child.decide(await child.until(), "lea")

        assert "completed" == (await result(child)).state
        assert [("file", 1)] == world(h)


async def test_a_child_to_be_cancelled_stands_once_it_has_completed(client, home):
    async with house(client, home, Activities(agents={"dot": broken()})) as h:
        started = await start(h, [patch(on_parent_close="cancel"), LAST], [act("a", 1)])
        with pytest.raises(WorkflowFailureError):
            await result(started)

        assert "completed" == (await result(child_of(started))).state
        assert [("file", 1)] == world(h)


async def test_a_parent_hands_over_while_its_child_is_at_a_gate_and_is_told_all_the_same(client, home):
    async with house(client, home) as h:
        started = await start(h, [patch(), act("after", 2)], WAITING, Limits(decisions_per_run=1))
        child = child_of(started)
        await becomes(child, MissionState.WAITING)
        for _ in range(2):
            await started.send("no decision at all")
            await child.send("no decision at all")
        await child.decide(await child.until(), "lea")
        ended = await result(started)
        runs = await chain(client, started.handle)

        assert ("completed", len(runs)) == (ended.state, ended.runs)
        assert len(runs) > 2
        assert [("file", 1), ("file", 2)] == world(h)
        assert "completed" == (await result(child)).state
        for run in (*runs, *await chain(client, child.handle)):
            await replays(run)


async def test_a_child_hands_over_while_it_is_held_and_can_still_be_undone(client, home):
    async with house(client, home) as h:
        started = await start(h, [patch(), GATE], [act("a", 1)], Limits(decisions_per_run=1))
        child = child_of(started)
        await becomes(child, MissionState.HELD)
        for number in range(2):
            # In the same words it would have its answer before it is ruled on, and be overtaken by the cancellation.
            await child.send(f"no decision at all, {number}")
            async with asyncio.timeout(LONG):
                while len(await chain(client, child.handle)) < number + 2:
                    await asyncio.sleep(0.05)
        await becomes(child, MissionState.HELD)
        await started.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await result(started)
        runs = await chain(client, child.handle)

        assert len(runs) > 2
        assert [("file", 1), ("unfile", 1)] == world(h)
        for run in runs:
            await replays(run)


@pytest.mark.parametrize("signal", [DECIDE, "release", "event"])
async def test_no_signal_releases_a_child_that_is_held(client, home, signal):
    async with house(client, home) as h:
        started = await start(h, [patch(), GATE], [act("a", 1)])
        child = child_of(started)
        await becomes(child, MissionState.HELD)
        await child.handle.signal(signal, {"completed": True})
        await started.handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await result(started)

        assert [("file", 1), ("unfile", 1)] == world(h)


async def test_a_child_of_a_child_is_undone_with_both(client, home):
    async with house(client, home, Activities(agents={"dot": broken()})) as h:
        inmost = moved(plan_of([act("a", 3)], mission="inmost"), h.queue)
        inner = [act("b", 2), patch(mission="inmost")]
        started = await start(h, [act("c", 1), patch(), LAST], inner, inmost=inmost)
        with pytest.raises(WorkflowFailureError):
            await result(started)

        done = [("file", n) for n in (1, 2, 3)]
        assert [*done, *[("unfile", n) for _, n in reversed(done)]] == world(h)


async def test_grandchildren_stand_when_all_have_completed(client, home):
    async with house(client, home) as h:
        inmost = moved(plan_of([act("a", 3)], mission="inmost"), h.queue)
        started = await start(h, [patch()], [patch(mission="inmost")], inmost=inmost)
        child, grandchild = child_of(started), child_of(started, "patch/patch")

        assert ["completed"] * 3 == [(await result(one)).state for one in (started, child, grandchild)]
        assert [("file", 3)] == world(h)


async def test_another_worker_takes_up_parent_and_child(client, home):
    activities = Activities()
    async with house(client, home, activities) as first:
        started = await start(first, [patch(), act("after", 2)], WAITING)
        await becomes(child_of(started), MissionState.WAITING)
    async with house(client, home, activities, queue=first.queue) as h:
        child = child_of(started)
        await child.decide(await child.until(), "lea")
        ended = await result(started)

        assert ("completed", "completed") == (ended.state, (await result(child)).state)
        assert [("file", 1), ("file", 2)] == world(h)
        await replays(started.handle)
        await replays(child.handle)


@pytest.mark.parametrize("policy", ["undo", "cancel", "abandon"])
@pytest.mark.parametrize("breaks", [None, "b", "last"])
async def test_a_rehearsal_says_what_comes_of_a_child(client, home, policy, breaks):
    """The same plan, answers and decisions, with a real server and without."""
    inner = [act("a", 1), agent("b", "ben"), act("c", 2)]
    steps = [act("d", 3), patch(on_parent_close=policy), agent("last", "cid")]
    agents = {"ben": broken() if breaks == "b" else {}, "cid": broken() if breaks == "last" else {}}
    async with house(client, home, Activities(agents=agents)) as h:
        started = await start(h, steps, inner)
        with suppress(WorkflowFailureError):
            await result(started)
        view = await started.state()
        plan = plan_of(steps).model_copy(update={"missions": {"patching": plan_of(inner, mission="patching")}})
        answers = {
            name: Answer(fails="refused", cause="it would not") if breaks == step else Answer(answer={})
            for name, step in (("ben", "b"), ("cid", "last"))
        }
        came = await asyncio.to_thread(play, plan, script(answers), PeopleFile())

    assert view.state == came.view.state
    assert [tool for tool, _ in world(h)] == [done.tool for done in came.acts]
    statuses = {record.path: record.status for record in came.view.records}
    assert {record.path: record.status for record in view.records}.items() <= statuses.items()


def script(agents):
    """A rehearsal of these answers, with tools that do what they are asked to."""
    return Rehearsal(
        description="the same",
        inputs={},
        requested_by="rita",
        agents={name: Cue(answers=(said,), each_time=True) for name, said in agents.items()},
        tools={name: Cue(answers=(Answer(answer={}),), each_time=True) for name in ("file", "unfile")},
        expect=Expected(),
    )


async def test_a_child_that_was_terminated_undid_nothing_and_its_parent_asks_for_help(client, home):
    async with house(client, home, Activities(agents={"dot": broken()})) as h:
        started = await start(h, [patch(), GATE, LAST], [act("a", 1)])
        child = child_of(started)
        opening = await started.until()
        await child.handle.terminate("by hand")
        await started.decide(opening, "lea")
        view = await becomes(started, MissionState.DEAD_LETTER)
        await started.decide(await started.until(), "cleo", "reject", comment="unfiled by hand")
        with pytest.raises(WorkflowFailureError):
            await result(started)
        effect = next(one.effect for one in (await started.state()).records if one.path == "patch")

        assert ["patch/undo[1]"] == [one.step for one in view.waiting]
        assert ("given_up", True) == (effect.undo_status, "unfiled by hand" in effect.undo_error)
        assert f"{child.handle.id} ended terminated: what it did stands as it is" in effect.undo_error


async def test_a_mission_that_took_the_childs_place_brings_no_verdict(client, home):
    async with house(client, home) as h:
        started = await start(h, [patch()], WAITING)
        child = child_of(started)
        await becomes(child, MissionState.WAITING)
        plan = moved(plan_of([agent("forged")], mission="patching"), h.queue)
        await client.start_workflow(
            "patching",
            MissionInput(plan=plan),
            id=child.handle.id,
            task_queue=h.queue,
            id_conflict_policy=WorkflowIDConflictPolicy.TERMINATE_EXISTING,
        )
        view = await becomes(started, MissionState.DEAD_LETTER)
        patched = next(one for one in view.records if one.path == "patch")

        assert f"another mission has the id '{child.handle.id}' now" in view.reason
        assert ("failed", "not_found") == (patched.status, patched.failure.code)


async def test_the_audit_tells_of_the_child_what_the_server_said(client, home):
    async with house(client, home, Activities(agents={"dot": broken()})) as h:
        started = await start(h, [patch(), LAST], [act("a", 1)])
        child = child_of(started)
        with pytest.raises(WorkflowFailureError):
            await result(started)
        told = [entry for entry in await chronicle(client, started.handle.id) if entry.what.startswith("child mission")]

        assert ["child mission started", "child mission reported", "child mission reported"] == [
            one.what for one in told
        ]
        assert {child.handle.id} == {one.detail["child"] for one in told}
        assert [(True, "completed"), (False, "cancelled")] == [
            (one.detail["held"], one.detail["state"]) for one in told[1:]
        ]


async def test_a_parent_that_was_reset_to_before_takes_the_same_child_up_again(client, home):
    async with house(client, home) as h:
        started = await start(h, [agent("first"), patch(), GATE], [act("a", 1)])
        child = child_of(started)
        await becomes(child, MissionState.HELD)
        await started.until()
        await reset(client, started.handle)
        first = started.handle.first_execution_run_id
        handle = client.get_workflow_handle(started.handle.id, first_execution_run_id=first, result_type=MissionResult)
        started = Started(h, handle)
        await started.seen(lambda view: view.letter is not None)
        await started.command("resume")
        again = await started.until()
        await started.decide(again, "lea")
        ended = await result(started)

        assert ("completed", "completed") == (ended.state, (await result(child)).state)
        assert [("file", 1)] == world(h)


async def reset(client, handle):
    """Reset a mission to its first workflow task, as an operator does."""
    described = await handle.describe()
    await client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=handle.id, run_id=described.run_id),
            reason="again",
            workflow_task_finish_event_id=4,
            request_id=uuid.uuid4().hex,
        )
    )


async def test_a_mission_that_was_put_under_the_childs_id_is_not_taken_for_it(client, home):
    """Whoever reaches the server can start any mission under any id: what it comes to is believed by nobody."""
    steps = [GATE, patch()]
    async with house(client, home) as h:
        started = await start(h, steps, [act("a", 1)])
        opening = await started.until()
        plan = moved(plan_of([agent("forged")], mission="patching"), h.queue)
        forged = child_of(started).handle.id
        await client.start_workflow("patching", MissionInput(plan=plan), id=forged, task_queue=h.queue)
        await started.decide(opening, "lea")
        with pytest.raises(WorkflowFailureError) as failed:
            await result(started)

        assert f"there is or was a mission with the id '{forged}'" in str(failed.value.cause)


async def test_a_child_whose_parent_nobody_knows_holds_what_it_did_until_somebody_cancels_it(client, home):
    parent = Parent(id="nobody", run="none", path="patch", on_close="undo")
    async with house(client, home) as h:
        plan = moved(plan_of([act("a", 1)]), h.queue)
        given = MissionInput(plan=plan, requested_by="rita", parent=parent)
        handle = await client.start_workflow("rehearsal", given, id=f"orphan-{h.queue}", task_queue=h.queue)
        orphan = Started(h, handle)
        await becomes(orphan, MissionState.HELD)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await result(orphan)

        assert [("file", 1), ("unfile", 1)] == world(h)
