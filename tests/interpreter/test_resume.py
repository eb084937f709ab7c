"""The journal is the cursor: hand over anywhere, walk again, and nothing is lost or done twice."""

import pytest

from tests.interpreter.fakes import FakePorts, Run, carry, plan_of, scope_of
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps


def agent(name, **more):
    return {"kind": "agent", "step": name, "agent": "ann", "task": name, **more}


STEPS = [
    agent("first", output="a"),
    {
        "kind": "parallel",
        "step": "both",
        "output": "pair",
        "parallel": [agent("x"), {"kind": "group", "step": "y", "steps": [agent("y1"), agent("y2", agent="ben")]}],
    },
    {"kind": "condition", "step": "check", "condition": {"if": "a.n == 1", "then": "more"}},
    agent("more", output="a"),
    {
        "kind": "loop",
        "step": "loop",
        "loop": {"do": [agent("again", output="r")], "until": "r.n > 6", "max_iterations": 9},
    },
    {
        "kind": "action",
        "step": "isolate",
        "action": "isolate",
        "with": {"host": "${{ r.n }}"},
        "compensate": {"tool": "release"},
        "approval": {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse"},
    },
    {"kind": "group", "step": "graph", "steps": [agent("g1", needs=["g2"]), agent("g2"), agent("g3", needs=["g2"])]},
]


def ports(counter):
    def count(call):
        counter.append(call.path)
        return {"n": len(counter)}

    return FakePorts(agents={"ann": count, "ben": count}, people=lambda _: ("lea", "approve"))


async def through(plan, every, counter):
    """Walk in runs of at most `every` effects until the mission is complete."""
    carried, world, calls, runs = None, [], [], 0
    while True:
        runs += 1
        assert runs < 100, "no progress"
        mine = ports(counter)
        mine.stop_after = every
        scope = scope_of(plan, mine, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
            return Run("completed", scope, mine, runs=runs), world + mine.world, calls + mine.calls
        except Suspended:
            carried = carry(scope)
            world += mine.world
            calls += mine.calls


@pytest.mark.parametrize("every", [1, 2, 3, 5, 8])
async def test_a_mission_that_hands_over_often_ends_as_one_that_never_does(every):
    plan = plan_of(STEPS)
    whole, world, calls = await through(plan, None, [])

    pieces, pieces_world, pieces_calls = await through(plan, every, [])

    assert sorted(calls) == sorted(pieces_calls)
    assert world == pieces_world
    assert pieces.runs > 1
    assert whole.statuses() == pieces.statuses()


async def test_a_waiting_gate_is_carried_as_it_stands():
    plan = plan_of(STEPS[-2:-1], inputs={})
    mine = FakePorts(stop_after=0)
    mine.stop_after = None
    scope = scope_of(plan, mine, {"r": {"n": 1}})

    async def stop(ready, until, summary):
        mine.stop_after = 0
        return ready()

    mine.wait = stop
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    carried = carry(scope)
    again = FakePorts(people=lambda _: ("lea", "approve"))
    scope = scope_of(plan, again, {"r": {"n": 1}}, carried)
    await run_steps(plan.definition.steps, "", scope)

    assert 1 == len(carried.openings)
    assert carried.openings[0] == again.openings[0]
    assert "succeeded" == scope.journal.get("isolate").status


async def test_a_condition_once_answered_keeps_its_answer():
    steps = [
        {
            "kind": "condition",
            "step": "c",
            "condition": {"if": "a.n == 0", "then": [agent("set", output="a"), agent("next")]},
        }
    ]
    plan = plan_of(steps)
    mine = ports([])
    mine.stop_after = 1
    scope = scope_of(plan, mine, {"a": {"n": 0}})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    again = ports([])
    scope = scope_of(plan, again, {"a": {"n": 5}}, carry(scope))
    await run_steps(plan.definition.steps, "", scope)

    assert ["c/next"] == again.calls
