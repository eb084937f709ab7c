"""`fleet_patch` on Temporal: real agents, the real company, signed decisions, and two missions over one fleet."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from live_mission import LiveMissions, Running, live_missions, load_input
from temporalio.client import Client, WorkflowFailureError

from tests.demo.company_program import Program
from tests.workflows.test_mission import replays

OPENSSL = load_input("fleet_patch", "advisories/openssl.json")
LIBC6 = load_input("fleet_patch", "advisories/libc6.json")
PLANT = load_input("fleet_patch", "advisories/plant_openssl.json")


@pytest.fixture
async def fleet(skipping: Client, keyed_home: Path, tmp_path: Path) -> AsyncIterator[LiveMissions]:
    """A company of its own, whose fleet nobody else patches, and time that is skipped until the window opens."""
    program = Program(tmp_path / "company.db")
    try:
        async with live_missions(skipping, keyed_home, program.url) as missions:
            yield missions
    finally:
        program.stop()


async def begun(fleet: LiveMissions, given) -> Running:
    return await fleet.start("fleet_patch", given, requested_by="pavel")


async def done(fleet: LiveMissions, running: Running, tool: str) -> list[str]:
    """Return the hosts of every effect of a tool."""
    return [one["arguments"]["host"] for one in await fleet.effects(running) if one["tool"] == tool]


async def test_what_is_approved_is_patched_and_what_is_worse_is_rolled_back(fleet: LiveMissions):
    started = await begun(fleet, OPENSSL)
    asked = await started.gate("schedule")
    await started.answer("schedule", "hanne")
    result = await started.result()
    report = await started.output("report")

    assert ("completed", "partly_patched") == (result.state, result.verdict)
    assert sorted(asked.subject.arguments["hosts"]) == sorted(await done(fleet, started, "patch_host"))
    assert ["mail-01"] == await done(fleet, started, "unpatch_host")
    assert ["mail-01"] == [one["host"] for one in report["failed"]]
    assert "db-01" in report["exposed"]
    assert "open_ticket" == (await fleet.effects(started))[-1]["tool"]
    await replays(started.handle)


async def test_where_too_many_are_worse_everything_is_undone_the_last_first(fleet: LiveMissions):
    started = await begun(fleet, LIBC6)
    await started.answer("schedule", "hanne")
    with pytest.raises(WorkflowFailureError):
        await started.result()
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


async def test_two_missions_over_one_fleet_never_touch_a_host_at_once(fleet: LiveMissions):
    """Both want all hosts, for two packages. Each host is patched and verified by one before the other begins on it."""
    quiet = {**LIBC6, "advisory": {**LIBC6["advisory"], "fixed": "2.41-13"}}
    one, other = await begun(fleet, OPENSSL), await begun(fleet, quiet)
    await one.answer("schedule", "hanne")
    await other.answer("schedule", "hanne")
    results = await asyncio.gather(one.result(), other.result())
    spans = [*await held(one), *await held(other)]

    assert ["partly_patched", "patched"] == [result.verdict for result in results]
    assert len(spans) > 15
    for number, (host, role, start, end) in enumerate(spans):
        for other_host, other_role, other_start, other_end in spans[:number]:
            if host == other_host or role == other_role:
                assert end <= other_start or other_end <= start


async def held(running: Running) -> list[tuple[str, str, object, object]]:
    """Return for each host when a mission worked on it: from its first look to the verifier's last word."""
    records = {one.path: one for one in (await running.state()).records}
    found = []
    for path, record in records.items():
        if path.endswith("/patch_one") and record.locks:
            first, last = records[f"{path}/look_before"], records[f"{path}/verify"]
            names = sorted(record.locks.names)
            found.append((*names, first.started_at, last.ended_at))
    return found
