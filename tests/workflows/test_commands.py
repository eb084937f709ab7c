"""Operators steer missions on a real server: each command does what it says, is on the record, and replays."""

import asyncio

import pytest
from temporalio.client import WorkflowFailureError

from contracts.mind import CodeAgent
from contracts.plan import Limits
from tests.interpreter.fakes import plan_of
from tests.workflows.house import Activities, broken, house, moved
from tests.workflows.test_family import GATE, WAITING, becomes, child_of, patch, result, start
from tests.workflows.test_mission import agent, isolate, replays

LETTER = {"dead_letter": {"timeout": "1h"}}


def act(name, n=1, **more):
    given = {"kind": "action", "step": name, "action": "file", "with": {"n": n}, "compensate": {"tool": "unfile"}}
    return {**given, **more}


def said(view):
    return [(note.verb, note.step, note.by, note.after or note.refused) for note in view.commands]


class Held:
    """An agent that works until it is let go."""

    def __init__(self, answer=None):
        self.begun, self.free = asyncio.Event(), asyncio.Event()
        self.answer = answer or {}
        self.calls = []

    def __call__(self, call):
        self.calls.append(call)
        return self._work()

    async def _work(self):
        self.begun.set()
        await self.free.wait()
        return self.answer


async def test_a_paused_mission_starts_nothing_new_and_resumes_exactly(client, home):
    held = Held()
    async with house(client, home, Activities(agents={"ann": [held, {}]})) as h:
        started = await h.start([agent("one"), agent("two")])
        await held.begun.wait()
        paused = await started.command("pause")
        held.free.set()
        view = await started.seen(lambda view: {r.path: r.status for r in view.records}.get("one") == "succeeded")

        assert (True, "done") == (paused.accepted, paused.state)
        assert ("paused", ["one"]) == (view.state, h.activities.asked)
        assert ("cleo", "cleo wants to pause") == (view.paused.by, view.paused.reason)

        await started.command("resume")
        result = await started.result()
        view = await started.state()

        assert ("completed", ["one", "two"]) == (result.state, h.activities.asked)
        assert [("pause", "", "cleo", "paused"), ("resume", "", "cleo", "running")] == said(view)
        await replays(started.handle)


async def test_an_approval_counts_while_paused_and_the_action_waits_for_the_resume(client, home):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        opening = await started.until()
        await started.command("pause")
        receipt = await started.decide(opening, "lea")
        view = await started.seen(lambda view: any(r.answer for r in view.records))

        assert (True, [], "paused") == (receipt.accepted, h.activities.world, view.state)

        await started.command("resume")
        assert "completed" == (await started.result()).state
        assert 1 == len(h.activities.world)
        await replays(started.handle)


async def test_a_gates_clock_stands_still_while_paused(client, home):
    gate = {"approvers": ["lead"], "timeout": "2s", "on_timeout": "refuse"}
    async with house(client, home) as h:
        started = await h.start([{"kind": "gate", "step": "ask", "gate": gate}])
        opening = await started.until()
        await started.command("pause")
        [still] = await started.gates()
        await asyncio.sleep(max(0, 2.2 - (still.left or 0)))
        assert None is still.deadline
        assert 0 < still.left <= 2
        await started.command("resume")
        [again] = await started.gates()

        assert again.deadline > opening.deadline
        assert opening.nonce == again.nonce
        assert (await started.decide(again, "lea")).accepted
        assert "completed" == (await started.result()).state
        await replays(started.handle)


async def test_abort_undoes_what_was_done_and_says_who_and_why(client, home):
    async with house(client, home) as h:
        started = await h.start([act("file"), isolate()])
        await started.until()
        receipt = await started.command("abort")
        result = await started.result()

        assert (True, "aborted", "cleo aborted it: cleo wants to abort") == (
            receipt.accepted, result.state, result.reason,
        )  # fmt: skip
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
        await replays(started.handle)


