"""What would undo an action is signed with it, as far as it is known before, and runs like that."""

import pytest

from tests.interpreter.fakes import FakePorts, plan_of, rehearse, scope_of
from workflows.interpreter.foreseen import foreseen
from workflows.interpreter.scope import Mission

GATE = {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse"}


def act(undo, **more):
    return {
        "kind": "action",
        "step": "a",
        "action": "isolate",
        "with": {"host": "web-01", "why": "x"},
        "compensate": {"tool": "release", **undo},
        **more,
    }


def agent(name, **more):
    return {"kind": "agent", "step": name, "agent": "ann", "task": name, **more}


BREAKS = {"kind": "condition", "step": "stop", "condition": {"if": "true", "then": "abort"}}


@pytest.mark.parametrize(
    ("undo", "signed", "ran"),
    [
        ({}, {"host": "web-01", "why": "x"}, {"host": "web-01", "why": "x", "id": 7}),
        ({"with": {"host": "${{ n.n }}"}}, {"host": 1}, {"host": 1}),
        ({"with": {"host": "${{ n.n }}", "id": "${{ result.id }}"}}, {"host": 1}, {"host": 1, "id": 7}),
        ({"with": {"id": "${{ result.id }}"}}, {}, {"id": 7}),
    ],
    ids=["the action's own arguments", "a variable", "a variable and the result", "the result alone"],
)
@pytest.mark.parametrize("together", [False, True])
async def test_the_way_back_is_signed_and_holds_whatever_variables_are_by_then(undo, signed, ran, together):
    """The variable is set again behind the action, before it is undone."""
    step = act(undo) if together else act(undo, approval=GATE)
    asked = {"kind": "group", "step": "g", "steps": [step], "approval": GATE} if together else step
    again = {"kind": "parallel", "step": "p", "parallel": [asked, agent("again", output="n")]}
    ports = FakePorts(agents={"ann": [{"n": 1}, {"n": 2}]}, tools={"isolate": {"id": 7}})
    ports.people = lambda _: ("lea", "approve")

    run = await rehearse(plan_of([agent("first", output="n"), again, BREAKS]), ports)

    [opening] = ports.openings
    assert {"n": 2} == run.scope.variables.values["n"]
    assert [signed] == [one.undo for one in opening.subject.acts()]
    assert [("isolate", {"host": "web-01", "why": "x"}), ("release", ran)] == [
        (tool, arguments) for tool, _, arguments in ports.world
    ]


async def test_who_changes_an_action_changes_its_way_back():
    verbs = iter([("lea", "modify"), ("lou", "approve")])
    ports = FakePorts(people=lambda _: next(verbs), changes={"host": "web-02", "why": "y"})

    await rehearse(plan_of([act({}, approval=GATE), BREAKS]), ports)

    assert [{"host": "web-01", "why": "x"}, {"host": "web-02", "why": "y"}] == [
        opening.subject.undo for opening in ports.openings
    ]
    assert {"host": "web-02", "why": "y"} == ports.world[-1][2]


async def test_what_nobody_can_tell_before_is_not_foreseen():
    """An expression that fails when people are asked. That it fails later too is for the saga to say."""
    step = act({"with": {"host": "${{ steps.again.output.n }}"}}, approval=GATE)
    ports = FakePorts(agents={"ann": {"n": 2}})
    ports.people = lambda opening: ("lea", "approve" if opening.subject.kind == "approval" else "reject")

    await rehearse(plan_of([step, agent("again"), BREAKS]), ports)

    assert ("isolate", None) == (ports.openings[0].subject.tool, ports.openings[0].subject.undo)


async def test_missions_that_began_before_sign_what_they_did():
    plan = plan_of([act({}, approval=GATE)])
    scope = scope_of(plan, FakePorts(), {})
    scope.mission = Mission("m-1", "run-1", "rita")

    assert foreseen(plan.definition.steps[0], {"host": "web-01"}, "a", scope) is None
