"""Watching, listing, cancelling, proving: what each verb prints, and how it leaves."""

import asyncio
import json
import os
import uuid
from pathlib import Path

import pytest
from launched import process
from stage import given, wait_at_gate

from activities.content import ContentStore
from contracts.artifact import Artifact
from contracts.audit import AuditEntry
from contracts.risk import RiskFile
from contracts.view import MissionView
from starter.chronicle import chronicle
from starter.launch import launch
from starter.state import read_gates
from starter.watch import watch
from tests.payloads import PLACE

ASIDE = frozenset(("state", "receipt", "timer", "policy", "observation", "cost"))


async def eventually(look, seconds=10):
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


async def test_a_mission_is_shown_with_what_it_waits_for(gonogo, waiting):
    told = await gonogo("show", waiting)

    assert 0 == told.code
    assert "waits at isolate: lead to allow isolate_host" in told.out
    assert "web-01 beacons  siem" in told.out


async def test_shown_as_json_it_is_the_whole_view_and_nothing_else(gonogo, waiting):
    told = await gonogo("show", waiting, "--json")

    view = MissionView.model_validate(told.json)
    assert (waiting, "waiting", "otto") == (view.id, view.state, view.requested_by)


@pytest.mark.parametrize("verb", ["show", "follow", "audit"])
async def test_an_unknown_mission_is_one_line(gonogo, client, verb):
    told = await gonogo(verb, "no-such-mission")

    assert (1, "", 1) == (told.code, told.out, len(told.err.splitlines()))
    assert "no mission 'no-such-mission'" in told.err


async def test_following_ends_with_the_verdict_and_exit_code_0(gonogo, waiting):
    following = asyncio.create_task(gonogo("follow", waiting))
    await _approve(waiting)
    told = await following

    assert 0 == told.code
    assert "approved by maya" in told.out
    assert "verdict  contained" in told.out


async def _approve(mission, person="maya", verb="approve"):
    """Decide without the command line, whose output another command is writing to."""
    from starter.connect import reach, settings
    from starter.sign import Wish, find_opening, prepare, send, signed

    client = await reach(settings())
    claims = prepare(await find_opening(client, mission, "isolate"), Wish(verb, "because"), person)
    return await send(client, claims, signed(person, claims))


async def test_following_a_mission_that_is_refused_exits_with_1(gonogo, waiting):
    following = asyncio.create_task(gonogo("follow", waiting, "--json"))
    await _approve(waiting, verb="reject")
    told = await following

    assert (1, "refused") == (told.code, told.json["state"])


async def test_observations_are_seen_while_the_agent_still_works(client, cast):
    from stage import given

    from starter.launch import launch

    cast.watched.clear()
    mission = f"check-{uuid.uuid4().hex[:8]}"
    await launch(client, given(), mission)
    seen = []
    async for news in watch(client, mission, period=0.05):
        seen += [line.text for line in news.lines if line.sign == "finding"]
        if seen and not cast.watched.is_set():
            assert ["running"] == [record.status for record in news.view.records]
            cast.watched.set()
        if news.view.waiting:
            break

    assert ["web-01 beacons"] == seen


async def test_missions_are_listed_by_state(gonogo, waiting):
    async def listed():
        told = await gonogo("list", "--state", "waiting", "--json")
        return [one for one in told.json if one["id"] == waiting]

    (mission,) = await eventually(listed)

    assert ("host_check", "waiting", "blue", ["lead"]) == tuple(
        mission[name] for name in ("mission", "state", "team", "awaiting")
    )
    assert waiting in (await gonogo("list")).out


async def test_a_state_that_does_not_exist_is_a_usage_error(gonogo):
    told = await gonogo("list", "--state", "sleeping")

    assert (2, True) == (told.code, "choose one of running, waiting" in told.err)


async def test_a_mission_stopped_from_outside_is_not_listed_as_running(gonogo, client, waiting):
    await client.get_workflow_handle(waiting).terminate()

    async def listed():
        missions = (await gonogo("list", "--json")).json
        return [one["state"] for one in missions if one["id"] == waiting and one["ended_at"]]

    assert ["terminated"] == await eventually(listed)


