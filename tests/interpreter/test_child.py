"""A mission as a step: what the step makes of the child's end, and when it has the child undone."""

import asyncio

import pytest

from contracts.call import Usage
from contracts.child import Report
from contracts.plan import Plan
from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent
from workflows.interpreter.ending import StepFailed, Suspended
from workflows.interpreter.undo import undo_all
from workflows.interpreter.walk import run_steps

GOOD = Report(state="completed", verdict="done", spent=Usage(agent_runs=3), held=True)
ID = "m-1/patch"


def child(**more):
    step = {"kind": "mission", "step": "patch", "mission": "patching", "accept": ["done"], "on_parent_close": "undo"}
    return {**step, "output": "patched", **more}


def act(name):
    return {"kind": "action", "step": name, "action": "file", "compensate": {"tool": "unfile"}}


def starting(*steps, **more) -> Plan:
    inner = plan_of([agent("inside")], mission="patching")
    return plan_of(list(steps), **more).model_copy(update={"missions": {"patching": inner}})


def undone(run) -> list[tuple[str, str]]:
    return [said for said in run.ports.kin if said[0] != "start"]


async def test_the_child_is_given_its_inputs_and_asked_for_by_who_asked_for_the_parent():
    ports = FakePorts(agents={"ann": {"n": 3}}, missions={"patching": GOOD})
    steps = (agent("first", output="a"), child(**{"with": {"hosts": "${{ a.n }}"}}))
    run = await rehearse(starting(*steps), ports)
    given = ports.started[ID]

    assert "completed" == run.state
    assert ({"hosts": 3}, "rita", "patching") == (given.inputs, given.requested_by, given.plan.definition.mission)
    assert ("m-1", "run-1", "patch", "undo") == tuple(given.parent.model_dump(exclude={"above", "payers"}).values())
    assert (("m-1", None),) == tuple((payer.mission, payer.budget) for payer in given.parent.payers)
    assert [("m-1", "run-1", ("chief",))] == [tuple(kin.model_dump().values()) for kin in given.parent.above]


async def test_its_verdict_is_the_steps_result_and_its_cost_the_parents():
    run = await rehearse(starting(child()), FakePorts(missions={"patching": GOOD}))
    record = run.journal.get("patch")

    assert {"mission": ID, "verdict": "done", "state": "completed"} == run.scope.variables.values["patched"]
    assert (3, ID, "patching") == (record.usage.agent_runs, record.child.id, record.actor)


REFUSED = "child_refused", "it came to the verdict 'other'; accepted: done"
ENDS = [
    (Report(state="completed", verdict="other"), *REFUSED),
    (Report(state="refused", reason="no"), "child_refused", "it came to a refusal (no); accepted: done"),
    (Report(state="failed", reason="it broke"), "child_failed", "it ended failed: it broke"),
    (Report(state="cancelled"), "child_failed", "it ended cancelled"),
    (Report(state="aborted", reason="enough"), "child_failed", "it ended aborted: enough"),
    (Report(state="timed_out"), "child_failed", "it ended timed out"),
    (failing("not_found"), "not_found", "it would not"),
]


@pytest.mark.parametrize(("end", "code", "cause"), ENDS)
async def test_any_other_end_fails_the_step_by_its_class(end, code, cause):
    run = await rehearse(starting(child()), FakePorts(missions={"patching": end}))
    failure = run.error.failure

    assert ("failed", code, "patch", "patching", cause) == (
        run.state,
        failure.code,
        failure.step,
        failure.actor,
        failure.cause,
    )


async def test_a_failure_of_the_child_can_be_provided_for():
    step = child(on_failure={"child_refused": [agent("instead", output="other")]})
    run = await rehearse(
        starting(step), FakePorts(agents={"ann": 7}, missions={"patching": Report(state="refused", reason="no")})
    )

    assert ("completed", 7, "recovered") == (
        run.state,
        run.scope.variables.values["other"],
        run.statuses()["patch"],
    )


