"""Whoever wants to be asked later is asked later: the code, that nothing was done, and the wait."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.exceptions import ApplicationError

from activities.actions import ActionExecutor
from activities.agents import AgentRunner
from activities.content import ContentStore
from activities.failure import LATEST, failure
from activities.later import put_off, stands, taken_up
from activities.mcp_tools import ToolServers
from activities.rate_limit import seconds
from activities.runtimes.cast import Cast
from tests.activities.activity_stage import failing, stage, told
from tests.activities.office import call
from tests.activities.service import HERE, Service, tools
from tests.activities.test_agent import MINDS
from tests.activities.test_agent import call as agent_call
from tests.policies import OPEN


@contextmanager
def throttled(service: Service, until: str) -> Iterator[None]:
    """Let every request to a server come too soon."""
    service.throttled = until
    try:
        yield
    finally:
        service.throttled = ""


def wait(error: ApplicationError) -> timedelta:
    """Return how long it is waited for, in whole seconds: a step that waits takes no attempt."""
    [halt] = error.details[0]["halts"]
    return datetime.fromisoformat(halt["target"].removeprefix("rate_limit:")) - datetime.now(UTC)


async def test_an_action_that_came_too_soon_did_nothing_and_waits_as_long_as_it_is_asked_to(
    executor: ActionExecutor, service: Service
) -> None:
    before = len(service.calls)
    with throttled(service, "20"):
        error = await failing(stage().run(executor.execute, call("file_ticket")))

    assert ("halted", "no", False) == told(error)
    assert f"file_ticket: {service.url} wants to be asked later" == error.message
    assert timedelta(seconds=18) < wait(error) <= timedelta(seconds=21)
    assert before == len(service.calls)


async def test_a_server_that_was_known_before_may_say_so_too(executor: ActionExecutor, service: Service) -> None:
    await stage().run(executor.execute, call("file_ticket"))
    with throttled(service, format_datetime(datetime.now(UTC) + timedelta(seconds=30))):
        error = await failing(stage().run(executor.execute, call("file_ticket")))

    assert "halted" == error.type
    assert timedelta(seconds=23) < wait(error) <= timedelta(seconds=31)
    await stage().run(executor.execute, call("file_ticket"))


async def test_a_tool_may_say_so_itself(executor: ActionExecutor) -> None:
    error = await failing(stage().run(executor.execute, call("throttle")))

    assert ("halted", "no", False) == told(error)
    assert "throttle: forty a minute" == error.message
    assert timedelta(seconds=5) < wait(error) <= timedelta(seconds=8)


async def test_an_agent_s_code_may_say_so(servers: ToolServers) -> None:
    runner = AgentRunner(MINDS, tools(), servers, cast=Cast(outward=HERE), policy=OPEN)
    error = await failing(stage().run(runner.run, agent_call("waiting_in_line")))

    assert ("halted", "no", False) == told(error)
    assert "waiting_in_line: the model is busy" == error.message
    assert timedelta(seconds=80) < wait(error) <= timedelta(seconds=91)


async def test_what_an_agent_has_begun_is_kept_while_it_waits_and_taken_up_again(tmp_path: Path) -> None:
    store, left = ContentStore(str(tmp_path)), {"kept": "/jobs/1"}
    lost = ContentStore(str(tmp_path / "file" / "no folder"))
    (tmp_path / "file").write_text("")

    async def ends(begun: dict[str, Any] | None, where: ContentStore | None, **error: Any) -> ApplicationError:
        known = {"code": "rate_limited", "sentence": "busy", "after": timedelta(seconds=60), **error}
        return await put_off(failure(**known), begun, where)

    async def types() -> list[str | None]:
        waits = [await ends(None, None), await ends(left, store)]
        tries = [await ends(left, None), await ends(left, lost), await ends(None, store, after=None)]
        tries += [await ends(None, store, after=timedelta(seconds=4_000)), await ends(None, store, code="unavailable")]
        return [one.type for one in (*waits, *tries)]

    assert ["halted", "halted", *["rate_limited"] * 4, "unavailable"] == await stage().run(types)
    resume = (await stage().run(ends, left, store)).details[0]["resume"]
    assert (left,) == await stage().run(taken_up, resume, store)
    for unknown in ("", "sha256:" + "0" * 64, "../../etc/passwd"):
        assert not await stage().run(taken_up, unknown, store)
    assert ["beaten"] == await stage(heartbeat_details=["beaten"]).run(taken_up, resume, store)


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
