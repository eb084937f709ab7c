"""Patch management: only what a change allows is patched, once, and taken back by whoever did it."""

from datetime import UTC, datetime, timedelta

import pytest
from company_program import ask
from hypothesis import given
from hypothesis import strategies as st
from mcp.client.client import Client

from demo.data.software import WINDOWS
from demo.server import CompanyServer
from demo.window import ENOUGH, next_window

WINDOW = {"opens": "2031-01-01T03:00:00Z", "closes": "2031-01-01T05:00:00Z"}
PATCH = {"package": "openssl", "version": "3.5.4-1", "case": "case-1"}
CHANGE = {**PATCH, **WINDOW, "hosts": ["web-01"], "reason": "an advisory"}
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))


class Caller:
    """Calls tools, each effect under a key of its own."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.keys = 0

    async def act(self, tool: str, **arguments):
        self.keys += 1
        meta = {"gonogo/idempotency-key": f"k-{self.keys}"}
        return await self.client.call_tool(tool, arguments, meta=meta)

    async def done(self, tool: str, **arguments):
        result = await self.act(tool, **arguments)
        assert not result.is_error, result.structured_content
        return result.structured_content

    async def refused(self, tool: str, **arguments) -> str:
        result = await self.act(tool, **arguments)
        assert result.is_error
        return result.structured_content["reason"]

    async def version(self, host: str) -> str:
        return (await ask(self.client, "host_health", host=host))["versions"]["openssl"]


@pytest.fixture
async def call(company: CompanyServer):
    async def run(work):
        async with Client(company) as client:
            return await work(Caller(client))

    return run


async def test_without_a_change_nothing_is_patched(call):
    async def work(one: Caller):
        return await one.refused("patch_host", host="web-01", **PATCH), await one.version("web-01")

    assert ("no change of case-1 lets web-01 have openssl 3.5.4-1: schedule one", "3.5.1-1") == await call(work)


@pytest.mark.parametrize(
    "other", [{"host": "web-02"}, {"version": "3.6.0-1"}, {"case": "case-2"}, {"package": "libc6"}]
)
async def test_a_change_allows_what_it_names_and_nothing_else(call, other):
    async def work(one: Caller):
        await one.done("schedule_change", **CHANGE)
        return await one.refused("patch_host", **{"host": "web-01", **PATCH, **other})

    assert "schedule one" in await call(work)


async def test_a_patch_is_taken_back_to_what_was_there_before(call):
    async def work(one: Caller):
        await one.done("schedule_change", **CHANGE)
        patched = await one.done("patch_host", host="web-01", **PATCH)
        again = await one.done("patch_host", host="web-01", **PATCH)
        others = await one.done("unpatch_host", host="web-01", package="openssl", case="case-2")
        back = await one.done("unpatch_host", host="web-01", package="openssl", case="case-1")
        return [(each["version"], each["changed"]) for each in (patched, again, others, back)]

    assert [("3.5.4-1", True), ("3.5.4-1", False), ("3.5.4-1", False), ("3.5.1-1", True)] == await call(work)


async def test_a_change_that_was_withdrawn_allows_nothing(call):
    async def work(one: Caller):
        await one.done("schedule_change", **CHANGE)
        first = await one.done("withdraw_change", case="case-1")
        second = await one.done("withdraw_change", case="case-1")
        return first["changed"], second["changed"], await one.refused("patch_host", host="web-01", **PATCH)

    assert (True, False, "no change of case-1 lets web-01 have openssl 3.5.4-1: schedule one") == await call(work)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"hosts": ["ghost-01"]}, "no host is named 'ghost-01' in the inventory"),
        ({"hosts": ["vpn-01"]}, "vpn-01 does not have openssl"),
        ({"closes": WINDOW["opens"]}, "the window closes at 2031-01-01T03:00:00Z, before it opens"),
        ({"opens": "soon"}, "'soon' is no time"),
    ],
)
async def test_a_change_that_cannot_be_is_refused(call, changed, why: str):
    async def work(one: Caller):
        return await one.refused("schedule_change", **{**CHANGE, **changed})

    assert (await call(work)).startswith(why)


async def test_a_bad_version_is_felt_and_its_rollback_too(call):
    async def work(one: Caller):
        await one.done("schedule_change", **{**CHANGE, "hosts": ["mail-01"]})
        before = await ask(one.client, "host_health", host="mail-01")
        await one.done("patch_host", host="mail-01", **PATCH)
        during = await ask(one.client, "host_health", host="mail-01")
        await one.done("unpatch_host", host="mail-01", package="openssl", case="case-1")
        return before, during, await ask(one.client, "host_health", host="mail-01")

    before, during, after = await call(work)

    assert before == after
    assert {"name": "smtp-tls", "up": False} in during["services"]
    assert during["error_rate"] > before["error_rate"]


async def test_a_moment_that_has_passed_is_no_window(call):
    async def work(one: Caller):
        past = await ask(one.client, "maintenance_window", environment="production", after="2020-01-01T00:00:00Z")
        return past, await ask(one.client, "maintenance_window", environment="moon")

    window, nowhere = await call(work)

    assert window["closes"] > datetime.now(UTC).isoformat()
    assert {"environment": "moon", "found": False, "opens": "", "closes": ""} == nowhere


@given(st.sampled_from(sorted(WINDOWS)), MOMENTS)
def test_the_next_window_leaves_enough_time_and_comes_within_eight_days(environment: str, moment: datetime):
    opens, closes = next_window(environment, moment)
    left = closes - max(opens, moment)

    assert left >= ENOUGH
    assert opens - moment <= timedelta(days=8)
    assert (opens, closes) == next_window(environment, max(moment, opens))
