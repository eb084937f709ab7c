"""Whoever wants to be asked later is asked later: the code, that nothing was done, and the wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.actions import ActionExecutor
from activities.agents import AgentRunner
from activities.failure import LATEST, Code, failure
from activities.later import stands, waiting
from activities.mcp_tools import ToolServers
from activities.memory import Memory
from activities.rate_limit import seconds
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call
from tests.activities.service import Service, tools
from tests.activities.test_agent import MINDS
from tests.activities.test_agent import call as agent_call


@contextmanager
def throttled(service: Service, until: str) -> Iterator[None]:
    """Let every request to a server come too soon."""
    service.throttled = until
    try:
        yield
    finally:
        service.throttled = ""


async def test_an_answer_that_says_too_many_is_tried_again_never_sooner_than_it_asks(
    executor: ActionExecutor, service: Service
) -> None:
    before = len(service.calls)
    with throttled(service, "20"):
        error = await failing(stage().run(executor.execute, call("file_ticket")))

    assert ("rate_limited", "no", True) == told(error)
    assert f"file_ticket: {service.url} wants to be asked later" == error.message
    assert timedelta(seconds=20) < error.next_retry_delay <= timedelta(seconds=21)
    assert before == len(service.calls)


async def test_a_server_that_was_known_before_may_say_so_too(executor: ActionExecutor, service: Service) -> None:
    await stage().run(executor.execute, call("file_ticket"))
    with throttled(service, format_datetime(datetime.now(UTC) + timedelta(seconds=30))):
        error = await failing(stage().run(executor.execute, call("file_ticket")))

    assert "rate_limited" == error.type
    assert timedelta(seconds=25) < error.next_retry_delay <= timedelta(seconds=31)
    await stage().run(executor.execute, call("file_ticket"))


async def test_a_tool_may_say_so_itself(executor: ActionExecutor) -> None:
    error = await failing(stage().run(executor.execute, call("throttle")))

    assert ("rate_limited", "no", True) == told(error)
    assert "throttle: forty a minute" == error.message
    assert timedelta(seconds=7) < error.next_retry_delay <= timedelta(seconds=8)


async def test_an_agent_s_code_may_say_so(servers: ToolServers) -> None:
    runner = AgentRunner(MINDS, tools(), servers)
    error = await failing(stage().run(runner.run, agent_call("waiting_in_line")))

    assert ("halted", "no", False) == told(error)
    assert "waiting_in_line: the model is busy" == error.message
    [halt] = error.details[0]["halts"]
    moment = datetime.fromisoformat(halt["target"].removeprefix("rate_limit:"))
    assert timedelta(seconds=80) < moment - datetime.now(UTC) <= timedelta(seconds=91)


async def test_what_an_agent_has_begun_goes_on_with_its_next_attempt_and_what_is_no_wait_is_a_failure() -> None:
    def told_later(code: Code = "rate_limited", after: float | None = 60, kept: Any = None, *, thinks: bool) -> Any:
        memory = Memory()
        memory.kept = kept
        return waiting(failure(code, "busy", after=timedelta(seconds=after) if after else None), memory, thinks=thinks)

    def paid() -> Any:
        memory = Memory()
        memory.tally.begin("small", 10)
        return waiting(failure("rate_limited", "busy", after=timedelta(seconds=60)), memory, thinks=True)

    def types() -> list[str | None]:
        asked_only = {"messages": "…", "found": None}
        waits = [told_later(thinks=False), told_later(kept=asked_only, thinks=True)]
        others = [told_later(kept="/jobs/1", thinks=False), paid(), told_later(after=None, thinks=False)]
        others += [told_later(after=4_000, thinks=False), told_later("unavailable", thinks=False)]
        return [one.type for one in (*waits, *others)]

    assert ["halted", "halted", *["rate_limited"] * 4, "unavailable"] == stage().run(types)


async def test_who_was_asked_to_come_later_is_kept_until_then_and_no_longer() -> None:
    now = datetime.now(UTC)
    targets = [f"rate_limit:{(now + timedelta(seconds=wait)).isoformat()}" for wait in (60, -1)]

    held = [await stands(target) for target in (*targets, "rate_limit:soon")]

    assert [targets[0], None, None] == [one and one.target for one in held]


def test_a_wait_that_nobody_waits_out_is_no_attempt() -> None:
    error = stage().run(failure, "rate_limited", "x", after=LATEST + timedelta(seconds=1))

    assert (True, None) == (error.non_retryable, error.next_retry_delay)


@given(st.floats(0, LATEST.total_seconds()), st.integers(1, 60))
def test_no_attempt_comes_before_it_was_asked_for_and_many_do_not_come_together(after: float, attempt: int) -> None:
    environment, wanted = stage(attempt=attempt), timedelta(seconds=after)
    delays = [environment.run(failure, "rate_limited", "x", after=wanted).next_retry_delay for _ in range(20)]

    assert all(wanted < delay <= wanted + timedelta(minutes=1) for delay in delays)
    assert len(set(delays)) > 1


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("7", timedelta(seconds=7)),
        (2.5, timedelta(seconds=2.5)),
        (-3, timedelta()),
        ("Wed, 21 Oct 2015 07:28:00 GMT", timedelta()),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        (True, None),
        (None, None),
        ({}, None),
    ],
)
def test_a_wait_is_a_number_of_seconds_or_a_moment(said: object, wait: timedelta | None) -> None:
    assert wait == seconds(said)