async def test_a_parent_that_comes_to_nothing_has_the_child_undone_in_its_place():
    """What was done after it is undone before it, and what was done before it afterwards."""
    ports = FakePorts(missions={"patching": GOOD}, agents={"ann": failing()})
    steps = (act("a"), child(), act("b"))
    order = []

    def undoing(_):
        order.append([tool for tool, *_ in ports.world])
        return True

    ports.undoing = undoing
    run = await rehearse(starting(*steps, agent("last")), ports)

    assert [["file", "file", "unfile"]] == order
    assert ["file", "file", "unfile", "unfile"] == [tool for tool, *_ in ports.world]
    assert "done" == run.journal.get("patch").effect.undo_status


@pytest.mark.parametrize(
    ("policy", "report", "expected"),
    [
        ("undo", GOOD, [("undo", ID)]),
        ("undo", GOOD.model_copy(update={"held": False}), []),
        ("undo", Report(state="failed", reason="it undid itself"), []),
        ("undo", GOOD.model_copy(update={"verdict": "other"}), [("undo", ID)]),
        ("cancel", GOOD, []),
        ("abandon", GOOD, []),
    ],
)
async def test_only_what_the_child_holds_for_its_parent_is_undone(policy, report, expected):
    ports = FakePorts(missions={"patching": report}, agents={"ann": failing()})
    run = await rehearse(starting(child(on_parent_close=policy), agent("last")), ports)

    assert "failed" == run.state
    assert expected == undone(run)


async def never(_):
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("undo", [("stop", ID), ("undo", ID)]), ("cancel", [("stop", ID), ("undo", ID)]), ("abandon", [])],
)
async def test_a_child_that_runs_is_stopped_and_waited_for_unless_it_is_abandoned(policy, expected):
    ports = FakePorts(missions={"patching": never}, agents={"ben": failing()})
    both = {"kind": "parallel", "step": "both", "parallel": [child(on_parent_close=policy), agent("x", agent="ben")]}
    run = await rehearse(starting(both), ports)

    assert "failed" == run.state
    assert [(verb, f"m-1/both/{ID.rpartition('/')[2]}") for verb, _ in expected] == undone(run)


async def test_a_child_out_of_time_is_stopped_and_the_mission_goes_on():
    ports = FakePorts(missions={"patching": never})
    run = await rehearse(starting(child(timeout="1h", on_failure={"timed_out": "continue"})), ports)

    assert ("completed", [("stop", ID)]) == (run.state, undone(run))


async def test_each_attempt_is_a_mission_of_its_own_and_a_failed_one_is_undone_before_the_next():
    other = GOOD.model_copy(update={"verdict": "other"})
    ports = FakePorts(missions={"patching": [other, GOOD]})
    run = await rehearse(starting(child(retry={"attempts": 2})), ports)

    assert "completed" == run.state
    assert [("start", f"{ID}#1"), ("undo", f"{ID}#1"), ("start", f"{ID}#2")] == ports.kin
    assert "done" == run.scope.variables.values["patched"]["verdict"]


async def test_an_item_of_a_map_that_failed_has_its_child_undone():
    def report(one):
        return GOOD if "[0]" in one.id else GOOD.model_copy(update={"verdict": "other"})

    ports = FakePorts(missions={"patching": report})
    each = {"kind": "map", "step": "each", "map": {"over": "[1, 2]", "do": [child()], "tolerate": 1}}
    run = await rehearse(starting(each), ports)

    assert ("completed", [("undo", "m-1/each[1]/patch")]) == (run.state, undone(run))


async def test_a_child_that_cannot_be_undone_waits_for_people():
    ports = FakePorts(missions={"patching": GOOD}, agents={"ann": failing()}, undoing=[failing("refused"), True])
    ports.people = lambda _: ("cleo", "approve")
    run = await rehearse(starting(child(), agent("last")), ports)
    [asked] = ports.openings

    assert [("undo", ID), ("undo", ID)] == undone(run)
    assert ("compensation", f"see what the mission {ID} did") == (
        asked.subject.kind,
        asked.subject.message.split("By hand: ")[1],
    )
    assert "done" == run.journal.get("patch").effect.undo_status


