"""The first good answer wins; the others are cancelled."""

import asyncio

import pytest

from tests.interpreter.fakes import FakePorts, carry, failing, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps


def race(*branches, **more):
    return {"kind": "race", "step": "race", "output": "found", "race": list(branches), **more}


ANN, BEN, CID = (agent(name, agent=name) for name in ("ann", "ben", "cid"))


async def never(_):
    await asyncio.Event().wait()


async def test_the_first_answer_wins_and_the_others_are_cancelled():
    ports = FakePorts(agents={"ann": never, "ben": {"n": 2}, "cid": never})
    run = await rehearse(plan_of([race(ANN, BEN, CID)]), ports)

    assert {"winner": "ben", "answer": {"n": 2}} == run.scope.variables.values["found"]
    expected = {"race": "succeeded", "race/ann": "cancelled", "race/ben": "succeeded", "race/cid": "cancelled"}
    assert expected == run.statuses()


async def test_an_answer_that_is_not_good_does_not_win():
    ports = FakePorts(agents={"ann": {"sure": 0.2}, "ben": {"sure": 0.9}})
    run = await rehearse(plan_of([race(ANN, BEN, good="result.sure > 0.5")]), ports)

    assert "ben" == run.scope.variables.values["found"]["winner"]


async def test_who_fails_is_out_of_the_race_and_no_more():
    ports = FakePorts(agents={"ann": failing(), "ben": {"n": 2}})
    run = await rehearse(plan_of([race(ANN, BEN)]), ports)

    assert ("completed", "ben") == (run.state, run.scope.variables.values["found"]["winner"])


async def test_a_race_that_nobody_wins_says_why_for_each():
    ports = FakePorts(agents={"ann": failing(), "ben": {"sure": 0.1}})
    run = await rehearse(plan_of([race(ANN, BEN, good="result.sure > 0.5")]), ports)

    assert ("failed", "no_winner") == (run.state, run.error.failure.code)
    assert "race/ann" in run.error.failure.cause
    assert "ben answered, and not well enough" in run.error.failure.cause


async def test_what_a_branch_sets_is_its_own():
    group = {"kind": "group", "step": "g", "steps": [agent("in", agent="ben", output="x")]}
    run = await rehearse(plan_of([race(group)]), FakePorts(agents={"ben": {"n": 1}}))

    assert {"found"} == set(run.scope.variables.values)
    assert {"winner": "g", "answer": {"in": {"n": 1}}} == run.scope.variables.values["found"]


async def test_a_test_of_goodness_that_fails_fails_the_race():
    run = await rehearse(plan_of([race(ANN, BEN, good="result.nothing > 1")]), FakePorts())

    assert ("failed", "expression_error") == (run.state, run.error.failure.code)


@pytest.mark.parametrize("every", [1, 2, 3])
async def test_over_hand_overs_nobody_runs_twice(every):
    plan = plan_of([race(ANN, BEN, CID, good="result.n == 3"), agent("after", agent="dot", context=["found"])])
    carried, calls = None, []
    for _ in range(20):
        ports = FakePorts(agents={"ann": failing(), "ben": {"n": 2}, "cid": {"n": 3}, "dot": {}}, stop_after=every)
        scope = scope_of(plan, ports, {}, carried)
        try:
            await run_steps(plan.definition.steps, "", scope)
        except Suspended:
            calls += ports.calls
            carried = carry(scope)
        else:
            calls += ports.calls
            break

    assert "cid" == scope.variables.values["found"]["winner"]
    assert ["race/ann", "race/ben", "race/cid", "after"] == calls
