"""How each shipped mission is played to its verdict: with which sample, and what people say to it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from live_mission import LiveMissions, Running, load_input
from temporalio.testing import TimeSkipper
from test_release_mission import begun, ended, stage

Play = Callable[[LiveMissions, TimeSkipper], Awaitable[Running]]


async def triage(live: LiveMissions, skipper: TimeSkipper) -> Running:
    del skipper
    started = await live.start("incident_triage", load_input("incident_triage", "alerts/beaconing_workstation.json"))
    await started.answer("isolate", "ines")
    return started


async def prd(live: LiveMissions, skipper: TimeSkipper) -> Running:
    del skipper
    request = load_input("create_prd", "requests/field_console.json")
    started = await live.start("create_prd", request, requested_by="priya")
    await started.answer("look", "leif")
    await started.answer("accept", "jonas")
    return started


async def architecture(live: LiveMissions, skipper: TimeSkipper) -> Running:
    del skipper
    proposal = load_input("architecture_review", "proposals/measurement_hub.json")
    started = await live.start("architecture_review", proposal, requested_by="devon")
    for step, person in (("ask_lead", "ingrid"), ("ask_cto", "sanna"), ("publish", "otis")):
        await started.answer(step, person)
    return started


async def investment(live: LiveMissions, skipper: TimeSkipper) -> Running:
    del skipper
    case = load_input("technology_investment", "cases/warehouse_robots.json")
    started = await live.start("technology_investment", case, requested_by="pilar")
    board = await started.gate("board")
    for person in ("odile", "tomasz"):
        assert (await started.decide(board, person)).accepted
    return started


async def release(live: LiveMissions, skipper: TimeSkipper) -> Running:
    started = await begun(live, load_input("release_rollout", "releases/field_sync_2_4_0.json"), "migrate")
    await ended(started, "prepare_backfill")
    await skipper.fast_forward(started.handle, timedelta(minutes=31))
    for percent, people in ((1, ["wanda"]), (10, ["kofi"]), (50, ["marit"]), (100, ["wanda", "marit"])):
        await stage(started, skipper, percent, *people)
    return started


async def patch(live: LiveMissions, skipper: TimeSkipper) -> Running:
    advisory = load_input("fleet_patch", "advisories/openssl.json")
    started = await live.start("fleet_patch", advisory, requested_by="pavel")
    await started.answer("schedule", "hanne")
    await skipper.fast_forward(started.handle)
    return started


COME_TO: dict[str, tuple[Play, str]] = {
    "incident_triage": (triage, "auto_remediate"),
    "create_prd": (prd, "approved"),
    "architecture_review": (architecture, "published"),
    "technology_investment": (investment, "invest"),
    "release_rollout": (release, "released"),
    "fleet_patch": (patch, "partly_patched"),
}
"""What each comes to with the people's answers given here, whoever plays its agents."""
