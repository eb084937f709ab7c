"""People do a step: they are asked for a value, and what they answer is the step's output."""

from datetime import timedelta

import pytest

from contracts.mind import PeopleAgent
from contracts.step import Fallback
from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps

RATED = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
ASSESSOR = PeopleAgent(by=("lead", "cleo"), output=RATED, timeout="2h")
PEOPLE = {"rater": ASSESSOR}


def rate(**more):
    return {**agent("rate", agent="rater", output="r"), "task": "Rate ${{ a.n }}", "context": ["a"], **more}


def answering(answer, person="lea"):
    return lambda opening: (person, "answer", answer) if opening.subject.kind == "task" else None


async def test_what_people_answer_is_the_output_of_the_step():
    ports = FakePorts(agents={"ann": {"n": 7}}, people=answering({"n": 3}))
    run = await rehearse(plan_of([agent("look", output="a"), rate(), agent("after")], PEOPLE), ports)

    assert ("completed", {"n": 3}) == (run.state, run.scope.variables.values["r"])
    assert ["look", "after"] == ports.calls
    (asked,) = ports.openings
    assert ("task", "Rate 7", {"a": {"n": 7}}, ("lead", "cleo"), RATED, ()) == (
        asked.subject.kind,
        asked.subject.message,
        asked.context,
        asked.subject.approvers,
        asked.input_schema,
        asked.subject.excluded,
    )
    assert timedelta(hours=2) == asked.deadline - asked.opened_at
    record = run.journal.get("rate")
    assert [("lea", "answer", None, "")] == [(one.person, one.verb, one.answer, one.token) for one in record.decisions]
    assert ("succeeded", None, 0) == (record.status, record.grant, record.usage.agent_runs)


@pytest.mark.parametrize(
    ("people", "code", "cause", "minutes"),
    [
        (lambda _: None, "unanswered", "nobody answered in time; asked were lead or cleo for 2h", 120),
        (lambda _: ("lea", "reject"), "refused", "lea declined: lea says reject", 0),
    ],
    ids=["silence", "declined"],
)
async def test_who_does_not_answer_fails_the_step(people, code, cause, minutes):
    ports = FakePorts(agents={"ann": {"n": 1}}, people=people)
    run = await rehearse(plan_of([agent("a", output="a"), rate(), agent("after")], PEOPLE), ports)

    failure = run.error.failure
    assert ("failed", code, cause, "rate") == (run.state, failure.code, failure.cause, failure.step)
    assert ["a"] == ports.calls
    assert minutes * 60 == (ports.clock - run.journal.get("a").started_at).total_seconds()
    assert () == run.scope.gates.openings()


async def test_silence_of_people_is_a_timeout_that_a_definition_provides_for():
    late = rate(timeout="5m", on_failure={"timeout": [agent("mend", output="r")]})
    ports = FakePorts(agents={"ann": {"n": 1}})
    run = await rehearse(plan_of([agent("a", output="a"), late], PEOPLE), ports)

    assert ("completed", "recovered", 5) == (
        run.state,
        run.statuses()["rate"],
        (ports.clock - run.journal.get("a").started_at).total_seconds() / 60,
    )


async def test_people_stand_in_for_an_agent_that_failed():
    """The people rung: their answer is that of the step, by their own schema."""
    step = {**agent("look", agent="ben", output="r"), "on_failure": {"any": Fallback(agent="rater")}}
    ports = FakePorts(agents={"ben": failing()}, people=answering({"n": 5}, "cleo"))
    run = await rehearse(plan_of([step], PEOPLE), ports)

    assert ("completed", {"n": 5}, "recovered") == (
        run.state,
        run.scope.variables.values["r"],
        run.statuses()["look"],
    )
    assert ["look/on_failure"] == [one.subject.step for one in ports.openings]


async def test_an_agent_stands_in_for_people():
    ports = FakePorts(agents={"ben": {"n": 2}})
    step = {**rate(context=[], task="Rate"), "on_failure": {"unanswered": Fallback(agent="ben")}}
    run = await rehearse(plan_of([step], PEOPLE), ports)

    assert ("completed", {"n": 2}) == (run.state, run.scope.variables.values["r"])


async def test_an_unsure_answer_of_people_takes_its_way():
    unsure = {"rater": ASSESSOR.model_copy(update={"confidence_floor": 0.5})}
    step = rate(context=[], task="Rate", below_floor=[agent("mend")])
    ports = FakePorts(people=answering({"n": 2, "confidence": 0.2}))
    run = await rehearse(plan_of([step], unsure), ports)

    assert ("completed", ["rate/mend"]) == (run.state, ports.calls)


async def test_a_task_waits_over_hand_overs_and_is_asked_once():
    plan = plan_of([agent("a", output="a"), rate(), agent("after")], PEOPLE)
    first = FakePorts(agents={"ann": {"n": 7}}, stop_after=1)
    before = await handed_over(plan, first)
    ports = FakePorts(people=answering({"n": 1}), clock=first.clock)
    run = await rehearse(plan, ports, carried=carry(before))

    assert ("completed", ["after"]) == (run.state, ports.calls)
    assert {"n": 1} == run.scope.variables.values["r"]

    again = await rehearse(plan, FakePorts(clock=ports.clock), carried=carry(run.scope))
    assert ("completed", [], {"n": 1}) == (again.state, again.ports.calls, again.scope.variables.values["r"])


async def handed_over(plan, ports):
    scope = scope_of(plan, ports, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    return scope


async def test_a_task_that_lost_a_race_is_asked_no_more():
    race = {"kind": "race", "step": "race", "race": [agent("x"), rate(context=[], task="Rate")], "output": "w"}
    plan = plan_of([race, {**agent("after"), "context": ["w"]}], PEOPLE)
    run = await rehearse(plan, FakePorts(agents={"ann": {"n": 1}}))

    assert ("completed", "x") == (run.state, run.scope.variables.values["w"]["winner"])
    assert () == run.scope.gates.openings()