async def test_the_queue_says_who_what_and_until_when(gonogo, waiting):
    async def queued():
        return [one for one in (await gonogo("queue", "--role", "lead", "--json")).json if one["id"] == waiting]

    (entry,) = await eventually(queued)

    assert ("isolate", ["lead"], "isolate_host", "web-01") == (
        entry["step"],
        entry["approvers"],
        entry["tool"],
        entry["arguments"]["host"],
    )
    told = await gonogo("queue", "--all")
    assert "isolate_host(host='web-01', reason='beacons to a known bad address')" in told.out


async def test_the_queue_of_a_role_that_nothing_waits_for_is_empty(gonogo, waiting):
    assert [] == (await gonogo("queue", "--role", "cook", "--json")).json
    assert 2 == (await gonogo("queue", "--role", "x' OR 'a'='a")).code


async def test_cancelling_says_why_and_the_mission_ends_cancelled(gonogo, client, waiting):
    told = await gonogo("cancel", waiting, "--reason", "false alarm")
    handle = client.get_workflow_handle(waiting)
    await eventually(lambda: _closed(handle))
    again = await gonogo("cancel", waiting, "--reason", "false alarm")

    assert (0, 1) == (told.code, again.code)
    assert "has already ended (canceled)" in again.err
    assert (await gonogo("show", waiting, "--json")).json["reason"] == "false alarm"


async def _closed(handle):
    return (await handle.describe()).close_time


async def test_the_audit_names_every_actor_and_needs_no_worker(gonogo, client, waiting, cast):
    cast.broken.add("file_ticket")
    await gonogo("approve", waiting, "isolate", "--as", "otto")
    await gonogo("approve", waiting, "isolate", "--as", "maya", "--comment", "go")
    await eventually(lambda: _closed(client.get_workflow_handle(waiting)))

    told = await gonogo("audit", waiting, "--json")

    entries = [AuditEntry.model_validate(entry) for entry in told.json]
    assert [
        ("mission started", "otto"),
        ("agent asked", "looker"),
        ("agent answered", "looker"),
        ("decision refused", "otto"),
        ("decision accepted", "maya"),
        ("action ordered", "isolate_host"),
        ("action executed", "isolate_host"),
        ("action ordered", "file_ticket"),
        ("action failed", "file_ticket"),
        ("compensation ordered", "release_host"),
        ("compensation executed", "release_host"),
        ("mission failed", "host_check"),
    ] == [(one.what, one.who) for one in entries if one.topic not in ASIDE and one.what != "decision received"]
    assert all(one.digest.startswith("sha256:") for one in entries if one.what.startswith(("agent", "decision")))


async def test_the_audit_never_shows_a_token(gonogo, waiting):
    token = json.loads((await gonogo("approve", waiting, "isolate", "--as", "maya", "--print")).out)
    await gonogo("approve", waiting, "isolate", "--as", "maya")

    told = await gonogo("audit", waiting, "--json")

    assert token.split(".")[0] not in told.out


async def test_the_audit_follows_the_whole_chain_of_runs(gonogo, client, cast):
    from stage import given

    from starter.launch import launch

    mission = f"check-{uuid.uuid4().hex[:8]}"
    await launch(client, given(events_per_run=16), mission)
    await eventually(lambda: _at_gate(client, mission))
    await _approve(mission)
    await client.get_workflow_handle(mission).result()

    entries = await chronicle(client, mission)

    assert 1 < len({entry.run_id for entry in entries})
    assert 1 == [entry.what for entry in entries].count("mission started")
    assert "mission completed" == entries[-1].what


async def _at_gate(client, mission):
    from starter.state import read_gates

    return await read_gates(client, mission)


async def test_histories_replay_from_the_server_and_from_a_file(gonogo, client, waiting, tmp_path):
    file = tmp_path / "history.json"
    file.write_text((await client.get_workflow_handle(waiting).fetch_history()).to_json())

    told = await gonogo("replay", str(file), "--id", waiting, "--json")

    assert (0, [True, True]) == (told.code, [one["replays"] for one in told.json])


