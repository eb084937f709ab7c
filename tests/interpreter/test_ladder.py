"""The ladder: tries, then another agent, then people, who see what was tried; each rung is recorded with its reason."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.mind import CodeAgent
from contracts.plan import CURRENT, Limits
from contracts.step import Retry
from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent, saying
from workflows.interpreter.attempt import chance, pause
from workflows.interpreter.course import follow_under_control
from workflows.interpreter.ending import EffectFailed, Suspended
from workflows.interpreter.scope import Mission
from workflows.interpreter.walk import run_steps


async def test_a_fallback_that_fails_too_goes_where_else_says():
    ports = FakePorts(agents={"ann": failing("unavailable"), "ben": failing("refused"), "cid": {"n": 3}})
    further = {"agent": "ben", "else": {"agent": "cid"}}
    steps = [agent("one", output="x", on_failure={"external": further}), agent("two", agent="dot", context=["x"])]
    run = await rehearse(plan_of(steps), ports)

    assert ["one", "one/on_failure", "one/on_failure/on_failure", "two"] == ports.calls
    assert {"n": 3} == run.scope.variables.values["x"]
    assert "recovered" == run.statuses()["one"] == run.statuses()["one/on_failure"]


async def test_people_come_last():
    ports = FakePorts(agents={"ann": failing("unavailable"), "ben": failing("refused")}, people=saying("approve"))
    ways = {"external": {"agent": "ben", "else": "escalate"}}
    run = await rehearse(plan_of([agent("one", on_failure=ways), agent("two", agent="dot")]), ports)

    assert ("completed", ["one", "one/on_failure", "two"]) == (run.state, ports.calls)
    assert ["chief"] == [one for opening in ports.openings for one in opening.subject.approvers]


async def test_a_class_is_provided_for_and_others_spread():
    run = await rehearse(
        plan_of([agent("one", on_failure={"timeout": "continue"})]), FakePorts(agents={"ann": failing("unavailable")})
    )

    assert ("failed", {"one": "failed"}) == (run.state, run.statuses())


def rungs(run, path):
    return [(one.rung, one.who, one.code, one.number, one.outcome) for one in run.journal.get(path).rungs]


def tried_often(code):
    return EffectFailed(code, "it would not", tried="attempt 3 of 3", applied="no", attempts=3)


CLIMBED = {"external": {"agent": "ben", "else": "escalate"}}


async def test_the_record_says_why_each_rung_was_taken():
    ports = FakePorts(agents={"ann": tried_often("unavailable"), "ben": failing("refused")}, people=saying("approve"))
    run = await rehearse(plan_of([agent("one", on_failure=CLIMBED)]), ports)

    assert [("retry", "", "unavailable", 3, "failed"), ("fallback", "ben", "unavailable", 0, "failed")] == rungs(
        run, "one"
    )
    assert [("people", "chief", "refused", 0, "succeeded")] == rungs(run, "one/on_failure")
    assert "let ben do it: failed, since unavailable: it would not" == str(run.journal.get("one").rungs[1])


@pytest.mark.parametrize(
    ("way", "rung", "outcome"),
    [
        ("continue", ("continue", ""), "succeeded"),
        ([agent("mend", agent="cid")], ("steps", "mend"), "succeeded"),
        ("abort", ("abort", ""), "failed"),
        ("escalate", ("people", "chief"), "failed"),
    ],
)
async def test_what_came_of_a_rung_is_recorded(way, rung, outcome):
    ports = FakePorts(agents={"ann": failing()}, people=saying("reject"))
    run = await rehearse(plan_of([agent("one", on_failure={"any": way})]), ports)

    assert [(*rung, "tool_failed", 0, outcome)] == rungs(run, "one")


async def test_what_was_tried_is_recorded_where_nothing_was_provided_for():
    run = await rehearse(plan_of([agent("one")]), FakePorts(agents={"ann": tried_often("unavailable")}))

    assert ("failed", [("retry", "", "unavailable", 3, "failed")]) == (run.state, rungs(run, "one"))


async def test_a_step_that_is_tried_again_as_a_whole_says_why_each_time():
    step = {"kind": "group", "step": "g", "steps": [agent("a")], "retry": {"attempts": 3, "first": "1s"}}
    ports = FakePorts(agents={"ann": [failing("unavailable"), failing("timed_out"), 1]})
    run = await rehearse(plan_of([step]), ports)

    assert [("retry", "", "unavailable", 2, "failed"), ("retry", "", "timed_out", 3, "succeeded")] == rungs(run, "g")


async def test_people_see_everything_that_was_tried():
    ports = FakePorts(agents={"ann": tried_often("unavailable"), "ben": failing("refused")}, people=saying("approve"))
    await rehearse(plan_of([agent("one", on_failure=CLIMBED)]), ports, limits=CURRENT)
    [asked] = ports.openings

    assert [
        "tried again, 3 tries in all: failed, since unavailable: it would not",
        "let ben do it: failed, since unavailable: it would not",
    ] == asked.context["what was tried"]


async def test_missions_from_before_ask_as_they_did():
    """What they ask is signed: another context would be another question."""
    ports = FakePorts(agents={"ann": tried_often("unavailable")}, people=saying("approve"))
    await rehearse(plan_of([agent("one", on_failure={"any": "escalate"})]), ports)

    assert [{}] == [opening.context for opening in ports.openings]


async def test_a_hand_over_on_a_rung_takes_none_twice():
    plan = plan_of([agent("one", on_failure=CLIMBED), agent("two", agent="cid")])
    first = FakePorts(agents={"ann": tried_often("unavailable")}, stop_after=1)
    scope = scope_of(plan, first, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    run = await rehearse(plan, FakePorts(), carried=carry(scope))

    assert [("retry", "", "unavailable", 3, "failed"), ("fallback", "ben", "unavailable", 0, "succeeded")] == rungs(
        run, "one"
    )


WAIT = timedelta(seconds=100)
ANY_SCOPE = scope_of(plan_of([agent("one")]), FakePorts(), {})


@given(st.text(min_size=1), st.integers(1, 99), st.floats(1, 10), st.booleans())
def test_waits_between_attempts_of_a_whole_step_vary_and_are_the_same_on_replay(mission, number, factor, now):
    scope = replace(ANY_SCOPE, mission=Mission(mission, "run-1", "rita"), limits=CURRENT if now else Limits())
    retry = Retry(attempts=100, first=WAIT, factor=factor, most=WAIT * 50)
    whole = min(WAIT * min(factor ** (number - 1), 50), retry.most)
    waits = [pause(retry, number, f"g#{number}", scope) for _ in range(2)]

    assert waits[0] == waits[1]
    assert whole / 2 <= waits[0] <= whole if now else waits[0] == whole


def test_missions_that_failed_together_do_not_come_back_together():
    shares = [chance(f"m-{number}", "run", "g#1") for number in range(1000)]

    assert len(set(shares)) == 1000
    assert 0 <= min(shares) < 0.02
    assert 0.98 < max(shares) <= 1
    assert abs(sum(shares) / 1000 - 0.5) < 0.05


async def laid_aside(ports, *steps):
    """Walk a mission whose failures wait for operators, until nobody has said anything for an hour."""
    scope = scope_of(plan_of(list(steps), dead_letter={"timeout": "1h"}), ports, {}, limits=CURRENT)
    return await follow_under_control(scope, {}), scope


async def test_the_last_rung_is_the_dead_letter_which_says_all_that_was_tried():
    ports = FakePorts(agents={"ann": tried_often("unavailable"), "ben": failing("refused")})
    ending, scope = await laid_aside(ports, agent("one", on_failure={"external": {"agent": "ben"}}))

    assert ("failed", "refused", "one/on_failure") == (ending.state, ending.failure.code, ending.failure.step)
    assert (
        "tried again, 3 tries in all: failed, since unavailable: it would not",
        "let ben do it: failed, since unavailable: it would not",
    ) == scope.control.letter.tried
    assert [("dead_letter", "refused")] == [(r.rung, r.code) for r in scope.journal.get("one/on_failure").rungs]


async def test_people_who_do_not_answer_leave_it_to_the_operators():
    """Where a failure waits for operators, silence is no refusal: nobody has said no."""
    ports = FakePorts(agents={"ann": failing()})
    ending, scope = await laid_aside(ports, agent("one", on_failure={"any": "escalate"}))

    assert ("failed", "unanswered", "one") == (ending.state, ending.failure.code, ending.failure.step)
    assert ["people", "dead_letter"] == [rung.rung for rung in scope.journal.get("one").rungs]
    assert ("asked chief: failed, since tool_failed: it would not",) == scope.control.letter.tried


async def test_without_a_dead_letter_silence_refuses():
    run = await rehearse(plan_of([agent("one", on_failure={"any": "escalate"})]), FakePorts(agents={"ann": failing()}))

    assert "refused" == run.state


UNSURE = {"ann": CodeAgent(callable="tests:none", confidence_floor=0.8)}


@pytest.mark.parametrize("word", ["confidence_low", "agent"])
async def test_an_unsure_answer_may_go_to_another_agent(word):
    ports = FakePorts(agents={"ann": {"confidence": 0.2}, "ben": {"confidence": 0.9}})
    step = agent("one", output="x", on_failure={word: {"agent": "ben"}})
    run = await rehearse(plan_of([step], UNSURE), ports)

    assert ("completed", {"confidence": 0.9}, []) == (run.state, run.scope.variables.values["x"], ports.openings)
    assert ("confidence_low", "its confidence is 0.2; at least 0.8 is asked for") == (
        run.journal.get("one").failure.code,
        run.journal.get("one").failure.cause,
    )


@pytest.mark.parametrize(
    ("more", "asked"),
    [({"on_failure": {"any": "continue"}}, 1), ({"on_failure": {"agent": "abort"}, "below_floor": "continue"}, 0)],
    ids=["any provides for no unsure answer", "below_floor comes first"],
)
async def test_nobody_is_left_out_by_chance(more, asked):
    ports = FakePorts(agents={"ann": {"confidence": 0.2}}, people=saying("approve"))
    run = await rehearse(plan_of([agent("one", **more)], UNSURE), ports)

    assert ("completed", asked) == (run.state, len(ports.openings))
