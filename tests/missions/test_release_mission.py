"""`release_rollout` on Temporal: real agents, signed decisions, a plan that is made while it runs, each way out."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from live_mission import LiveMissions, Running, load_input
from temporalio.client import WorkflowFailureError
from temporalio.testing import TimeSkipper

from tests.workflows.test_mission import replays

FIELD, ORDER, CALIBRATION, FIRMWARE = (
    load_input("release_rollout", f"releases/{name}.json")
    for name in ("field_sync_2_4_0", "order_desk_5_1_0", "calibration_api_3_0_0", "firmware_hub_1_9_2")
)
BAKE = timedelta(minutes=11)


async def begun(live: LiveMissions, release: dict[str, Any], migrations: str) -> Running:
    """Start it, approve the plan and its migrations, which are asked for at once."""
    started = await live.start("release_rollout", release, requested_by="ravi")
    await started.answer("prepare/plan[1]", "marit")
    await started.answer(f"prepare/{migrations}", "emeka")
    return started


async def ended(started: Running, step: str) -> None:
    """Wait until a step has succeeded."""
    async with asyncio.timeout(20):
        while True:
            records = (await started.state()).records
            if any(one.path.endswith(step) and one.status == "succeeded" for one in records):
                return
            await asyncio.sleep(0.02)


async def said(started: Running, step: str, person: str, verb: str = "approve", **fields: Any) -> None:
    """Answer by the clock of this machine: the executor has no other, whatever time the mission has skipped."""
    receipt = await started.decide(await started.gate(step), person, verb, iat=int(time.time()), **fields)
    assert receipt.accepted, receipt.reason


async def stage(started: Running, skipper: TimeSkipper, percent: int, *people: str) -> None:
    """Let people approve a stage, and let it bake."""
    for person in people:
        await said(started, f"roll_out[{percent}]/deploy_release", person)
    await ended(started, f"roll_out[{percent}]/deploy_release")
    await skipper.fast_forward(started.handle, BAKE)


async def done(live: LiveMissions, started: Running) -> list[tuple[str, Any]]:
    """Return what the company saw: each tool with the share that it was about."""
    seen = await live._seen("effects", lambda one: one["arguments"].get("case", "").startswith(started.handle.id))
    return [(one["tool"], one["arguments"].get("percent")) for one in seen]


async def test_a_healthy_release_goes_to_everybody_when_two_people_say_so(live: LiveMissions, skipper: TimeSkipper):
    started = await begun(live, FIELD, "migrate")
    await ended(started, "prepare_backfill")
    await skipper.fast_forward(started.handle, timedelta(minutes=31))
    await stage(started, skipper, 1, "wanda")
    await stage(started, skipper, 10, "kofi")
    await stage(started, skipper, 50, "marit")
    last = await started.gate("roll_out[100]/deploy_release")
    own = await started.decide(last, "ravi")
    await stage(started, skipper, 100, "wanda", "marit")
    result = await started.result()

    assert ("completed", "released", False, 2) == (result.state, result.verdict, own.accepted, last.subject.required)
    tools = [tool for tool, _ in await done(live, started)]
    assert ["apply_migration", "apply_migration", "open_ticket"] == sorted(tools[:3])
    assert [("deploy_release", share) for share in (1, 10, 50, 100)] == (await done(live, started))[3:]
    rollout = await started.output("roll_out")
    assert [(one["stage"], one["metrics"]["share"]) for one in rollout["stages"]][-1] == (100, 100)
    await replays(started.handle)


async def test_a_release_that_fails_at_ten_percent_is_taken_back(live: LiveMissions, skipper: TimeSkipper):
    started = await begun(live, ORDER, "prepare_index")
    await stage(started, skipper, 1, "wanda")
    await stage(started, skipper, 10, "kofi")
    with pytest.raises(WorkflowFailureError):
        await started.result()
    view = await started.state()

    assert [
        ("apply_migration", None),
        ("deploy_release", 1),
        ("deploy_release", 10),
        ("rollback_release", 10),
        ("rollback_release", 1),
        ("open_ticket", None),
        ("revert_migration", None),
    ] == await done(live, started)
    assert "stage 10 was undone, stage 1 was undone; open_ticket answered" in view.reason
    incident = await started.output("roll_out/open_ticket")
    assert ("open", f"{started.handle.id}-incident") == (incident["status"], incident["case"])
    await replays(started.handle)


async def test_what_the_policy_stops_asks_nobody_and_does_nothing(live: LiveMissions):
    started = await live.start("release_rollout", CALIBRATION, requested_by="ravi")
    result = await started.result()

    assert ("completed", "held") == (result.state, result.verdict)
    assert [] == await done(live, started)


async def test_a_plan_that_is_rejected_is_made_again_by_what_was_said(live: LiveMissions):
    started = await live.start("release_rollout", FIELD, requested_by="ravi")
    first = (await started.gate("prepare/plan[1]")).context["plan"]
    await started.answer("prepare/plan[1]", "marit", "reject", "Leave out the notice.")
    second = (await started.gate("prepare/plan[2]")).context["plan"]
    await started.answer("prepare/plan[2]", "marit", "reject", "Not this week")
    await started.answer("prepare/plan[3]", "marit", "reject", "Not this week")
    result = await started.result()

    assert ("refused", []) == (result.state, await done(live, started))
    assert first["digest"] != second["digest"]
    assert [("removed", "prepare_notice")] == [(one["happened"], one["step"]) for one in second["changes"]]
    await replays(started.handle)


async def test_silence_at_the_plan_refuses(hurried: LiveMissions):
    started = await hurried.start("release_rollout", FIRMWARE, requested_by="ravi")

    assert "refused" == (await started.result()).state
    assert [] == await done(hurried, started)


async def test_a_last_stage_that_one_person_rejects_is_taken_back_whole(live: LiveMissions, skipper: TimeSkipper):
    started = await begun(live, FIELD, "migrate")
    await ended(started, "prepare_backfill")
    await skipper.fast_forward(started.handle, timedelta(minutes=31))
    for percent in (1, 10, 50):
        await stage(started, skipper, percent, "wanda")
    await said(started, "roll_out[100]/deploy_release", "wanda")
    await said(started, "roll_out[100]/deploy_release", "marit", "reject", comment="support is not ready")
    result = await started.result()

    assert "refused" == result.state
    undone = [share for tool, share in await done(live, started) if tool == "rollback_release"]
    assert [50, 10, 1] == undone


async def test_a_flaw_that_no_host_has_is_the_fleets_own_mission_to_say(live: LiveMissions):
    """The child runs its own agents on the real fleet; its verdict lets the release go on to its plan."""
    advisory = {**load_input("fleet_patch", "advisories/openssl.json")["advisory"], "fixed": "0.0.1"}
    started = await live.start("release_rollout", {**FIELD, "advisory": advisory}, requested_by="ravi")
    await started.gate("prepare/plan[1]")
    patched = next(one for one in (await started.state()).records if one.path == "go/patch_hosts")
    await started.handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await started.result()

    assert {"mission": f"{started.handle.id}/go/patch_hosts", "verdict": "nothing_to_do", "state": "completed"} == (
        patched.output
    )
