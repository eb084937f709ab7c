"""`gonogo deadletter`: what failed, why, and the ways on with the commands that take them."""

import asyncio
import re
import uuid

import pytest
from stage import given, wait_at_gate

from contracts.definition import DeadLetterBox
from starter.launch import launch
from starter.sign import Wish, find_opening, prepare, send, signed
from starter.state import read_state


async def until(look, seconds=15):
    async with asyncio.timeout(seconds):
        while not (found := await look()):
            await asyncio.sleep(0.05)
    return found


async def approve(client, mission):
    claims = prepare(await find_opening(client, mission, "isolate"), Wish("approve", "go"), "maya")
    return await send(client, claims, signed("maya", claims))


@pytest.fixture
async def failed(client, cast, gonogo):
    """The id of a mission whose last step failed and that waits for its operators."""
    del gonogo
    cast.broken.add("file_ticket")
    mission = f"check-{uuid.uuid4().hex[:8]}"
    start = given()
    definition = start.plan.definition.model_copy(update={"dead_letter": DeadLetterBox(), "operators": ("maya",)})
    plan = start.plan.model_copy(update={"definition": definition}).sealed()
    await launch(client, start.model_copy(update={"plan": plan}), mission)
    await until(lambda: _waits_at_gate(client, mission))
    await approve(client, mission)
    await until(lambda: _dead(client, mission))
    return mission


async def _waits_at_gate(client, mission):
    return (await read_state(client, mission)).waiting


async def _dead(client, mission):
    view = await read_state(client, mission)
    return view.state == "dead_letter" and (view.letter or view.waiting)


async def listed(client, mission, role):
    asked = f"AwaitingRole = '{role}' AND MissionState = 'dead_letter'"
    return mission in [one.id async for one in client.list_workflows(asked)]


async def test_a_failure_is_listed_with_every_way_on(gonogo, failed, client):
    await until(lambda: listed(client, failed, "maya"))
    told = await gonogo("deadletter", "--json")
    [letter] = [one for one in told.json if one["id"] == failed]

    assert ("failure", "report", "refused", ["maya"]) == (
        letter["kind"], letter["step"], letter["code"], letter["operators"],
    )  # fmt: skip
    commands = [way["command"] for way in letter["ways"]]
    verbs = ["retry", "retry", "skip", "redirect", "rollback", "escalate", "abort"]
    assert verbs == [command.split()[1] for command in commands]
    assert f"gonogo retry {failed} report --input FILE --reason WHY" == commands[1]


async def test_each_command_that_is_named_is_one_that_there_is(gonogo, failed, client):
    await until(lambda: listed(client, failed, "maya"))
    told = await gonogo("deadletter", failed, "--json")

    for way in told.json["letters"][0]["ways"]:
        help_ = await gonogo(way["command"].split()[1], "--help")
        options = [word for word in way["command"].split() if word.startswith("--")]
        assert (0, []) == (help_.code, [option for option in options if option not in help_.out])


async def test_the_report_says_what_an_abort_undoes(gonogo, failed):
    told = await gonogo("deadletter", failed)

    assert 0 == told.code
    assert "refused: no" in told.out
    assert "an abort undoes, in this order: isolate" in told.out


async def test_show_and_queue_name_the_dead_letter(gonogo, failed, client):
    await until(lambda: listed(client, failed, "maya"))
    shown = await gonogo("show", failed)
    queue = await gonogo("queue", "--role", "maya")

    assert "failed at report: refused" in shown.out
    assert f"gonogo deadletter {failed}" in shown.out
    assert re.search(r"\d+ missions? waits? in the dead letter queue", queue.out)


async def test_the_queue_as_data_has_failures_and_gates_in_one_place(gonogo, failed, waiting, client):
    await until(lambda: listed(client, failed, "maya"))
    everything = (await gonogo("queue", "--json")).json
    hers = (await gonogo("queue", "--role", "maya", "--json")).json
    letter = next(one for one in everything if one["id"] == failed)

    assert ("failure", "report", "refused", "no", ["maya"], False) == tuple(
        letter[key] for key in ("kind", "step", "code", "message", "approvers", "summed")
    )
    assert f"gonogo retry {failed} report --reason WHY" == letter["ways"][0]["command"]
    assert letter in hers
    assert ["approval"] == [one["kind"] for one in everything if one["id"] == waiting]
    assert failed not in {one["id"] for one in (await gonogo("queue", "--role", "cook", "--json")).json}


async def test_an_undoing_that_failed_is_listed_with_its_manual_path(gonogo, client, cast):
    cast.broken |= {"file_ticket", "release_host"}
    mission = await wait_at_gate(client)
    await approve(client, mission)
    await until(lambda: _dead(client, mission))
    told = await gonogo("deadletter", mission, "--json")
    [letter] = told.json["letters"]

    assert ("compensation", "isolate/undo[1]", ["lead"]) == (letter["kind"], letter["step"], letter["operators"])
    assert "By hand: see the tool" in letter["cause"]
    assert f"gonogo approve {mission} 'isolate/undo[1]'" == letter["ways"][0]["command"]


async def test_a_mission_that_does_not_wait_so_is_one_line(gonogo, waiting):
    told = await gonogo("deadletter", waiting)

    assert (1, "") == (told.code, told.out)
    assert f"mission {waiting} does not wait in the dead letter queue: it is waiting" in told.err


async def test_a_terminated_mission_is_reconciled_and_says_how_it_goes_on(gonogo, waiting, client):
    await client.get_workflow_handle(waiting).terminate(reason="by mistake")
    assert 2 == (await gonogo("reconcile", "--every", "soon")).code
    await until(lambda: _closed(client, waiting))
    found = await gonogo("reconcile", "--json")
    [one] = [one for one in found.json if one["id"] == waiting]

    assert (0, "terminated", "opened a dead letter") == (found.code, one["what"], one["did"])
    assert "terminated from outside by" in one["why"]


async def _closed(client, mission):
    listed_ = [one.id async for one in client.list_workflows("ExecutionStatus = 'Terminated'")]
    return mission in listed_
