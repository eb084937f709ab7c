"""Whoever wants to be asked later is asked later: the code, that nothing was done, and the wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.actions import ActionExecutor
from activities.agents import AgentRunner
from activities.failure import LATEST, failure
from activities.mcp_tools import ToolServers
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

    assert ("rate_limited", "no", True) == told(error)
    assert "waiting_in_line: the model is busy" == error.message
    assert timedelta(seconds=90) < error.next_retry_delay <= timedelta(seconds=91)


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
