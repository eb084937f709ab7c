"""One command for many missions: shown before, answered by each."""

import asyncio
import uuid
from datetime import timedelta

import pytest
from stage import given
from terminal import at_terminal

from contracts.definition import DeadLetterBox
from starter.launch import launch
from starter.state import read_state

WHY = ("--reason", "the desk is back", "--as", "lena")


def failing():
    """A mission of one step, which waits with its failure for somebody to say how it goes on."""
    argument = given()
    last = argument.plan.definition.steps[-1]
    changed = argument.plan.definition.model_copy(
        update={"steps": (last,), "dead_letter": DeadLetterBox(timeout=timedelta(hours=1))}
    )
    return argument.model_copy(update={"plan": argument.plan.model_copy(update={"definition": changed}).sealed()})


async def begun(client, cast, number, argument=None):
    """Start missions that come to wait, and return their ids and the query that finds them."""
    cast.broken.add("file_ticket")
    tag = f"many-{uuid.uuid4().hex[:8]}"
    ids = [f"{tag}-{one}" for one in range(number)]
    for mission in ids:
        await launch(client, argument or failing(), mission)
    wanted = "waiting" if argument else "dead_letter"
    return ids, await found(client, f"WorkflowId STARTS_WITH '{tag}' AND MissionState = '{wanted}'", number)


async def found(client, query, number):
    async with asyncio.timeout(20):
        while len([one async for one in client.list_workflows(query)]) < number:
            await asyncio.sleep(0.05)
    return query


async def state(client, mission):
    return (await read_state(client, mission)).state


async def test_all_that_failed_is_tried_again_where_it_failed(gonogo, client, cast):
    ids, where = await begun(client, cast, 3)
    cast.broken.clear()
    told = await gonogo("retry", "--where", where, "--yes", *WHY, "--json")
    results = [await client.get_workflow_handle(one).result() for one in ids]

    assert (0, [(one, True) for one in ids]) == (
        told.code,
        sorted((one["id"], one["accepted"]) for one in told.json),
    )
    assert {"completed"} == {result["state"] for result in results}


async def test_only_missions_that_run_are_commanded(gonogo, client, cast):
    ids, where = await begun(client, cast, 2)
    await gonogo("abort", ids[0], *WHY)
    await client.get_workflow_handle(ids[0]).result()
    told = await gonogo("pause", "--where", where.partition(" AND")[0], "--yes", *WHY, "--json")

    assert (0, [ids[1]]) == (told.code, [one["id"] for one in told.json])
    assert "lena" == (await read_state(client, ids[1])).paused.by


async def test_what_a_mission_refuses_is_told_beside_what_the_others_took(gonogo, client, cast, waiting):
    ids, _ = await begun(client, cast, 1)
    cast.broken.clear()
    query = await found(client, f"WorkflowId IN ('{ids[0]}', '{waiting}')", 2)
    told = await gonogo("retry", "--where", query, "--yes", *WHY, "--json")
    results = {one["id"]: (one["accepted"], one["said"]) for one in told.json}

    assert 1 == told.code
    assert (False, f"mission {waiting} waits with no failure: name the STEP to begin anew") == results[waiting]
    assert results[ids[0]][0]


async def test_nothing_is_done_where_nobody_can_be_asked(gonogo, client, cast):
    ids, where = await begun(client, cast, 2)
    told = await gonogo("abort", "--where", where, *WHY)

    assert (1, True) == (told.code, "2 missions match and nobody is asked: add --yes to abort all of them" in told.err)
    assert ["dead_letter"] * 2 == [await state(client, one) for one in ids]


async def test_at_a_terminal_the_missions_are_shown_and_the_number_is_typed(client, cast, server, shared_home):
    ids, where = await begun(client, cast, 2)
    environment = {"TEMPORAL_ADDRESS": server.address, "GONOGO_HOME": str(shared_home)}
    async with at_terminal("abort", "--where", where, *WHY, **environment) as (terminal, process):
        shown = await terminal.until("Type 2 to go on: ")
        terminal.press("y\n")
        rest = await terminal.rest()
        left = await process.wait()
    kept = [await state(client, one) for one in ids]
    async with at_terminal("abort", "--where", where, *WHY, **environment) as (terminal, process):
        await terminal.until("Type 2 to go on: ")
        terminal.press("2\n")
        done = await terminal.rest()
        code = await process.wait()

    assert all(one in shown for one in ids)
    assert (1, True, ["dead_letter"] * 2) == (left, "nothing was done" in rest, kept)
    assert (0, True) == (code, "2 of 2 took it" in done)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("abort", *WHY), 2, "name one mission by its ID or many by --where"),
        (("abort", "m-1", "--where", "a = 1", *WHY), 2, "name one mission by its ID or many by --where"),
        (("pause", "--where", "Colour = 'red'", "--yes", *WHY), 2, "--where cannot be read"),
        (("retry", "nobody", *WHY), 1, "no mission 'nobody'"),
    ],
)
async def test_what_cannot_be_meant_is_refused_in_a_sentence(gonogo, client, words, code, said):
    told = await gonogo(*words)

    assert (code, True) == (told.code, said in told.err)


async def test_where_nothing_matches_nothing_is_done_and_nothing_failed(gonogo, client):
    told = await gonogo("abort", "--where", "WorkflowId = 'nobody'", *WHY)

    assert (0, True) == (told.code, "no mission that runs matches" in told.out)
