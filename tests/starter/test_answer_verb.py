"""A step that people do, from the command line: what waits, what is shown, what is signed, what the step comes to."""

import asyncio
import json
import uuid

import pytest
from stage import given

from contracts.definition import ActionStep, AgentStep
from contracts.mind import PeopleAgent
from contracts.workspace import Escalation
from starter.launch import launch
from starter.state import read_gates

RATED = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}, "additionalProperties": False}


@pytest.fixture
async def task(client):
    """The id of a mission in which people rate what an agent found."""
    order = given()
    rate = AgentStep(
        step="rate", agent="raters", task="Rate this: ${{ finding.reason }}", context=("finding",), output="rated"
    )
    report = ActionStep(step="report", action="file_ticket", with_={"host": "${{ string(rated.n) }}"})
    look = order.plan.definition.steps[0]
    definition = order.plan.definition.model_copy(update={"steps": (look, rate, report)})
    agents = {**order.plan.agents, "raters": PeopleAgent(by=("lead",), output=RATED)}
    plan = order.plan.model_copy(
        update={"definition": definition, "agents": agents, "escalation": Escalation(role="lead")}
    ).sealed()
    mission = f"rate-{uuid.uuid4().hex[:8]}"
    await launch(client, order.model_copy(update={"plan": plan}), mission)
    while not await read_gates(client, mission):
        await asyncio.sleep(0.02)
    return mission


async def test_an_answer_is_shown_signed_and_taken(gonogo, client, task, cast, tmp_path):
    while not (queue := [one for one in (await gonogo("queue", "--json")).json if one["id"] == task]):
        pass
    shown = await gonogo("show", task)
    (tmp_path / "wrong.json").write_text('{"n": "many"}')
    (tmp_path / "answer.json").write_text('{"n": 4}')

    wrong = await gonogo("answer", task, "rate", "--as", "maya", "--file", str(tmp_path / "wrong.json"))
    approved = await gonogo("approve", task, "rate", "--as", "maya")
    in_turn = await gonogo("approve", task, "--as", "maya")
    told = await gonogo("answer", task, "rate", "--as", "maya", "--file", str(tmp_path / "answer.json"))
    await client.get_workflow_handle(task).result()

    assert [("rate", "task")] == [(one["step"], one["kind"]) for one in queue]
    assert f"gonogo answer {task} rate" in " ".join(shown.out.split())
    assert (1, True) == (wrong.code, "the answer does not fit" in wrong.err), wrong.err
    assert (1, True) == (approved.code, "which nobody can at a task" in approved.err), approved.err
    assert (2, True) == (in_turn.code, f"gonogo answer {task} rate --as maya --file FILE" in in_turn.err), in_turn.err
    assert (0, ["file_ticket"]) == (told.code, cast.ledger)
    words = " ".join(told.out.split())
    for said in ("Rate this: beacons to a known bad address", "agent looker", "answer fits", "your answer", "n: 4"):
        assert said in words, said
    assert "if answered the step goes on with that answer" in words
    assert "if declined the step fails" in words
    followed = " ".join((await gonogo("show", task)).out.split())
    assert "maya answered" in followed


async def test_a_task_is_declined_with_its_reason(gonogo, client, task, cast):
    told = await gonogo("reject", task, "rate", "--as", "lena", "--comment", "not mine to say")
    shown = await gonogo("show", task)

    assert (0, []) == (told.code, cast.ledger)
    assert "lena declined: not mine to say" in " ".join(shown.out.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "an answer is one JSON value: --file FILE, or --value JSON"),
        (("--file", "a.json", "--value", "1"), "an answer is one JSON value: --file FILE, or --value JSON"),
        (("--value", "many"), "--value is no JSON; a text stands in quotes"),
    ],
)
async def test_what_is_no_answer_is_told_how_to_be_one(gonogo, arguments, said):
    told = await gonogo("answer", "m", "rate", "--as", "maya", *arguments)

    assert (2, True) == (told.code, said in told.err), told.err


async def test_an_answer_at_a_gate_is_no_decision(gonogo, waiting):
    told = await gonogo("answer", waiting, "isolate", "--as", "maya", "--value", json.dumps({"n": 1}))

    assert (1, True) == (told.code, "the decision is to answer, which nobody can at a gate" in told.err), told.err