async def test_a_history_that_the_code_would_not_make_is_named_and_exits_with_1(gonogo, client, waiting, tmp_path):
    history = json.loads((await client.get_workflow_handle(waiting).fetch_history()).to_json())
    scheduled = next(event for event in history["events"] if "activityTaskScheduledEventAttributes" in event)
    scheduled["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "another"
    file = tmp_path / "mutant.json"
    file.write_text(json.dumps(history))

    code, out, err = await process("replay", str(file), "--json")
    (told,) = json.loads(out)
    assert (1, "", False) == (code, err, told["replays"])
    assert "'another' does not match activity type" in told["reason"]

    in_words = await gonogo("replay", str(file))
    assert (1, 1) == (in_words.code, len(in_words.out.splitlines()))
    assert "mutant" in in_words.out
    assert "does NOT replay" in in_words.out


async def test_what_is_no_history_is_said(gonogo, tmp_path):
    (tmp_path / "a.json").write_text('{"events": 7}')

    assert 2 == (await gonogo("replay")).code
    assert (2, 1) == ((told := await gonogo("replay", str(tmp_path / "a.json"))).code, len(told.err.splitlines()))


async def test_two_approvers_are_asked_for_in_the_queue(gonogo, client):
    mission = await wait_at_gate(client, required=2)

    async def shown():
        return f"{mission}" in (out := (await gonogo("queue", "--all")).out) and "lead (0 of 2)" in out

    assert await eventually(shown)


async def test_explain_tells_what_agents_noticed_and_a_finding_s_code_is_another_verb(gonogo, waiting):
    told = await gonogo("explain", waiting)
    [step] = (await gonogo("explain", waiting, "look", "--json")).json

    assert (0, True, True) == (told.code, "look" in told.out, "web-01 beacons" in told.out)
    assert ("look", [(1, "finding", "web-01 beacons", "siem", 1)]) == (
        step["step"],
        [tuple(one[key] for key in ("number", "kind", "text", "source", "attempt")) for one in step["observations"]],
    )
    assert (1, True) == ((none := await gonogo("explain", waiting, "nowhere")).code, "no agent of" in none.err)
    assert (1, True) == ((code := await gonogo("explain", "CYCLE")).code, "`gonogo finding CYCLE`" in code.err)


async def test_explain_tells_in_a_few_words_how_risky_each_action_may_come_to_be(gonogo, client):
    weighed = {"factors": {"sure": {"weight": 1, "value": "confidence == null ? 0.0 : 1.0 - confidence"}}}
    levels = {"low": {"at": 0}, "high": {"at": 50, "people": 2}}
    risky = given()
    plan = risky.plan.model_copy(update={"risk": RiskFile.model_validate({**weighed, "levels": levels})}).sealed()
    mission = f"check-{uuid.uuid4().hex[:8]}"
    await launch(client, risky.model_copy(update={"plan": plan}), mission)
    assert await eventually(lambda: read_gates(client, mission))

    told = await gonogo("explain", mission)
    [one] = (await gonogo("explain", mission, "isolate", "--json")).json

    isolate = "isolate  risk 0 to 100, 1 to 2 must approve; found 10 (low)"
    assert [isolate, "report  risk 0 to 100, nobody to 2 must approve"] == told.out.splitlines()[-2:]
    assert ("isolate", 0, 100, 2) == (one["step"], *(one["risk"][name] for name in ("least", "most", "people_most")))
    assert "risk" not in (await gonogo("explain", mission, "look")).out


async def test_files_that_steps_left_are_listed_read_and_checked(gonogo, client, cast, tmp_path):
    place = os.environ[PLACE]
    digest = await ContentStore(place).put(b"# Report")
    report = Artifact(name="report.md", media_type="text/markdown", digest=digest, size=8)
    cast.files = (report, report.model_copy(update={"name": "../../evil"}))
    mission = await wait_at_gate(client)

    listed = (await gonogo("artifacts", mission, "--json")).json
    assert {"step": "look", **report.model_dump()} == listed[0]
    assert digest in (await gonogo("artifacts", mission)).out
    assert "# Report" == (await gonogo("artifact", mission, "report.md")).out
    assert 0 == (await gonogo("artifact", mission, "report.md", "-o", str(tmp_path))).code
    assert b"# Report" == (tmp_path / "report.md").read_bytes()

    refused = await gonogo("artifact", mission, "../../evil", "-o", str(tmp_path))
    assert (2, True) == (refused.code, "is no name of a file" in refused.err)
    assert (1, True) == ((none := await gonogo("artifact", mission, "plan.md")).code, "has left 'plan.md'" in none.err)
    hexadecimal = digest.removeprefix("sha256:")
    (Path(place) / hexadecimal[:2] / hexadecimal).write_bytes(b"# Forged")
    spoilt = await gonogo("artifact", mission, "report.md")
    assert (1, True) == (spoilt.code, "is something else" in spoilt.err)
