"""What every step has: `when` it runs, how long it may take, and where control goes when it fails."""

import asyncio

import pytest

from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent, gate, isolate, saying
from workflows.interpreter.ending import MissionEnded, StepFailed, Suspended
from workflows.interpreter.walk import run_steps


def group(name, *steps, **more):
    return {"kind": "group", "step": name, "steps": list(steps), **more}


async def test_a_step_whose_when_is_false_is_skipped_and_sets_nothing():
    ports = FakePorts()
    run = await rehearse(plan_of([agent("one", when="1 > 2", output="x"), agent("two")]), ports)

    assert {"one": "skipped", "two": "succeeded"} == run.statuses()
    assert ["two"] == ports.calls
    assert "x" not in run.scope.variables.values


async def test_a_group_that_is_skipped_runs_nothing_inside():
    ports = FakePorts()
    run = await rehearse(plan_of([group("g", agent("one"), when="false"), agent("two")]), ports)

    assert (["two"], {"g": "skipped", "two": "succeeded"}) == (ports.calls, run.statuses())


async def test_when_is_asked_once_whatever_changes_afterwards():
    """A hand-over in the midst of the step must not ask again: by then the answer may be another."""
    plan = plan_of([group("g", agent("one", output="n"), agent("two"), when="!(has(steps.one.output))")])
    first = FakePorts(stop_after=1)
    scope = scope_of(plan, first, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)

    run = await rehearse(plan, FakePorts(), carried=carry(scope))

    assert {"g": "succeeded", "g/one": "succeeded", "g/two": "succeeded"} == run.statuses()


async def test_a_when_that_cannot_be_answered_fails_its_step():
    run = await rehearse(plan_of([agent("one", when="steps.two.nothing")]), FakePorts())

    assert ("failed", {"one": "failed"}) == (run.state, run.statuses())


@pytest.mark.parametrize(
    ("on_failure", "state", "statuses"),
    [
        ({"any": "continue"}, "completed", {"one": "recovered", "two": "succeeded"}),
        ({"timed_out": "continue"}, "failed", {"one": "failed"}),
        ({"tool_failed": "continue", "any": "abort"}, "completed", {"one": "recovered", "two": "succeeded"}),
        ({"any": "abort"}, "aborted", {"one": "cancelled"}),
        (
            {"any": [agent("mend", agent="ben", output="mended")]},
            "completed",
            {"one": "recovered", "one/on_failure/mend": "succeeded", "two": "succeeded"},
        ),
    ],
)
async def test_a_failure_goes_where_its_class_points(on_failure, state, statuses):
    ports = FakePorts(agents={"ann": failing()})
    plan = plan_of([agent("one", on_failure=on_failure), agent("two", agent="cid")])
    run = await rehearse(plan, ports)

    assert (state, statuses) == (run.state, run.statuses())


async def test_a_recovered_step_keeps_why_it_failed():
    run = await rehearse(plan_of([agent("one", on_failure={"any": "continue"})]), FakePorts(agents={"ann": failing()}))

    assert "tool_failed" == run.journal.get("one").failure.code


async def test_a_fallback_agent_gets_the_same_task_and_its_answer_is_the_steps():
    calls = []
    ports = FakePorts(agents={"ann": failing(), "ben": lambda call: calls.append(call) or {"n": 2}})
    steps = [agent("one", output="x", on_failure={"any": {"agent": "ben"}}), agent("two", agent="cid", context=["x"])]
    run = await rehearse(plan_of(steps), ports)

    assert [("one/on_failure", "ben", "one")] == [(call.path, call.name, call.task) for call in calls]
    assert {"n": 2} == run.scope.variables.values["x"]
    assert ("recovered", {"n": 2}) == (run.journal.get("one").status, run.journal.get("one").output)


async def test_a_fallback_that_fails_as_well_fails_the_step():
    ports = FakePorts(agents={"ann": failing(), "ben": failing("refused")})
    run = await rehearse(plan_of([agent("one", on_failure={"any": {"agent": "ben"}})]), ports)

    assert ("failed", "refused") == (run.state, run.error.failure.code)


async def test_people_are_told_what_failed_when_it_escalates():
    ports = FakePorts(agents={"ann": failing()}, people=saying("approve", "chief"))
    run = await rehearse(plan_of([agent("one", on_failure={"any": "escalate"})]), ports)

    assert "completed" == run.state
    assert "tool_failed: step one (ann)" in ports.openings[0].subject.message


async def test_an_effect_whose_failure_was_recovered_is_undone_when_the_mission_fails_later():
    ports = FakePorts(tools={"isolate": failing()}, agents={"ann": failing("refused")})
    run = await rehearse(plan_of([isolate(on_failure={"any": "continue"}), agent("one")]), ports)

    assert "failed" == run.state
    assert ["isolate", "release"] == [tool for tool, _, _ in ports.world]


async def test_a_group_that_takes_too_long_is_stopped_and_fails():
    async def slow(_):
        await asyncio.Event().wait()

    ports = FakePorts(agents={"ann": slow})
    run = await rehearse(plan_of([group("g", agent("one"), timeout="5m")]), ports)

    assert ("failed", "timed_out", "g") == (run.state, run.error.failure.code, run.error.failure.step)
    assert {"g": "failed", "g/one": "cancelled"} == run.statuses()
    assert 300 == (ports.clock - run.journal.get("g").started_at).total_seconds()


async def test_a_group_within_its_time_just_ends():
    run = await rehearse(plan_of([group("g", agent("one", output="x"), timeout="5m")]), FakePorts())

    assert ("completed", {"g": "succeeded", "g/one": "succeeded"}) == (run.state, run.statuses())


async def test_what_failed_inside_a_bounded_group_is_its_own_failure():
    run = await rehearse(plan_of([group("g", agent("one"), timeout="5m")]), FakePorts(agents={"ann": failing()}))

    assert ("tool_failed", "g/one") == (run.error.failure.code, run.error.failure.step)


@pytest.mark.parametrize(
    ("steps", "people"),
    [
        ([gate("ask", on_reject=[agent("other", output="x")])], saying("reject")),
        ([isolate(approval={"approvers": ["lead"], "on_reject": [agent("other", output="x")]})], saying("reject")),
        ([agent("one", agent="dot", on_failure={"any": [agent("other", output="x")]})], None),
        ([agent("one", agent="dot", output="x", on_failure={"any": {"agent": "ann"}})], None),
    ],
    ids=["a gate", "an approval", "a failure", "a fallback"],
)
async def test_what_was_set_on_a_way_out_of_a_step_is_known_after_a_hand_over(steps, people):
    plan = plan_of([*steps, agent("after", agent="ben", context=["x"])])
    table = {"ann": {"n": 1}, "dot": failing(), "ben": {}}
    effects = 2 if people is None else 1
    first = FakePorts(agents=dict(table), people=people or (lambda _: None), stop_after=effects)
    scope = scope_of(plan, first, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)

    second = FakePorts(agents=dict(table))
    run = await rehearse(plan, second, carried=carry(scope))

    assert (["after"], {"n": 1}) == (second.calls, run.scope.variables.values["x"])


async def test_an_end_that_people_chose_is_no_failure():
    ports = FakePorts(people=saying("reject"))
    run = await rehearse(
        plan_of(
            [
                gate(
                    "ask",
                )
                | {"on_failure": {"any": "continue"}}
            ]
        ),
        ports,
    )

    assert isinstance(run.error, MissionEnded)
    assert not isinstance(run.error, StepFailed)