async def test_a_failure_waits_in_the_dead_letter_and_a_retry_goes_on_from_there(client, home):
    async with house(client, home, Activities(agents={"ann": [{"n": 1}, broken(), {"n": 2}]})) as h:
        started = await h.start([agent("one"), act("file"), agent("two", output="b")], **LETTER)
        view = await started.until_state("dead_letter")

        assert ("two", "refused") == (view.letter.failure.step, view.letter.failure.code)
        receipt = await started.command("retry", "two")
        result = await started.result()

        assert (True, "completed") == (receipt.accepted, result.state)
        assert ["one", "two", "two"] == h.activities.asked
        assert ["file"] == [tool for tool, _, _ in h.activities.world]
        await replays(started.handle)


async def test_a_dead_letter_that_nobody_opens_is_undone_at_its_deadline(client, home):
    async with house(client, home, Activities(agents={"ann": broken()})) as h:
        started = await h.start([act("file"), agent("two")], dead_letter={"timeout": "300ms"})
        with pytest.raises(WorkflowFailureError) as failed:
            await started.result()

        assert "no operator said in time how to go on" in str(failed.value.cause)
        assert ["file", "unfile"] == [tool for tool, _, _ in h.activities.world]
        await replays(started.handle)


async def test_a_step_is_skipped_with_an_output_that_later_steps_use(client, home):
    async with house(client, home, Activities(agents={"ann": [broken(), {}]})) as h:
        started = await h.start([agent("one", output="a"), agent("two", context=["a"])], **LETTER)
        await started.until_state("dead_letter")
        bare = await started.command("skip", "one")
        receipt = await started.command("skip", "one", output={"by": "hand"})
        result = await started.result()
        view = await started.state()

        assert (False, "later steps need a: give an output") == (bare.accepted, bare.reason)
        assert (True, "completed") == (receipt.accepted, result.state)
        [one, _] = view.records
        assert ("skipped", {"by": "hand"}, "cleo") == (one.status, one.output, one.by)
        await replays(started.handle)


async def test_a_rollback_undoes_in_reverse_and_begins_anew_under_new_keys(client, home):
    held = Held()
    async with house(client, home, Activities(agents={"ann": [{}, held, {}, {}]})) as h:
        started = await h.start([agent("one"), act("first", 1), act("second", 2), agent("two")])
        await held.begun.wait()
        receipt = await started.command("rollback", "first")
        result = await started.result()
        did = [(tool, arguments.get("n")) for tool, _, arguments in h.activities.world]

        assert (True, "completed") == (receipt.accepted, result.state)
        assert [("file", 1), ("file", 2), ("unfile", 2), ("unfile", 1), ("file", 1), ("file", 2)] == did
        assert 6 == len({key for _, key, _ in h.activities.world})
        view = await started.state()
        assert [("rollback", "first", "cleo", "undone back to it: second, first")] == said(view)
        await replays(started.handle)


async def test_other_branches_go_on_while_one_begins_anew(client, home):
    slow, stuck = Held({"n": 1}), Held()
    agents = {"ann": [slow], "ben": [stuck, {"n": 2}]}
    async with house(client, home, Activities(agents=agents)) as h:
        both = {"kind": "parallel", "step": "p", "parallel": [agent("a", agent="ann"), agent("b", agent="ben")]}
        started = await h.start([both])
        await asyncio.gather(slow.begun.wait(), stuck.begun.wait())
        await started.command("note", "p/b", person="cleo")
        await started.command("retry", "p/b")
        await started.seen(lambda view: h.activities.asked.count("p/b") == 2)
        slow.free.set()
        result = await started.result()

        assert ("completed", 1, 2) == (result.state, h.activities.asked.count("p/a"), h.activities.asked.count("p/b"))
        await replays(started.handle)


