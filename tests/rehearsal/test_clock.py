"""Time that is skipped: exact, in order, and the same each time."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from rehearsal.clock import Clock, Halted, Stalled

START = datetime(2026, 1, 1, tzinfo=UTC)


def nothing():
    return None


def seconds(number):
    return timedelta(seconds=number)


def test_a_year_passes_at_once():
    clock, began = Clock(START), time.monotonic()

    clock.run(clock.pause(timedelta(days=365)), nothing)

    assert START + timedelta(days=365) == clock.now
    assert time.monotonic() - began < 5


def test_pauses_end_in_the_order_of_time_and_those_of_one_moment_in_the_order_of_asking():
    clock, seen = Clock(START), []

    async def sleeper(name, span):
        await clock.pause(seconds(span))
        seen.append((name, (clock.now - START).total_seconds()))

    async def work():
        await asyncio.gather(*(sleeper(name, span) for name, span in (("a", 3), ("b", 1), ("c", 3), ("d", 2))))

    clock.run(work(), nothing)

    assert [("b", 1), ("d", 2), ("a", 3), ("c", 3)] == seen


def test_what_one_pause_leads_to_comes_before_the_next_pause_of_the_same_moment():
    clock, seen = Clock(START), []

    async def chain(name):
        await clock.pause(seconds(1))
        seen.append(name)
        for _ in range(5):
            await asyncio.sleep(0)
        seen.append(name)

    async def work():
        await asyncio.gather(chain("a"), chain("b"))

    clock.run(work(), nothing)

    assert ["a", "a", "b", "b"] == seen


def test_a_condition_that_has_come_true_is_met_before_time_goes_on():
    clock, known = Clock(START), []

    async def waiter():
        await clock.condition(lambda: bool(known))
        return clock.now

    async def work():
        waiting = asyncio.ensure_future(waiter())
        await clock.pause(seconds(5))
        known.append(1)
        later = asyncio.ensure_future(clock.pause(seconds(60)))
        assert START + seconds(5) == await waiting
        await later

    clock.run(work(), nothing)


def test_asyncio_s_own_sleep_takes_no_time_either():
    clock = Clock(START)

    clock.run(asyncio.sleep(3_600), nothing)

    assert 3_600 == pytest.approx((clock.now - START).total_seconds())


def test_where_nothing_can_happen_any_more_it_stalls():
    clock, ended = Clock(START), []

    with pytest.raises(Stalled):
        clock.run(clock.condition(lambda: False), lambda: ended.append(clock.now))
    assert [START] == ended


def test_whoever_halts_goes_on_no_more_and_nothing_swallows_it():
    clock, went_on = Clock(START), []

    async def work():
        try:
            await clock.halt(Halted("enough"))
        except Exception:
            went_on.append("swallowed")
        went_on.append("on")

    with pytest.raises(Halted, match="enough"):
        clock.run(work(), nothing)
    assert [] == went_on


def test_what_the_work_raises_comes_out():
    clock = Clock(START)

    async def work():
        await clock.pause(seconds(1))
        raise KeyError("bug")

    with pytest.raises(KeyError):
        clock.run(work(), nothing)


def test_what_work_beside_the_rest_raises_is_not_lost():
    clock = Clock(START)

    async def bug():
        await clock.pause(seconds(1))
        raise KeyError("bug")

    async def work():
        clock.beside(bug())
        await clock.pause(seconds(60))

    with pytest.raises(KeyError):
        clock.run(work(), nothing)