async def test_a_child_that_could_not_be_started_leaves_nothing_to_undo():
    ports = FakePorts()

    async def refuses(*_):
        raise failing("refused", "no")

    ports.start_mission = refuses
    run = await rehearse(starting(child()), ports)

    assert ("failed", "refused", []) == (run.state, run.error.failure.code, ports.kin)
    assert "none" == run.journal.get("patch").effect.undo_status


async def test_a_run_that_hands_over_takes_the_child_up_again_and_starts_none():
    plan = starting(child(), act("b"))
    ports = FakePorts(missions={"patching": GOOD}, stop_after=1)
    scope = scope_of(plan, ports, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    again = FakePorts(missions={"patching": GOOD})
    run = await rehearse(plan, again, carried=carry(scope))

    assert ([("start", ID)], []) == (ports.kin, again.kin)
    assert ("completed", "done") == (run.state, run.scope.variables.values["patched"]["verdict"])


async def test_a_run_that_hands_over_while_the_child_undoes_itself_waits_on_in_the_next():
    plan = starting(child(), agent("last"))
    ports = FakePorts(missions={"patching": GOOD}, agents={"ann": failing()}, undoing=False)
    scope = scope_of(plan, ports, {})
    with pytest.raises(StepFailed):
        await run_steps(plan.definition.steps, "", scope)
    with pytest.raises(Suspended):
        await undo_all(scope)
    again = FakePorts()
    resumed = scope_of(plan, again, {}, carry(scope))
    await undo_all(resumed)

    assert [("undo", ID)] == again.kin
    assert "done" == resumed.journal.get("patch").effect.undo_status


async def test_a_settled_child_is_never_asked_about_again():
    plan = starting(child(), act("b"))
    ports = FakePorts(missions={"patching": GOOD})
    first = await rehearse(plan, ports)
    run = await rehearse(plan, again := FakePorts(), carried=carry(first.scope))

    assert ("completed", []) == (run.state, again.kin)


async def test_a_path_too_long_for_an_id_still_gives_one():
    steps = [child()]
    for number in range(20):
        steps = [{"kind": "group", "step": f"{'long' * 15}{number}", "steps": steps}]
    ports = FakePorts(missions={"patching": GOOD})
    run = await rehearse(starting(*steps), ports)
    [(_, started)] = ports.kin

    assert "completed" == run.state
    assert len(started) < 1000


LEFT = Report(state="cancelled", not_undone=("drain", "patch"))


async def test_a_child_in_which_people_gave_up_is_not_said_to_be_undone():
    """They were asked there, so nobody is asked here again."""
    ports = FakePorts(missions={"patching": GOOD}, agents={"ann": failing()}, undoing=LEFT)
    run = await rehearse(starting(child(), agent("last")), ports)
    effect = run.journal.get("patch").effect

    assert ("given_up", f"{ID} was left as it is at drain, patch") == (effect.undo_status, effect.undo_error)
    assert ([("undo", ID)], []) == (undone(run), ports.openings)


async def test_a_child_that_failed_and_left_something_is_recorded_so():
    run = await rehearse(starting(child()), FakePorts(missions={"patching": LEFT}))
    effect = run.journal.get("patch").effect

    assert ("yes", "given_up", []) == (effect.applied, effect.undo_status, undone(run))
    assert "drain, patch" in effect.undo_error


@pytest.mark.parametrize(("policy", "asked"), [("undo", [("undo", ID)]), ("abandon", [])])
async def test_a_child_that_ended_by_force_is_asked_about_when_its_parent_comes_to_nothing(policy, asked):
    report = Report(state="terminated", unsure=True)
    run = await rehearse(starting(child(on_parent_close=policy)), FakePorts(missions={"patching": report}))

    assert asked == undone(run)
