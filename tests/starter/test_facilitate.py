"""Speaking in a party from the command line: what is shown is what is signed, and each refusal says why."""

import asyncio
import json
import uuid
from contextlib import suppress

import pytest
from stage import plan
from temporalio.service import RPCError

from contracts.definition import PartyStep
from contracts.mind import CodeAgent
from contracts.party import Party
from contracts.plan import MissionInput
from starter.launch import launch
from starter.state import read_gates, read_state


@pytest.fixture
async def talking(client, cast):
    """The id of a mission whose party talks: the first turn goes on until the test is over."""
    cast.watched.clear()
    party = Party(topic="Isolate it?", members=("looker", "other"), rounds=3, tokens=9_000, facilitator=("lead",))
    known = plan()
    definition = known.definition.model_copy(update={"steps": (PartyStep(step="talk", party=party, output="said"),)})
    agents = dict.fromkeys(party.members, CodeAgent(callable="stage:look"))
    sealed = known.model_copy(update={"definition": definition, "agents": agents}).sealed()
    mission = f"talk-{uuid.uuid4().hex[:8]}"
    await launch(client, MissionInput(plan=sealed, inputs={"host": "web-01"}, requested_by="otto"), mission)
    while not await read_gates(client, mission):
        await asyncio.sleep(0.02)
    yield mission
    with suppress(RPCError):  # It may have come to its end by itself.
        await client.get_workflow_handle(mission).terminate()
    cast.watched.set()


async def test_words_are_shown_signed_and_heard(gonogo, client, talking):
    told = await gonogo("facilitate", talking, "talk", "interject", "--as", "maya", "--comment", "Mind the audit")
    again = await gonogo("facilitate", talking, "talk", "end", "--as", "maya", "--json")
    [gate] = await read_gates(client, talking)

    assert (0, "") == (told.code, told.err)
    assert "Isolate it?" in told.out
    assert "it takes effect when the turns that run now have ended" in told.out
    assert (0, "heard", "end") == (again.code, again.json["state"], again.json["verb"])
    assert [("maya", "interject", "Mind the audit"), ("maya", "end", "")] == [
        (vote.person, vote.verb, vote.comment) for vote in gate.votes
    ]


async def test_the_mission_runs_and_the_queue_says_who_may_speak(gonogo, client, talking):
    view = await read_state(client, talking)
    while not [one for one in (await gonogo("queue", "--json", "--role", "lead")).json if one["id"] == talking]:
        await asyncio.sleep(0.05)
    queue, shown = await gonogo("queue", "--all", "--role", "lead"), await gonogo("show", talking)

    assert "running" == view.state
    assert "may speak: Isolate it?" in " ".join(queue.out.split())
    assert f"gonogo facilitate {talking} talk interject" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("end", "--as", "otto"), 1, "otto requested this mission and may not decide in it"),
        (("interject", "--as", "maya"), 2, "an interjection needs its words"),
        (("approve", "--as", "maya"), 2, "a facilitator can call_vote, end, interject"),
        (("end",), 2, "who decides? gonogo facilitate"),
    ],
)
async def test_what_cannot_be_said_is_refused(gonogo, talking, arguments, code, said):
    told = await gonogo("facilitate", talking, "talk", *arguments)

    assert (code, True) == (told.code, said in told.err), told.err


async def test_an_approval_is_no_word_in_a_party(gonogo, talking):
    told = await gonogo("approve", talking, "talk", "--as", "maya")

    assert (1, True) == (told.code, "which nobody can at a party that talks" in told.err)


async def test_printed_words_travel_as_a_signal(gonogo, client, talking):
    told = await gonogo("facilitate", talking, "talk", "call_vote", "--as", "lena", "--print")
    await client.get_workflow_handle(talking).signal("decide", json.loads(told.out))
    async with asyncio.timeout(10):
        while not (await read_gates(client, talking))[0].votes:
            await asyncio.sleep(0.02)

    assert 1 == len(told.out.splitlines())
