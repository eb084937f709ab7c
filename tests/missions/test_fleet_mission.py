"""`fleet_patch` on Temporal: real agents, the real company, signed decisions, and two missions over one fleet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_mission import LiveMissions, Running, live_missions, load_input
from temporalio.client import Client, WorkflowFailureError
from temporalio.testing import TimeSkipper

from contracts.plan import MissionResult
from tests.demo.company_program import Program
from tests.workflows.test_mission import replays

OPENSSL = load_input("fleet_patch", "advisories/openssl.json")
LIBC6 = load_input("fleet_patch", "advisories/libc6.json")
PLANT = load_input("fleet_patch", "advisories/plant_openssl.json")


@pytest.fixture
async def fleet(client: Client, keyed_home: Path, tmp_path: Path) -> AsyncIterator[LiveMissions]:
    """A company of its own, whose fleet nobody else patches."""
    program = Program(tmp_path / "company.db")
    try:
        async with live_missions(client, keyed_home, program.url) as missions:
            yield missions
    finally:
        program.stop()


async def begun(fleet: LiveMissions, given) -> Running:
    return await fleet.start("fleet_patch", given, requested_by="pavel")


async def approved(running: Running, skipper: TimeSkipper) -> MissionResult:
    """Approve the change, let the time pass until the window opens, and return what it came to."""
    await running.answer("schedule", "hanne")
    await skipper.fast_forward(running.handle)
    return await running.result()


async def done(fleet: LiveMissions, running: Running, tool: str) -> list[str]:
    """Return the hosts of every effect of a tool."""
    return [one["arguments"]["host"] for one in await fleet.effects(running) if one["tool"] == tool]


async def test_what_is_approved_is_patched_and_what_is_worse_is_rolled_back(fleet: LiveMissions, skipper: TimeSkipper):
    started = await begun(fleet, OPENSSL)
    asked = await started.gate("schedule")
    result = await approved(started, skipper)
    report = await started.output("report")

    assert ("completed", "partly_patched") == (result.state, result.verdict)
    assert sorted(asked.subject.arguments["hosts"]) == sorted(await done(fleet, started, "patch_host"))
    assert ["mail-01"] == await done(fleet, started, "unpatch_host")
    assert ["mail-01"] == [one["host"] for one in report["failed"]]
    assert "db-01" in report["exposed"]
    assert "open_ticket" == (await fleet.effects(started))[-1]["tool"]
    await replays(started.handle)


async def test_where_too_many_are_worse_everything_is_undone_the_last_first(fleet: LiveMissions, skipper: TimeSkipper):
    started = await begun(fleet, LIBC6)
    with pytest.raises(WorkflowFailureError):
        await approved(started, skipper)
    view = await started.state()
    effects = [one["tool"] for one in await fleet.effects(started)]
    hosts = await done(fleet, started, "patch_host")

    assert "may; the last" in view.reason
    assert sorted(hosts) == sorted(await done(fleet, started, "unpatch_host"))
    assert ("schedule_change", "withdraw_change") == (effects[0], effects[-1])
    await replays(started.handle)


async def test_a_rejected_change_touches_nothing(fleet: LiveMissions):
    started = await begun(fleet, OPENSSL)
    await started.answer("schedule", "mateo", "reject", "not in the quarter's last week")

    assert "refused" == (await started.result()).state
    assert [] == await fleet.effects(started)


async def test_where_nothing_needs_it_nobody_is_asked(fleet: LiveMissions):
    started = await begun(fleet, PLANT)

    assert "nothing_to_do" == (await started.result()).verdict
    assert [] == await fleet.effects(started)


async def test_two_missions_over_one_fleet_never_touch_a_host_at_once(fleet: LiveMissions, skipper: TimeSkipper):
    """Both want all hosts, for two packages. The company saw each of them looked at, patched and verified in one go."""
    quiet = {**LIBC6, "advisory": {**LIBC6["advisory"], "fixed": "2.41-13"}}
    await fleet.break_tool("patch_host", "slow", seconds=0.2)
    one, other = await begun(fleet, OPENSSL), await begun(fleet, quiet)
    results = await asyncio.gather(approved(one, skipper), approved(other, skipper))
    calls = await attempts(fleet)

    assert ["partly_patched", "patched"] == [result.verdict for result in results]
    assert 20 < sum(tools.count("patch_host") for tools in calls.values())
    for tools in calls.values():
        for number, tool in enumerate(tools):
            if tool == "patch_host":
                assert ["host_health", "patch_host", "host_health"] == tools[number - 1 : number + 2]


async def attempts(fleet: LiveMissions) -> dict[str, list[str]]:
    """Return the tools that were called for each host, in the order of the calls."""
    wanted = {"host_health", "patch_host", "unpatch_host"}
    found: dict[str, list[str]] = {}
    for one in await fleet._seen("attempts", lambda one: one["tool"] in wanted):
        found.setdefault(one["arguments"]["host"], []).append(one["tool"])
    return found
