"""A step that is tried again as a whole: undone in between, each attempt with paths of its own."""

from datetime import timedelta

import pytest

from tests.interpreter.fakes import START, FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent, isolate, saying
from tests.interpreter.test_ways import group
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

RETRY = {"attempts": 3, "first": "1m", "factor": 2, "most": "90s"}
FILE = {
    "kind": "action",
    "step": "file",
    "action": "file",
    "with": {"n": 1},
    "compensate": {"tool": "unfile"},
}


async def test_a_group_that_fails_is_undone_and_tried_again_after_its_pause():
    ports = FakePorts(agents={"ann": [failing(), {"n": 1}]})
    run = await rehearse(plan_of([group("g", FILE, agent("check", output="c"), retry=RETRY)]), ports)

    assert "completed" == run.state
    assert ["file", "unfile", "file"] == [tool for tool, _, _ in ports.world]
    assert START + timedelta(minutes=1) == ports.clock
    assert {"n": 1} == run.scope.variables.values["c"]
    expected = {"g": "succeeded", "g#1": "failed", "g#1/check": "failed", "g#2": "succeeded", "g#2/check": "succeeded"}
    assert expected.items() <= run.statuses().items()


async def test_each_attempt_acts_under_a_key_of_its_own():
    ports = FakePorts(agents={"ann": [failing(), {}]})
    await rehearse(plan_of([group("g", FILE, agent("check"), retry=RETRY)]), ports)
    keys = [key for tool, key, _ in ports.world if tool == "file"]

    assert len(keys) == len(set(keys)) == 2


async def test_the_last_attempt_that_fails_fails_the_step():
    ports = FakePorts(agents={"ann": failing()})
    run = await rehearse(plan_of([group("g", agent("check"), retry=RETRY)]), ports)

    assert ("failed", ["g#1/check", "g#2/check", "g#3/check"]) == (run.state, ports.calls)
    assert START + timedelta(seconds=60 + 90) == ports.clock


async def test_after_the_last_attempt_control_goes_where_on_failure_points():
    ports = FakePorts(agents={"ann": failing()})
    plan = plan_of([group("g", agent("check"), retry={**RETRY, "attempts": 2}, on_failure={"any": "continue"})])
    run = await rehearse(plan, ports)

    assert ("completed", "recovered", 2) == (run.state, run.statuses()["g"], len(ports.calls))


async def test_people_are_asked_again_at_each_attempt():
    ports = FakePorts(agents={"ann": [failing(), {}]}, people=saying("approve"))
    steps = [group("g", isolate(approval={"approvers": ["lead"]}), agent("check"), retry=RETRY)]
    await rehearse(plan_of(steps), ports)

    assert ["g#1/isolate", "g#2/isolate"] == [opening.subject.step for opening in ports.openings]


async def test_a_map_is_undone_and_tried_again_as_well():
    each = {"over": "[1, 2]", "do": [FILE, agent("check")], "max_concurrency": 1}
    steps = [{"kind": "map", "step": "m", "map": each, "retry": RETRY, "output": "all"}]
    ports = FakePorts(agents={"ann": [{}, failing(), {}]})
    run = await rehearse(plan_of(steps), ports)

    assert "completed" == run.state
    assert ["file", "file", "unfile", "unfile", "file", "file"] == [tool for tool, _, _ in ports.world]
    assert 2 == len(run.scope.variables.values["all"]["results"])


@pytest.mark.parametrize("every", [1, 2, 3, 4])
async def test_over_hand_overs_no_attempt_is_made_twice(every):
    plan = plan_of([group("g", FILE, agent("check"), retry=RETRY), agent("last", agent="ben")])
    carried, calls = None, []
    answers = {"g#1/check": failing(), "g#2/check": failing(), "g#3/check": {}}
    for _ in range(40):
        ports = FakePorts(agents={"ann": lambda call: answers[call.path]}, stop_after=every)
        scope = scope_of(plan, ports, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
        except Suspended:
            calls += ports.calls
            carried = carry(scope)
        else:
            calls += ports.calls
            break

    attempts = [
        call for number in (1, 2) for call in (f"g#{number}/file", f"g#{number}/check", f"g#{number}/file/undo")
    ]
    assert [*attempts, "g#3/file", "g#3/check", "last"] == calls
