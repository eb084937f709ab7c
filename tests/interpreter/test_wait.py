"""Time passes, or something happens outside."""

from datetime import timedelta

import pytest

from contracts.event import MOST_KEPT, Event
from tests.interpreter.fakes import START, FakePorts, carry, plan_of, rehearse, scope_of
from tests.interpreter.test_steps import agent
from workflows.governance.event import Eventbook
from workflows.interpreter.ending import Suspended
from workflows.interpreter.walk import run_steps


def wait(**more):
    return {"kind": "wait", "step": "pause", "output": "p", "wait": more}


async def test_a_wait_for_a_span_ends_after_it():
    ports = FakePorts()
    run = await rehearse(plan_of([wait(**{"for": "2h"})]), ports)

    assert {"at": (START + timedelta(hours=2)).isoformat()} == run.scope.variables.values["p"]
    assert START + timedelta(hours=2) == ports.clock


async def test_a_wait_until_a_moment_ends_then():
    ports = FakePorts()
    await rehearse(
        plan_of([wait(until="when")], inputs={"properties": {"when": {}}}), ports, {"when": "2026-01-05T00:00:00Z"}
    )

    assert START + timedelta(days=4) == ports.clock


async def test_a_moment_that_has_passed_is_not_waited_for():
    ports = FakePorts()
    run = await rehearse(plan_of([wait(until="'2020-01-05T00:00:00+01:00'")]), ports)

    assert ("completed", START) == (run.state, ports.clock)


@pytest.mark.parametrize("moment", ["'tomorrow'", "'2026-01-05T00:00:00'", "5"])
async def test_what_is_no_moment_fails_the_wait(moment):
    run = await rehearse(plan_of([wait(until=moment)]), FakePorts())

    assert ("failed", "bad_input") == (run.state, run.error.failure.code)


async def test_a_hand_over_does_not_begin_the_span_again():
    plan = plan_of([agent("first"), wait(**{"for": "2h"})])
    ports = FakePorts(stop_after=1)
    scope = scope_of(plan, ports, {})
    with pytest.raises(Suspended):
        await run_steps(plan.definition.steps, "", scope)
    later = FakePorts(clock=START + timedelta(hours=1))

    await rehearse(plan, later, carried=carry(scope))

    # The step itself had not begun before the hand-over: it begins, and lasts, in the second run.
    assert START + timedelta(hours=3) == later.clock


def happened(name="restored", **more):
    return Event(event=name, **more)


async def test_an_event_that_came_before_is_not_lost():
    plan = plan_of([wait(event="restored", key="${{ 'db-' + '1' }}")])
    scope = scope_of(plan, FakePorts(), {})
    for event in (happened(key="db-2"), happened("other", key="db-1"), happened(key="db-1", payload={"n": 1})):
        scope.events.take_in(event)
    await run_steps(plan.definition.steps, "", scope)

    assert {"n": 1} == scope.variables.values["p"]
    assert 2 == len(scope.events.waiting())


async def test_an_event_that_does_not_fit_is_refused_and_the_next_is_taken():
    plan = plan_of([wait(event="restored", schema={"type": "object", "required": ["n"]})])
    scope = scope_of(plan, FakePorts(), {})
    scope.events.take_in(happened(payload={"m": 1}))
    scope.events.take_in(happened(payload={"n": 1}))
    await run_steps(plan.definition.steps, "", scope)

    assert {"n": 1} == scope.variables.values["p"]
    assert ["pause"] == [refusal.step for refusal in scope.gates.refusals]
    assert '"n" is a required property' in scope.gates.refusals[0].reason


async def test_an_event_that_never_comes_fails_the_step_at_its_bound():
    run = await rehearse(plan_of([wait(event="restored") | {"timeout": "1h"}]), FakePorts())

    assert ("failed", "timed_out") == (run.state, run.error.failure.code)


def test_the_same_event_twice_is_one():
    book = Eventbook()

    assert ["", "the event 'e1' has come already"] == [book.take_in(happened(id="e1")) for _ in range(2)]
    assert 1 == len(book.waiting())


@pytest.mark.parametrize(("bytes_", "kept"), [(70_000, 0), (60_000, 6)])
def test_events_that_would_weigh_a_mission_down_are_refused(bytes_, kept):
    book = Eventbook()
    told = [book.take_in(happened(payload="x" * bytes_, id=str(number))) for number in range(9)]

    assert kept == len(book.waiting()) == told.count("")


def test_no_more_events_are_kept_than_may_be():
    book = Eventbook()
    told = [book.take_in(happened()) for _ in range(MOST_KEPT + 1)]

    assert [""] * MOST_KEPT == told[:-1]
    assert f"{MOST_KEPT} events wait already to be taken; no more are kept" == told[-1]
