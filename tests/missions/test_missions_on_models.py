"""Every shipped mission runs to its verdict with a model at an OpenAI-compatible address in place of its agents."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import plays
import pytest
from live_mission import LiveMissions, Running, live_missions, load_input
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from triage_desk import MISSIONS
from understudy import WORDED, played, understudy

from contracts.plan import MissionResult
from contracts.record import Record
from starter import render
from tests.demo.company_program import Program
from tests.model_server import Asked, ModelServer, Reply, model_serving

pytestmark = pytest.mark.slow
"""Together: they share a worker and a company."""


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[ModelServer]:
    async with model_serving() as server:
        yield server


@pytest.fixture(scope="module")
async def modelled(
    client: Client, keyed_home: Path, model: ModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LiveMissions]:
    """Shipped missions whose agents are played by a model, in a company of their own."""
    program = Program(tmp_path_factory.mktemp("modelled") / "company.db")
    try:
        async with live_missions(client, keyed_home, program.url, model_url=model.url) as missions:
            yield missions
    finally:
        program.stop()


async def triage(live: LiveMissions, skipper: TimeSkipper) -> Running:
    del skipper
    started = await live.start("incident_triage", load_input("incident_triage", "alerts/beaconing_workstation.json"))
    asked = await started.gate("isolate")
    assert WORDED in asked.subject.message
    await started.answer("isolate", "ines")
    return started


COME_TO = {**plays.COME_TO, "incident_triage": (triage, "auto_remediate")}


def test_no_shipped_mission_is_left_out() -> None:
    assert {path.parent.name for path in MISSIONS.glob("*/mission.yaml")} == set(COME_TO)


@pytest.mark.parametrize("mission", sorted(COME_TO))
async def test_a_mission_comes_to_its_verdict_on_a_model_alone(
    modelled: LiveMissions, model: ModelServer, skipper: TimeSkipper, mission: str
) -> None:
    play, verdict = COME_TO[mission]
    model.begin().otherwise = understudy

    started = await play(modelled, skipper)
    result: MissionResult = await started.result()
    view = await started.state()
    # Who lost a race may have been stopped before its model had said anything.
    runs = [one for one in view.records if one.usage.agent_runs and one.status in {"succeeded", "failed"}]

    assert ("completed", verdict) == (result.state, result.verdict)
    assert {one.actor for one in runs} == {played(asked) for asked in model.asked}
    assert [] == [one.path for one in runs if not thought_by_the_model(one)]
    assert 0 < result.spent.tokens == result.spent.unpriced
    assert "price unknown" in render.cost(result.spent)


def looking_twice(asked: Asked) -> Reply:
    """Ask each tool again for what it has just answered."""
    calls = [one["function"] for message in asked.body["messages"] for one in message.get("tool_calls") or ()]
    if len(calls) % 2 == 0:
        return understudy(asked)
    return Reply(calls=((calls[-1]["name"], json.loads(calls[-1]["arguments"])),))


async def test_a_model_that_looks_at_the_fleet_call_by_call_gets_through_it(
    modelled: LiveMissions, model: ModelServer
) -> None:
    """A fleet is as large as it is: how often its planner may ask is not what bounds it."""
    model.begin().otherwise = looking_twice

    advisory = load_input("fleet_patch", "advisories/libc6.json")
    started = await modelled.start("fleet_patch", advisory, requested_by="pavel")
    asked = await started.gate("schedule")
    await started.handle.terminate()

    assert 30 < len(model.asked)
    assert asked.subject.arguments["hosts"]


def thought_by_the_model(record: Record) -> bool:
    """Whether a model was asked, paid for, and heard as the agent."""
    used = record.usage
    heard = any((one.source, one.text) == ("any", f"I play {record.actor}.") for one in record.observations)
    return heard and used.model_calls > 0 and 0 < used.tokens == used.unpriced == used.input_tokens + used.output_tokens
