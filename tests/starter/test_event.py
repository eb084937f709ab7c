"""Telling a mission of what happened outside, and seeing at a review who may object until when."""

import asyncio
import json
import uuid

from stage import plan

from contracts.definition import ReviewStep, WaitStep
from contracts.gate import Review
from contracts.plan import MissionInput
from contracts.wait import Wait
from starter.launch import launch
from starter.state import read_gates, read_state

RESTORED = WaitStep(step="restored", wait=Wait(event="restored", key="db-1"), timeout="1d", output="backup")
REVIEW = ReviewStep(step="look_over", review=Review(reviewers=("lead",), timeout="4h", message="Mind the gap?"))


async def begun(client, *steps):
    whole = plan()
    definition = whole.definition.model_copy(update={"steps": steps})
    given = MissionInput(
        plan=whole.model_copy(update={"definition": definition}).sealed(), inputs={"host": "h"}, requested_by="otto"
    )
    mission = f"event-{uuid.uuid4().hex[:8]}"
    await launch(client, given, mission)
    return mission


async def test_an_event_reaches_its_step_with_its_payload_and_is_in_the_audit(gonogo, client, tmp_path):
    mission = await begun(client, RESTORED)
    payload = tmp_path / "backup.json"
    payload.write_text('{"size": 4}')

    other = await gonogo("event", mission, "restored", "--key", "db-2")
    told = await gonogo("event", mission, "restored", "--key", "db-1", "--payload", str(payload), "--id", "e-1")
    await client.get_workflow_handle(mission).result()
    [record] = (await read_state(client, mission)).records
    audit = await gonogo("audit", mission, "--json")

    assert (0, 0, "") == (other.code, told.code, told.err)
    assert f"told {mission} of restored (db-1); it is kept until a step waits for it" in told.out
    assert {"size": 4} == record.output
    events = [entry["detail"]["key"] for entry in json.loads(audit.out) if entry["what"] == "event received"]
    assert ["db-2", "db-1"] == events


async def test_an_event_for_a_mission_that_has_ended_is_refused(gonogo, client):
    mission = await begun(client, RESTORED)
    await gonogo("event", mission, "restored", "--key", "db-1")
    await client.get_workflow_handle(mission).result()

    told = await gonogo("event", mission, "restored", "--key", "db-1")

    assert (1, f"gonogo: mission {mission} has ended: it waits for no event any more\n") == (told.code, told.err)


async def test_an_event_for_no_mission_is_refused(gonogo):
    told = await gonogo("event", "nothing-here", "restored")

    assert (1, True) == (told.code, "no mission 'nothing-here'" in told.err)


async def test_a_review_says_that_it_goes_on_and_how_to_object(gonogo, client):
    mission = await begun(client, REVIEW)
    while not await read_gates(client, mission):
        await asyncio.sleep(0.02)

    shown = await gonogo("show", mission)
    queue = await gonogo("queue", "--all")
    objected = await gonogo("reject", mission, "look_over", "--as", "maya", "--comment", "not yet")
    result = await client.get_workflow_handle(mission).result()

    assert "goes on unless lead objects" in " ".join(shown.out.split())
    assert f"gonogo reject {mission} look_over --comment 'why'" in " ".join(shown.out.split())
    assert "Mind the gap?" in queue.out
    assert 0 == objected.code
    assert ("refused", "look_over met an objection: not yet") == (result["state"], result["reason"])
