"""A bug of ours fails the mission with the step named, and what the mission did is undone. It never freezes."""

import pytest

from contracts.definition import Verdict
from contracts.view import MissionState
from tests.interpreter.fakes import FakePorts, plan_of, scope_of
from tests.interpreter.test_steps import agent, isolate, saying
from workflows.interpreter.course import broken, follow
from workflows.interpreter.ending import Broken
from workflows.interpreter.undo import undo_all

BUG = RuntimeError("a slip of ours")


def group(name, *steps, **more):
    return {"kind": "group", "step": name, "steps": list(steps), **more}


def without(plan, **parts):
    """Return a plan that lacks what its steps name: no checked plan does, so a handler trips over it."""
    return plan.model_copy(update=parts)


async def walked(plan, ports):
    """Walk as the shell does, and undo what came to nothing."""
    scope = scope_of(plan, ports, {})
    try:
        ending = await follow(scope, {})
    except Broken as bug:
        ending = broken("interpret the mission", bug)
    if ending.state != MissionState.COMPLETED:
        await undo_all(scope)
    return ending, scope


@pytest.mark.parametrize(
    ("plan", "ports", "step", "cause"),
    [
        (plan_of([isolate(), group("g", agent("one"))]), FakePorts(agents={"ann": BUG}), "g/one", repr(BUG)),
        (
            without(plan_of([isolate(), group("g", agent("one"))]), agents={}),
            FakePorts(),
            "g/one",
            "KeyError('ann')",
        ),
        (
            plan_of([isolate(), {"kind": "parallel", "step": "p", "parallel": [agent("x"), agent("y", agent="ben")]}]),
            FakePorts(agents={"ben": BUG}),
            "p/y",
            repr(BUG),
        ),
        (
            plan_of([isolate(), agent("one", on_failure={"any": "continue"}, retry={"attempts": 2})]),
            FakePorts(agents={"ann": BUG}),
            "one",
            repr(BUG),
        ),
    ],
    ids=["in a port", "in a handler", "in a branch", "that no definition provides for"],
)
async def test_a_bug_names_the_innermost_step_and_is_undone(plan, ports, step, cause):
    ending, scope = await walked(plan, ports)

    assert ("failed", "internal", step, cause) == (
        ending.state,
        ending.failure.code,
        ending.failure.step,
        ending.failure.cause,
    )
    assert f"internal: step {step}, " in ending.reason
    assert "failed" == scope.journal.get(step).status == scope.journal.get(step.split("/")[0]).status
    assert step == scope.journal.get(step.split("/")[0]).failure.step
    assert ["isolate", "release"] == [tool for tool, _, _ in ports.world]


async def test_a_bug_in_the_verdict_is_named_and_undone():
    plan = plan_of([isolate()])
    wrong = plan.definition.model_copy(update={"verdict": Verdict.model_construct(one_of=("done",), value=None)})
    ending, scope = await walked(without(plan, definition=wrong), FakePorts())

    assert ("internal", "verdict") == (ending.failure.code, ending.failure.step)
    assert "done" == scope.journal.get("isolate").effect.undo_status


async def test_a_bug_while_something_is_undone_asks_people():
    """Whether it was undone nobody knows then."""
    ports = FakePorts(agents={"ann": BUG}, tools={"release": [BUG, {}]}, people=saying("approve", "cleo"))
    _, scope = await walked(plan_of([isolate(), agent("one")]), ports)

    assert ["compensation"] == [opening.subject.kind for opening in ports.openings]
    assert "a slip of ours" in ports.openings[0].subject.message
    assert "done" == scope.journal.get("isolate").effect.undo_status


async def test_a_bug_in_asking_for_help_keeps_no_other_effect_from_being_undone():
    steps = [isolate("first"), isolate("second", action="file", compensate={"tool": "unfile"}), agent("one")]
    plan = plan_of(steps)
    tools = {name: tool for name, tool in plan.tools.items() if name != "unfile"}
    ports = FakePorts(agents={"ann": BUG})
    scope = scope_of(plan, ports, {})
    with pytest.raises(Broken):
        await follow(scope, {})
    scope.plan = without(plan, tools=tools)
    with pytest.raises(Broken) as met:
        await undo_all(scope)

    effects = [scope.journal.get(path).effect for path in ("first", "second")]
    assert "second/undo" == met.value.path
    assert ["done", "failed"] == [effect.undo_status for effect in effects]
