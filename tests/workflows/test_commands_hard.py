"""Where commands meet what is hard: locks, approvals, locked doors, each other, time, and runs that hand over."""

import asyncio

import pytest
from temporalio.client import WorkflowFailureError

from contracts.call import AgentResult
from contracts.plan import Limits, MissionInput, MissionResult
from tests.interpreter.fakes import plan_of
from tests.workflows.house import Activities, Started, broken, house, moved
from tests.workflows.stage import Stage, drive, replay
from tests.workflows.test_commands import LETTER, Held, act, said
from tests.workflows.test_group_approval import checked
from tests.workflows.test_mission import agent, isolate, replays

LEAD = {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse"}


def tools(h):
    return [(tool, arguments.get("n")) for tool, _, arguments in h.activities.world]


async def test_a_step_that_begins_anew_gets_its_locks_anew(client, home):
    async with house(client, home, Activities(tools={"file": [broken(), {}]})) as h:
        started = await h.start([act("file", locks=["host:a"])], **LETTER)
        await started.until_state("dead_letter")
        await started.command("retry", "file")

        assert "completed" == (await started.result()).state
        assert ["file", "unfile", "file"] == [tool for tool, _ in tools(h)]
        assert () == await h.locks()
        await replays(started.handle)


async def test_a_step_that_is_skipped_gives_its_locks_back(client, home):
    held = Held()
    async with house(client, home, Activities(agents={"ann": held})) as h:
        started = await h.start([agent("one", locks=["host:a"]), agent("two", agent="ben", locks=["host:a"])])
        await held.begun.wait()
        await started.command("skip", "one")

        assert "completed" == (await started.result()).state
        assert () == await h.locks()
        await replays(started.handle)


async def test_a_mission_that_is_paused_while_it_waits_for_a_lock_takes_nothing_up_before_it_resumes(client, home):
    held = Held()
    async with house(client, home, Activities(agents={"ann": held})) as h:
        first = await h.start([agent("one", locks=["host:a"])])
        await held.begun.wait()
        second = await h.start([act("file", locks=["host:a"])])
        await second.seen(lambda view: any(r.locks and r.locks.behind for r in view.records))
        await second.command("pause")
        held.free.set()
        await first.result()
        await second.until_state("paused")
        assert [] == h.activities.world
        await second.command("resume")

        assert "completed" == (await second.result()).state
        await replays(second.handle)


async def test_what_was_approved_is_approved_anew_when_it_begins_anew(client, home):
    activities = checked(client, home, agents={"ann": [broken(), {}]})
    async with house(client, home, activities) as h:
        started = await h.start([isolate(), agent("two")], **LETTER)
        first = await started.until()
        approved = started.token(first, "lea")
        await started.send(approved)
        await started.until_state("dead_letter")
        await started.command("retry", "isolate", input={"host": "web-02"})
        second = await started.until()

        assert (0, {"host": "web-01"}) == (first.subject.generation, first.subject.arguments)
        assert (1, {"host": "web-02"}) == (second.subject.generation, second.subject.arguments)
        assert first.nonce != second.nonce
        again = started.token(first, "lou")
        assert "the decision is for another opening of this gate" in (await started.send(again)).reason
        await started.decide(second, "lea")
        assert "completed" == (await started.result()).state
        assert ["web-01", "web-01", "web-02"] == [given["host"] for _, _, given in h.activities.world]
        await replays(started.handle)


async def test_what_was_approved_together_is_asked_again_for_what_is_left(client, home):
    both = {"kind": "group", "step": "both", "steps": [act("a", 1), act("b", 2)], "approval": LEAD}
    activities = checked(client, home, tools={"file": [{}, broken(applied="no"), {}]})
    async with house(client, home, activities) as h:
        started = await h.start([both], **LETTER)
        await started.decide(await started.until(), "lea")
        await started.until_state("dead_letter")
        await started.command("retry", "both/b")
        opening = await started.until()

        assert (["both/b"], 1) == ([one.step for one in opening.subject.actions], opening.subject.generation)
        await started.decide(opening, "lou")
        assert "completed" == (await started.result()).state
        assert [("file", 1), ("file", 2), ("file", 2)] == tools(h)
        await replays(started.handle)


async def test_a_group_runs_on_under_its_approval_while_another_branch_begins_anew(client, home):
    slow, stuck = Held(), Held()
    group = {"kind": "group", "step": "g", "steps": [isolate("a", approval=None), isolate("b", approval=None)]}
    branches = [{**group, "approval": LEAD}, agent("c")]
    activities = checked(client, home, agents={"ann": [stuck, {}]}, tools={"isolate": lambda _: slow(None)})
    async with house(client, home, activities) as h:
        started = await h.start([{"kind": "parallel", "step": "p", "parallel": branches}])
        await started.decide(await started.until(), "lea")
        await asyncio.gather(stuck.begun.wait(), slow.begun.wait())
        await started.command("retry", "p/c")
        slow.free.set()

        assert "completed" == (await started.result()).state
        assert ["isolate", "isolate"] == [tool for tool, _ in tools(h)]
        await replays(started.handle)


async def test_nobody_gets_past_a_gate_on_what_people_agreed_to_for_another_command(client, home):
    gate = {"kind": "gate", "step": "ask", "gate": LEAD}
    held = Held()
    async with house(client, home, Activities(agents={"ann": [held, {}, {}]})) as h:
        started = await h.start([agent("one", agent="ben"), gate, agent("two")])
        await started.until()
        await started.send(started.order("skip", "ask", jti="abcdefgh-1"))
        opening = await started.until(lambda found: any(o.subject.kind == "override" for o in found))
        [override] = [one for one in await started.gates() if one.subject.kind == "override"]
        await started.decide(override, "lea")
        await held.begun.wait()
        await started.command("rollback", "one")
        await started.until(lambda found: [o.subject.step for o in found] == ["ask"])
        receipt = await started.send(started.order("skip", "ask", jti="abcdefgh-2"))
        openings = await started.gates()

        assert (True, "due") == (receipt.accepted, receipt.state)
        assert ["approval", "override"] == sorted(one.subject.kind for one in openings)
        assert opening
        await started.command("abort")
        await started.result()
        await replays(started.handle)


async def test_a_gate_that_was_answered_leaves_nobody_asked_to_pass_it(client, home):
    held = Held()
    inputs = {"type": "object", "properties": {"who": {"type": "string"}}}
    async with house(client, home, Activities(agents={"ann": held})) as h:
        gate = {"kind": "gate", "step": "ask", "gate": LEAD}
        started = await h.start([gate, agent("one")], given={"who": "us"}, inputs=inputs)
        opening = await started.until()
        await started.command("skip", "ask")
        await started.seen(lambda view: len(view.waiting) == 2)
        await started.decide(opening, "lea")
        await held.begun.wait()
        await started.command("amend", name="who", value="them")
        view = await started.seen(lambda view: not view.waiting)
        held.free.set()

        assert "ask has succeeded; roll back to it, or amend what it gave" in [note.refused for note in view.commands]
        assert "completed" == (await started.result()).state
        await replays(started.handle)


@pytest.mark.parametrize(
    ("step", "target"),
    [
        ({"kind": "condition", "step": "if", "condition": {"if": "true", "then": "ask"}}, "if"),
        ({"kind": "mission", "step": "sub", "mission": "inner", "accept": ["done"], "on_parent_close": "undo"}, "sub"),
    ],
)
async def test_a_gate_behind_a_step_that_is_skipped_is_asked_as_well(client, home, step, target):
    gate = {"kind": "gate", "step": "ask", "gate": LEAD}
    held = Held()
    async with house(client, home, Activities(agents={"ann": held})) as h:
        called = [gate] if target == "if" else []
        inner = moved(plan_of([gate], mission="inner"), h.queue)
        started = await h.start([agent("one"), step, *called], missions={"inner": inner})
        await held.begun.wait()
        await started.command("skip", target)
        opening = await started.until()

        assert ("override", ("lead",)) == (opening.subject.kind, opening.subject.approvers)
        assert {"one": "running"} == {r.path: r.status for r in (await started.state()).records if r.path == "one"}
        held.free.set()
        await drive(started)
        await replays(started.handle)


async def test_two_commands_that_are_due_at_once_are_carried_out_in_their_order(client, home):
    slow = Held()
    async with house(client, home, Activities(tools={"file": [slow, {}]})) as h:
        started = await h.start([act("a", 1), act("b", 2)])
        await slow.begun.wait()
        receipts = [await started.command("retry", "a", input={"n": 5}), await started.command("skip", "b")]
        slow.free.set()
        result = await started.result()

        assert [(True, "due")] * 2 == [(one.accepted, one.state) for one in receipts]
        assert "completed" == result.state
        assert [("file", 1), ("unfile", 1), ("file", 5)] == tools(h)
        assert ["retry", "skip"] == [verb for verb, *_ in said(await started.state())]
        await replays(started.handle)


async def test_a_command_that_was_there_before_the_failure_is_carried_out(client, home):
    slow = Held(broken())
    async with house(client, home, Activities(tools={"file": [slow, {}]})) as h:
        started = await h.start([act("a", 1)])
        await slow.begun.wait()
        receipt = await started.command("retry", "a")
        slow.free.set()

        assert (True, "completed") == (receipt.accepted, (await started.result()).state)
        assert ["file", "unfile", "file"] == [tool for tool, _ in tools(h)]
        await replays(started.handle)


async def test_a_command_that_was_there_before_the_end_is_carried_out(client, home):
    slow = Held()
    async with house(client, home, Activities(tools={"file": [slow, {}]})) as h:
        started = await h.start([act("a", 1)])
        await slow.begun.wait()
        await started.command("rollback", "a")
        slow.free.set()

        assert "completed" == (await started.result()).state
        assert ["file", "unfile", "file"] == [tool for tool, _ in tools(h)]
        await replays(started.handle)


async def test_an_unrelated_command_does_not_try_a_failed_step_again(client, home):
    slow = Held(broken())
    inputs = {"type": "object", "properties": {"who": {"type": "string"}}}
    async with house(client, home, Activities(tools={"file": [slow, {}]})) as h:
        started = await h.start([act("a", 1)], given={"who": "us"}, inputs=inputs)
        await slow.begun.wait()
        await started.command("amend", name="who", value="them")
        slow.free.set()
        with pytest.raises(WorkflowFailureError):
            await started.result()

        assert ["file", "unfile"] == [tool for tool, _ in tools(h)]
        await replays(started.handle)


async def test_abort_wins_over_commands_that_are_due_and_waits_for_what_is_being_undone(client, home):
    undoing = Held()
    async with house(client, home, Activities(agents={"ann": Held()}, tools={"unfile": [undoing, {}]})) as h:
        started = await h.start([act("a", 1), act("b", 2), agent("one")])
        await started.seen(lambda view: h.activities.asked == ["one"])
        await started.command("rollback", "b")
        await undoing.begun.wait()
        await started.command("skip", "one", output={})
        await started.command("abort")
        undoing.free.set()
        result = await started.result()
        view = await started.state()

        assert "aborted" == result.state
        assert [("file", 1), ("file", 2), ("unfile", 2), ("unfile", 1)] == tools(h)
        assert [("skip", "the mission had aborted by then")] == [
            (n.verb, n.refused) for n in view.commands if n.refused
        ]
        await replays(started.handle)


async def test_agents_that_a_pause_interrupts_begin_anew_at_once(client, home):
    async with house(client, home, Activities(agents={"ann": [Held(), Held(), {}]})) as h:
        started = await h.start([agent("one")])
        for number in (1, 2):
            await started.seen(lambda _, number=number: len(h.activities.asked) == number)
            await started.send(started.order("pause", changes={"interrupt": True}))
            await started.command("resume")

        assert "completed" == (await started.result()).state
        assert ["one"] * 3 == h.activities.asked
        await replays(started.handle)


async def test_an_agent_is_interrupted_while_it_mends_its_answer(client, home):
    again = Held()
    answers = [AgentResult(output={}, errors=("no",)), again, {}]
    async with house(client, home, Activities(agents={"ann": answers})) as h:
        started = await h.start([agent("one")], **LETTER)
        await again.begun.wait()
        receipt = await started.command("interrupt", "one")
        view = await started.until_state("dead_letter")
        assert (True, "interrupted") == (receipt.accepted, view.letter.failure.code)
        await started.command("retry", "one")

        assert "completed" == (await started.result()).state
        await replays(started.handle)


async def test_an_amended_input_counts_for_what_comes_later(client, home):
    held = Held()
    inputs = {"type": "object", "properties": {"go": {"type": "boolean"}}}
    async with house(client, home, Activities(agents={"ann": held})) as h:
        steps = [agent("one"), act("file", when="go")]
        started = await h.start(steps, given={"go": True}, inputs=inputs)
        await held.begun.wait()
        wrong = await started.command("amend", name="go", value="no")
        right = await started.command("amend", name="go", value=False)
        held.free.set()

        assert "completed" == (await started.result()).state
        assert ("go does not fit the mission's inputs" in wrong.reason, right.accepted) == (True, True)
        assert [] == h.activities.world
        await replays(started.handle)


async def test_a_rollback_goes_back_over_a_completed_child_and_earlier_runs(client, home):
    stage = Stage()
    async with house(client, home, stage.activities()) as h:
        inner = moved(plan_of([act("did", 5)], mission="inner"), h.queue)
        sub = {"kind": "mission", "step": "sub", "mission": "inner", "accept": ["done"], "on_parent_close": "undo"}
        many = [act(f"s{number}", number) for number in range(2)]
        started = await h.start(
            [act("a", 1), sub, *many, agent("z")], Limits(events_per_run=16), missions={"inner": inner}
        )
        await started.seen(lambda view: "z" in stage.begun[started.handle.id])
        runs = (await started.state()).runs
        await started.command("rollback", "a")
        await started.seen(lambda view: stage.begun[started.handle.id].count("z") == 2)
        stage.free[started.handle.id].set()

        assert runs > 1
        assert "completed" == (await started.result()).state
        assert "+1 +5 +0 +1 -1 -0 -5 -1 +1 +5 +0 +1" == stage.world(started.handle.id)
        await replay(started)


async def test_what_failed_beside_is_undone_before_it_is_done_again(client, home):
    stuck = Held()
    both = {"kind": "parallel", "step": "p", "parallel": [agent("a"), act("b", 2)]}
    async with house(client, home, Activities(agents={"ann": [stuck, {}]}, tools={"file": [broken(), {}]})) as h:
        started = await h.start([both, agent("last", agent="ben")], **LETTER)
        await started.until_state("dead_letter")
        await started.command("skip", "last")

        assert "completed" == (await started.result()).state
        assert [("file", 2), ("unfile", 2), ("file", 2)] == tools(h)
        assert 3 == len({key for _, key, _ in h.activities.world})
        await replays(started.handle)


async def test_a_step_that_begins_anew_has_all_its_time(client, home):
    group = {"kind": "group", "step": "g", "steps": [agent("a")], "timeout": "1s"}
    async with house(client, home, Activities(agents={"ann": [broken(), {}]})) as h:
        started = await h.start([group], **LETTER)
        await started.until_state("dead_letter")
        await asyncio.sleep(1.1)
        await started.command("retry", "g/a")

        assert "completed" == (await started.result()).state
        await replays(started.handle)


async def test_a_step_inside_attempts_begins_anew_in_its_own(client, home):
    group = {
        "kind": "group",
        "step": "g",
        "steps": [act("did", 1), agent("a")],
        "retry": {"attempts": 2, "first": "1ms"},
    }
    async with house(client, home, Activities(agents={"ann": [broken(), broken(), {}]})) as h:
        started = await h.start([group], **LETTER)
        await started.until_state("dead_letter")
        wrong = await started.command("retry", "a")
        right = await started.command("retry", "g#2/a")

        assert "completed" == (await started.result()).state
        assert "a may be g#1/a or g#2/a: write the whole path" == wrong.reason
        assert right.accepted
        assert ["file", "unfile", "file"] == [tool for tool, _ in tools(h)]
        await replays(started.handle)


async def test_a_mission_from_before_takes_commands(client, home):
    held = Held()
    async with house(client, home, Activities(agents={"ann": [held, {}]})) as h:
        plan = moved(plan_of([act("a", 1), agent("one")]), h.queue)
        given = MissionInput(plan=plan, requested_by="rita", limits=Limits())
        handle = await client.start_workflow(
            "rehearsal", given, id=f"m-{h.queue}", task_queue=h.queue, result_type=MissionResult
        )
        started = Started(h, handle)
        await held.begun.wait()
        await started.command("rollback", "a")

        assert "completed" == (await started.result()).state
        assert ["file", "unfile", "file"] == [tool for tool, _ in tools(h)]
        await replays(handle)
