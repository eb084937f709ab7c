"""`gonogo why` on a real server: what policy allowed, denied and wanted approved, step by step, and who approved it."""

import uuid
from datetime import timedelta

import pytest
from launched import process
from stage import Cast, given

from activities.people import Directory
from activities.policy import Policy
from starter.launch import launch
from starter.state import read_gates
from tests.starter.test_recorder import until

CAREFUL = """
@id("rest") permit(principal, action, resource) unless { action == Action::"run_agent" };
@id("careful") @approval("lead:1") permit(principal, action == Action::"run_agent", resource);
"""
DENIED = '@id("no_tickets") forbid(principal, action == Action::"act", resource == Tool::"file_ticket");\n'


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A workspace with policies of its own, by which the worker admits and the command line reads."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "p.cedar").write_text(CAREFUL)
    monkeypatch.setenv("GONOGO_WORKSPACE", str(tmp_path))
    return tmp_path


@pytest.fixture
def cast(house, shared_home):
    made = Cast()
    made.policy = Policy(house, Directory(shared_home / "people.yaml"), {}, {})
    return made


async def begin(client):
    mission = f"check-{uuid.uuid4().hex[:8]}"
    start = given()
    limits = start.limits.model_copy(update={"admits": True, "heeds": True})
    await launch(client, start.model_copy(update={"limits": limits}), mission)
    return mission


async def test_why_tells_what_was_allowed_what_was_denied_and_what_needed_whose_approval(
    gonogo, client, house, server, shared_home
):
    mission = await begin(client)
    (gate,) = await until(lambda: read_gates(client, mission), 60)
    assert "@admission" == gate.subject.step
    place = {"GONOGO_HOME": str(shared_home), "GONOGO_WORKSPACE": str(house), "TEMPORAL_ADDRESS": server.address}
    code, out, err = await process("why", mission, "look", **place)
    asked = "host_check: run agent looker: needs approval by 1 lead by careful (policies/p.cedar:3:1)"
    assert (0, "", True) == (code, err, asked in out)
    assert 0 == (await gonogo("approve", mission, "@admission", "--as", "maya", "--comment", "it may")).code
    assert "maya (lead) said approve: it may" in (await gonogo("why", mission, "@admission")).out

    report = await gonogo("why", mission, "report")
    assert (0, True) == (
        report.code,
        "host_check: act file ticket" in report.out.replace("file_ticket", "file ticket"),
    )
    assert "allowed by rest (policies/p.cedar:2:1)" in report.out
    assert "which is not that of the policies here now" not in report.out
    told = (await gonogo("why", mission, "look", "--json")).json
    # Before people were asked, and once more when they had approved: the rules might have changed meanwhile.
    assert [("needs approval", {"lead": 1}, True)] * 2 == [
        (one["answer"]["outcome"], one["answer"]["approval"], one["at"].startswith("20")) for one in told
    ]

    (house / "policies" / "p.cedar").write_text(CAREFUL + DENIED)
    refused = await begin(client)
    await client.get_workflow_handle(refused).result(rpc_timeout=timedelta(seconds=60))
    denied = await gonogo("why", refused, "report")
    assert (0, True) == (denied.code, "denied by no_tickets (policies/p.cedar:4:1)" in denied.out)
    assert "policies sha256:" in denied.out
    assert "which is not that of the policies here now" in (await gonogo("why", mission, "report")).out
    nowhere = await gonogo("why", refused, "nowhere")
    sentence = f"policy was not asked of step 'nowhere' of {refused}; `gonogo show {refused}` has the steps"
    assert (1, f"gonogo: {sentence}\n") == (nowhere.code, nowhere.err)