async def test_a_note_reaches_the_agent_when_it_runs_again(client, home):
    seen = []

    def look(call):
        seen.append(call.guidance)
        return broken() if len(seen) == 1 else {}

    async with house(client, home, Activities(agents={"ann": look})) as h:
        started = await h.start([agent("one")], **LETTER)
        await started.until_state("dead_letter")
        await started.send(started.order("note", "one", comment="look at the proxy"))
        await started.command("retry", "one")

        assert "completed" == (await started.result()).state
        assert [(), ("look at the proxy",)] == seen
        await replays(started.handle)


async def test_an_interrupted_agent_fails_its_step_and_waits_in_the_dead_letter(client, home):
    held = Held()
    async with house(client, home, Activities(agents={"ann": [held, {}]})) as h:
        started = await h.start([agent("one")], **LETTER)
        await held.begun.wait()
        receipt = await started.command("interrupt", "one")
        view = await started.until_state("dead_letter")

        assert (True, "interrupted", "cleo interrupted it: cleo wants to interrupt") == (
            receipt.accepted, view.letter.failure.code, view.letter.failure.cause,
        )  # fmt: skip
        await started.command("retry", "one")
        assert "completed" == (await started.result()).state
        await replays(started.handle)


async def test_a_variable_is_amended_within_its_contract(client, home):
    agents = {"ann": {"callable": "tests:none", "output": {"type": "object", "required": ["n"]}}}
    held = Held({"n": 5})
    async with house(client, home, Activities(agents={"ann": {"n": 1}, "ben": held})) as h:
        steps = [agent("one", output="a"), agent("two", agent="ben"), act("file", "${{ a.n }}")]
        started = await h.start(steps, agents={"ann": CodeAgent(**agents["ann"])})
        await held.begun.wait()
        wrong = await started.command("amend", name="a", value={})
        right = await started.command("amend", name="a", value={"n": 7})
        held.free.set()

        assert "completed" == (await started.result()).state
        assert 'a does not fit the contract of one: "n" is a required property' in wrong.reason
        assert right.accepted
        assert [{"n": 7}] == [arguments for _, _, arguments in h.activities.world]
        await replays(started.handle)


async def test_nobody_gets_past_a_gate_without_its_own_quorum(client, home):
    gate = {"approvers": ["lead"], "required": 2, "timeout": "1h", "on_timeout": "refuse"}
    async with house(client, home) as h:
        started = await h.start([{"kind": "gate", "step": "ask", "gate": gate}, agent("two")])
        await started.until()
        receipt = await started.command("skip", "ask")
        opening = await started.until(lambda found: any(o.subject.kind == "override" for o in found))
        [override] = [o for o in await started.gates() if o.subject.kind == "override"]

        assert (True, "due") == (receipt.accepted, receipt.state)
        assert (("lead",), 2) == (override.subject.approvers, override.subject.required)
        assert not (await started.decide(override, "cleo")).accepted
        await started.decide(override, "lea")
        assert [] == h.activities.asked
        await started.decide(override, "lou")
        result = await started.result()

        assert "completed" == result.state
        assert {"ask": "skipped", "two": "succeeded"} == {
            r.path: r.status for r in (await started.state()).records if r.path in {"ask", "two"}
        }
        assert opening is not None
        await replays(started.handle)


async def test_a_redirect_skips_what_lies_between(client, home):
    async with house(client, home, Activities(agents={"ann": [broken(), {}]})) as h:
        started = await h.start([agent("one"), act("file"), agent("three")], **LETTER)
        await started.until_state("dead_letter")
        receipt = await started.command("redirect", "three")
        result = await started.result()

        assert (True, "completed", []) == (receipt.accepted, result.state, h.activities.world)
        assert {"one": "skipped", "file": "skipped", "three": "succeeded"} == {
            r.path: r.status for r in (await started.state()).records
        }
        await replays(started.handle)


