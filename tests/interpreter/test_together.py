"""One approval for all actions of a group: asked once, before the first, and exactly what was shown runs."""

import pytest

from contracts.record import Approved
from tests.interpreter.fakes import START, FakePorts, Run, carry, failing, plan_of, rehearse, scope_of
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

GATE = {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse", "message": "All of it?"}


def act(name, tool="isolate", **more):
    return {"kind": "action", "step": name, "action": tool, "with": {"host": name}, **more}


def undone(name, **more):
    return act(name, compensate={"tool": "release"}, **more)


def group(*steps, gate=None, **more):
    return {"kind": "group", "step": "both", "steps": list(steps), "approval": {**GATE, **(gate or {})}, **more}


def agreeing(**more):
    return FakePorts(people=lambda _: ("lea", "approve"), **more)


def shown(opening):
    return [(one.step, one.tool, one.arguments, one.compensation) for one in opening.subject.actions]


async def test_people_are_asked_once_for_all_actions_in_order_and_each_runs_on_that_grant():
    inner = {"kind": "group", "step": "inner", "steps": [act("b")]}
    calls = []
    ports = agreeing(tools={"isolate": lambda call: calls.append(call) or {}, "file": calls.append})

    run = await rehearse(plan_of([group(undone("a"), inner, act("c", "file"))]), ports)

    assert "completed" == run.state
    [opening] = ports.openings
    assert [
        ("both/a", "isolate", {"host": "a"}, "release"),
        ("both/inner/b", "isolate", {"host": "b"}, None),
        ("both/c", "file", {"host": "c"}, None),
    ] == shown(opening)
    assert ("both", "All of it?", None, None) == (
        opening.subject.step,
        opening.subject.message,
        opening.subject.tool,
        opening.subject.arguments,
    )
    assert ["both/a", "both/inner/b", "both/c"] == [call.path for call in calls]
    assert [opening.digest] * 3 == [call.grant.subject.digest() for call in calls]


async def test_the_group_says_what_people_said_and_each_action_by_whom():
    run = await rehearse(plan_of([group(act("a"), act("b"))]), agreeing())

    record = run.journal.get("both")
    assert ("approved", ["lea"]) == (record.answer["decision"], record.answer["by"])
    assert ("signed by lea",) == record.grant.tokens
    assert [Approved(at="both", by=("lea",))] * 2 == [run.journal.get(path).approved for path in ("both/a", "both/b")]


async def test_what_changes_while_people_think_changes_nothing_of_what_runs():
    """A branch beside the group sets the variable again that its arguments were made from."""
    first, later = [{"kind": "agent", "step": name, "agent": "ann", "task": "x", "output": "n"} for name in "xy"]
    asked = group(act("a", **{"with": {"host": "${{ n.n }}"}}), act("b", **{"with": {"host": "${{ n.n }}"}}))
    ports = agreeing(agents={"ann": [{"n": 1}, {"n": 2}]})

    run = await rehearse(plan_of([first, {"kind": "parallel", "step": "p", "parallel": [asked, later]}]), ports)

    assert {"n": 2} == run.scope.variables.values["n"]
    assert [{"host": 1}, {"host": 1}] == [arguments for _, _, arguments in ports.world]


@pytest.mark.parametrize(
    ("verb", "way", "state"), [("reject", "abort", "refused"), ("reject", "continue", "completed")]
)
async def test_a_refusal_runs_none_of_them(verb, way, state):
    ports = FakePorts(people=lambda _: ("lea", verb))

    run = await rehearse(plan_of([group(act("a"), act("b"), gate={"on_reject": way}, output="done")]), ports)

    assert state == run.state
    assert [] == ports.world
    if state == "completed":
        assert ("skipped", None) == (run.journal.get("both").status, run.scope.variables.values.get("done"))


async def test_silence_runs_none_of_them():
    ports = FakePorts()

    run = await rehearse(plan_of([group(act("a"), act("b"))]), ports)

    assert ("refused", []) == (run.state, ports.world)


async def test_a_failure_in_the_middle_undoes_what_was_done():
    ports = agreeing(tools={"isolate": [{}, failing(applied="no")]})

    run = await rehearse(plan_of([group(undone("a"), undone("b"), undone("c"))]), ports)

    assert "failed" == run.state
    assert [("isolate", "a"), ("isolate", "b"), ("release", "a")] == [
        (tool, arguments["host"]) for tool, _, arguments in ports.world
    ]


async def test_a_group_that_is_tried_again_asks_again():
    ports = agreeing(tools={"isolate": [{}, failing(applied="no"), {}]})
    calls = []
    answer = ports.run_tool

    async def run_tool(call, effort):
        calls.append(call)
        return await answer(call, effort)

    ports.run_tool = run_tool
    run = await rehearse(plan_of([group(undone("a"), undone("b"), retry={"attempts": 2})]), ports)

    assert "completed" == run.state
    assert ["both#1", "both#2"] == [opening.subject.step for opening in ports.openings]
    assert ["both#1/a", "both#1/b", "both#1/a/undo", "both#2/a", "both#2/b"] == [call.path for call in calls]
    assert ["both#1"] * 3 + ["both#2"] * 2 == [call.grant.subject.step for call in calls]


async def test_each_round_of_a_loop_is_asked_for_anew():
    loop = {"do": [group(act("a", **{"with": {"n": "${{ iteration }}"}}))], "until": "iteration == 2"}
    ports = agreeing()

    await rehearse(plan_of([{"kind": "loop", "step": "loop", "loop": {**loop, "max_iterations": 3}}]), ports)

    assert [{"n": 1}, {"n": 2}] == [one.arguments for opening in ports.openings for one in opening.subject.actions]
    assert 2 == len({opening.digest for opening in ports.openings})


async def test_a_modification_opens_anew_with_the_changed_arguments_of_the_named_action():
    verbs = iter([("lea", "modify"), ("lou", "approve")])
    ports = FakePorts(people=lambda _: next(verbs), changes={"both/b": {"host": "z"}})

    run = await rehearse(plan_of([group(act("a"), act("b"))]), ports)

    first, second = ports.openings
    assert first.nonce != second.nonce
    assert [{"host": "a"}, {"host": "z"}] == [one.arguments for one in second.subject.actions]
    assert [{"host": "a"}, {"host": "z"}] == [arguments for _, _, arguments in ports.world]
    assert second.digest == run.journal.get("both").grant.subject.digest()


async def test_what_was_changed_stays_changed_on_the_next_rung():
    ladder = {"on_timeout": "escalate", "escalation": [{"approvers": ["chief"], "timeout": "1h"}]}
    said = {1: ("lea", "modify"), 2: None, 3: ("cleo", "approve")}
    ports = FakePorts(changes={"both/b": {"host": "z"}})
    ports.people = lambda _: said[len(ports.openings)]

    await rehearse(plan_of([group(act("a"), act("b"), gate=ladder)]), ports)

    assert [("lead",), ("lead",), ("chief",)] == [opening.subject.approvers for opening in ports.openings]
    assert [{"host": "a"}, {"host": "z"}] == [arguments for _, _, arguments in ports.world]


async def through(plan, every, people):
    """Walk in runs of at most `every` effects until the mission is complete."""
    carried, world, openings = None, [], []
    for runs in range(1, 100):
        ports = FakePorts(agents={"ann": {"n": runs}}, people=people, stop_after=every)
        scope = scope_of(plan, ports, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
            return Run("completed", scope, ports, runs=runs), world + ports.world, openings + ports.openings
        except Suspended:
            carried = carry(scope)
            world += ports.world
            openings += ports.openings
    raise AssertionError("no progress")


@pytest.mark.parametrize("every", [1, 2, 3])
async def test_a_hand_over_between_the_asking_and_the_actions_asks_nobody_again(every):
    first = {"kind": "agent", "step": "first", "agent": "ann", "task": "x", "output": "n"}
    steps = [first, group(*(act(name, **{"with": {"host": name, "n": "${{ n.n }}"}}) for name in "abc"))]

    run, world, openings = await through(plan_of(steps), every, lambda _: ("lea", "approve"))

    assert run.runs > 1
    assert [("a", 1), ("b", 1), ("c", 1)] == [(arguments["host"], arguments["n"]) for _, _, arguments in world]
    assert 1 == len({opening.digest for opening in openings})


async def test_without_an_approval_of_its_own_a_group_covers_nothing():
    """Actions in a group as it was before ask for themselves."""
    plain = {"kind": "group", "step": "both", "steps": [act("a", approval=GATE), act("b", approval=GATE)]}
    ports = agreeing()

    run = await rehearse(plan_of([plain]), ports)

    assert ["both/a", "both/b"] == [opening.subject.step for opening in ports.openings]
    assert [None, None] == [run.journal.get(path).approved for path in ("both/a", "both/b")]


async def test_what_is_done_already_is_on_no_list_and_where_all_is_done_nobody_is_asked():
    """An operator may have settled an action by hand before the group came up."""
    plan = plan_of([group(act("a"), act("b"))])

    async def asked_with(*settled):
        scope = scope_of(plan, ports := agreeing(), {})
        for path in settled:
            scope.journal.start(path, "action", "isolate", START)
            scope.journal.finish(path, "skipped", START)
        await run_steps(plan.definition.steps, "", scope)
        return ports

    some, none = await asked_with("both/a"), await asked_with("both/a", "both/b")

    assert [[("both/b", "isolate", {"host": "b"}, None)]] == [shown(opening) for opening in some.openings]
    assert ["b"] == [arguments["host"] for _, _, arguments in some.world]
    assert ([], []) == (none.openings, none.world)


async def test_people_are_told_of_every_tool_that_they_are_asked_for():
    ports = agreeing()

    await rehearse(plan_of([group(act("a"), act("b", "file"))]).model_copy(update={"notify": True}), ports)

    assert ["isolate, file"] * 2 == [notice.tool for notice in ports.notices]


@pytest.mark.parametrize("together", [False, True])
async def test_what_operators_lay_over_the_input_of_an_action_is_shown_and_runs(together):
    step = group(act("a")) if together else {**act("a"), "step": "both"}
    path, ports = "both/a" if together else "both", agreeing()
    scope = scope_of(plan_of([step]), ports, {})
    scope.control.lay_over(path, {"host": "z"})

    await run_steps((scope.by_name["both"],), "", scope)

    assert [{"host": "z"}] == [arguments for _, _, arguments in ports.world]
    assert [{"host": "z"}] * together == [one.arguments for o in ports.openings for one in o.subject.acts()]
