"""`gonogo approve` without a step: what waits for me, each with its own question."""

import asyncio

import pytest
from stage import HOST, wait_at_gate
from temporalio.client import Client
from terminal import at_terminal

from contracts.workspace import Tool
from starter.beside import tell
from starter.inbox import routine
from starter.state import read_gates
from tests.policies import permit_all

TOOLS = """
servers: {company: {url: 'http://127.0.0.1:1/mcp'}}
tools:
  isolate_host:
    server: company
    effect: write
    routine: true
    compensated_by: [release_host]
  release_host: {server: company, effect: write}
"""
PEOPLE = "escalation: {role: lead}\npeople: {maya: {roles: [lead]}}\n"


@pytest.fixture
def workspace(tmp_path):
    """A workspace in which isolating a host is routine."""
    for name, text in (("agents.yaml", "agents: {}\n"), ("tools.yaml", TOOLS), ("people.yaml", PEOPLE)):
        (tmp_path / name).write_text(text)
    return permit_all(tmp_path)


@pytest.fixture
async def nobody_else_waits(client: Client):
    """No mission of another test waits for these people."""
    async for mission in client.list_workflows("ExecutionStatus = 'Running'"):
        await client.get_workflow_handle(mission.id).terminate()
    while [one async for one in client.list_workflows("ExecutionStatus = 'Running'")]:
        await asyncio.sleep(0.05)


async def listed(client: Client, *missions: str) -> None:
    """Wait until visibility knows that these missions wait."""
    asked = "AwaitingRole = 'lead' AND ExecutionStatus = 'Running'"
    async with asyncio.timeout(20):
        while {one.id async for one in client.list_workflows(asked)} != set(missions):
            await asyncio.sleep(0.05)


@pytest.fixture
def person(server, shared_home, workspace, nobody_else_waits):
    """What a person's terminal is told of the place."""
    place = {"TEMPORAL_ADDRESS": server.address, "GONOGO_HOME": str(shared_home), "GONOGO_WORKSPACE": str(workspace)}
    return {**place, "GONOGO_PERSON": "maya"}


async def test_what_is_routine_takes_one_key_and_nothing_typed_before_it_counts(client, cast, person):
    mission = await wait_at_gate(client)
    await listed(client, mission)

    async with at_terminal("approve", **person) as (screen, process):
        screen.press("aaaa")
        said = await screen.until("[q]uit ")
        await asyncio.sleep(0)
        assert [] == cast.ledger
        screen.press("a")
        await screen.until("the gate is approved")
        assert 0 == await process.wait()

    for line in ('host: "web-01"', 'reason: "beacons to a known bad address"', "reversible: it can be undone", mission):
        assert line in said, said
    await client.get_workflow_handle(mission).result()
    assert ["isolate_host", "file_ticket"] == cast.ledger


async def test_what_is_not_routine_is_shown_in_full_and_answered_with_a_word(client, cast, person):
    approved, rejected, left = [await wait_at_gate(client, required) for required in (2, 2, 2)]
    await listed(client, approved, rejected, left)

    async with at_terminal("approve", **person) as (screen, process):
        for answer in ("a\napprove\nchecked\n", "reject\ntoo risky\n", "\n"):
            said = await screen.until("Enter leaves it waiting, quit ends: ")
            assert "at the deadline" in said
            screen.press(answer.partition("\n")[0] + "\n")
            for line in answer.splitlines()[1:]:
                await screen.until(": " if line != "checked" else "why? ")
                screen.press(line + "\n")
        assert 0 == await process.wait()

    assert [] == cast.ledger
    votes = [gate.votes for mission in (approved, rejected, left) for gate in await read_gates(client, mission)]
    assert [["approve"], []] == [[vote.verb for vote in some] for some in votes]


async def test_nothing_waits_for_who_asked_for_it_or_has_decided_or_may_not(gonogo, client, cast, nobody_else_waits):
    mission = await wait_at_gate(client, 2)
    await listed(client, mission)
    await gonogo("approve", mission, "isolate", "--as", "maya")

    mine = {name: (await gonogo("approve", "--as", name, "--json")).json for name in ("maya", "lena", "otto")}

    assert ([], [mission], []) == (mine["maya"], [one["id"] for one in mine["lena"]], mine["otto"])


async def test_with_a_mission_only_what_waits_in_that_is_listed(gonogo, client, cast, nobody_else_waits):
    one, other = await wait_at_gate(client), await wait_at_gate(client)
    await listed(client, one, other)

    assert [one] == [gate["id"] for gate in (await gonogo("approve", one, "--as", "maya", "--json")).json]


async def test_without_a_terminal_it_lists_and_politely_says_how_to_decide(gonogo, client, waiting, nobody_else_waits):
    mission = await wait_at_gate(client)
    await listed(client, mission)

    told = await gonogo("approve", "--as", "maya")

    assert (2, True) == (told.code, mission in told.out)
    assert (
        f"nobody is at a terminal to be asked about each: name one, as in `gonogo approve {mission} isolate" in told.err
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "who decides? gonogo approve --as PERSON"),
        (("--as", "maya", "--comment", "all of them"), "are for one gate"),
        (("--as", "nobody"), "nobody here is called 'nobody'"),
    ],
)
async def test_what_cannot_be_meant_is_refused(gonogo, server, arguments, said):
    told = await gonogo("approve", *arguments)

    assert (2, True) == (told.code, said in told.err), told.err


ROUTINE = Tool(server="company", effect="write", routine=True, compensated_by=("release_host",), input=HOST)


@pytest.mark.parametrize(
    ("changed", "contract", "is_routine"),
    [
        ({}, {}, True),
        ({}, {"routine": False}, False),
        ({}, {"effect": "irreversible"}, False),
        ({}, {"approvals": 2}, False),
        ({"required": 2}, {}, False),
        ({"compensation": None}, {}, False),
        ({"compensation": "file_ticket"}, {}, False),
        ({"undo": None}, {}, False),
        ({"kind": "escalation"}, {}, False),
        ({"arguments": {"host": "web-01", "reason": "x" * 3000}}, {}, False),
        ({"plan_digest": "sha256:0"}, {}, False),
    ],
)
async def test_routine_is_only_what_this_workspace_says_can_be_undone_and_what_is_read_at_a_glance(
    client, waiting, changed, contract, is_routine
):
    (gate,) = await read_gates(client, waiting)
    gate = gate.model_copy(update={"subject": gate.subject.model_copy(update=changed)})
    told = await tell(client, gate)

    assert is_routine == routine(gate, told, {"isolate_host": ROUTINE.model_copy(update=contract)})
    assert not routine(gate, told, {})


async def test_what_comes_too_thick_is_one_line_in_the_queue_unless_each_is_asked_for(
    gonogo, client, cast, workspace, nobody_else_waits, monkeypatch
):
    monkeypatch.setenv("GONOGO_WORKSPACE", str(workspace))
    (workspace / "people.yaml").write_text(PEOPLE + "at_most: {requests: 1, per: 1h}\n")
    missions = [await wait_at_gate(client) for _ in range(3)]
    await listed(client, *missions)

    short, whole = await gonogo("queue", "--role", "lead"), await gonogo("queue", "--all")
    data = (await gonogo("queue", "--json")).json

    assert 1 == sum(mission in short.out for mission in missions)
    assert "and 2 more for lead: 2 reversible; the first with 59m" in short.out
    assert 3 == sum(mission in whole.out for mission in missions)
    assert [False, True, True] == [one["summed"] for one in data]
    assert {"reversible"} == {one["risk"] for one in data}