@pytest.mark.parametrize(
    ("person", "fields", "reason"),
    [
        ("lea", {}, "lea is none of the operators: chief"),
        ("cleo", {"mission": "other"}, "the decision is for mission 'other', not for this one"),
        ("cleo", {"run": "other"}, "the decision is for another mission that had the same id before"),
        ("cleo", {"comment": " "}, "a command says why"),
        ("cleo", {"exp": 5}, "the decision expired at 1970-01-01T00:00:05+00:00"),
        ("cleo", {"verb": "skip", "step": "nowhere"}, "this mission has no step 'nowhere'; it has isolate"),
        (
            "cleo",
            {"verb": "retry", "step": "isolate", "changes": {"x": 1}},
            "retry carries x, which it does not know",
        ),
    ],
)
async def test_a_command_that_does_not_count_says_why_and_is_recorded(client, home, person, fields, reason):
    async with house(client, home) as h:
        started = await h.start([isolate()])
        await started.until()
        receipt = await started.send(started.order(**{"verb": "pause", "person": person, **fields}))
        view = await started.state()

        assert (False, reason) == (receipt.accepted, receipt.reason)
        assert view.refusals[-1].reason.endswith(reason)
        assert "waiting" == view.state
        await started.command("abort")


async def test_the_same_command_twice_is_one(client, home):
    held = Held()
    async with house(client, home, Activities(agents={"ann": [held, {}]})) as h:
        started = await h.start([act("file"), agent("two")])
        await held.begun.wait()
        token = started.order("rollback", "file")
        first, second = await asyncio.gather(started.send(token), started.send(token))
        held.free.set()
        result = await started.result()

        assert (True, True, "completed") == (first.accepted, second.accepted, result.state)
        assert ["file", "unfile", "file"] == [tool for tool, _, _ in h.activities.world]
        await replays(started.handle)


async def test_commands_and_a_pause_outlive_a_hand_over(client, home):
    steps = [agent(f"s{number}") for number in range(8)]
    async with house(client, home, Activities(agents={"ann": [*({} for _ in range(7)), broken(), {}]})) as h:
        started = await h.start(steps, Limits(events_per_run=16), **LETTER)
        await started.until_state("dead_letter")
        await started.command("pause")
        await started.command("retry", "s7")
        view = await started.until_state("paused")
        assert view.runs > 1
        await started.command("resume")
        result = await started.result()

        assert "completed" == result.state
        assert 9 == len(h.activities.asked)
        await replays(started.handle)


async def test_a_pause_reaches_children_and_their_children(client, home):
    deep = plan_of(WAITING, mission="deep")
    async with house(client, home) as h:
        inner = patch(mission="deep")
        started = await start(h, [patch()], [inner], deep=moved(deep, h.queue))
        child, grandchild = child_of(started), child_of(started, "patch/patch")
        await becomes(grandchild, "waiting")
        forged = await grandchild.send(started.order("pause", mission="another", run="another"))
        await started.command("pause")
        views = [await becomes(one, "paused") for one in (child, grandchild)]
        await started.command("resume")
        await becomes(grandchild, "waiting")
        await grandchild.decide(await grandchild.until(), "lea")

        assert "completed" == (await result(started)).state
        assert ["cleo", "cleo"] == [view.paused.by for view in views]
        assert (False, "the decision is for mission 'another', not for this one") == (forged.accepted, forged.reason)
        for one in (started, child, grandchild):
            await result(one)
            await replays(one.handle)


async def test_a_rollback_undoes_a_child_and_starts_another(client, home):
    async with house(client, home) as h:
        started = await start(h, [act("before", 1), patch(), GATE], [act("a", 2)])
        await started.until()
        receipt = await started.command("rollback", "patch")
        await started.until(lambda found: bool(found) and found[0].subject.generation > 0)
        await started.decide(await started.until(), "lea")
        ended = await result(started)

        assert (True, "completed") == (receipt.accepted, ended.state)
        did = [(tool, arguments["n"]) for tool, _, arguments in h.activities.world]
        assert [("file", 1), ("file", 2), ("unfile", 2), ("file", 2)] == did
        await replays(started.handle)
