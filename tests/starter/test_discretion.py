"""What is sensitive in a mission is hidden wherever it stands, in whatever spelling, unless it is to be revealed."""

import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from contracts.audit import AuditEntry
from contracts.mind import CodeAgent
from contracts.observation import Observation
from contracts.plan import MissionInput
from contracts.record import Effect, Record
from contracts.workspace import Tool
from language.sensitive import HIDDEN
from starter.discretion import Discretion, discretion
from starter.problem import Refused
from starter.unsaid import discreet
from tests.interpreter.fakes import plan_of
from tests.workflows.house import Activities, house, populate
from tests.workflows.test_mission import agent

SECRET = {"type": "string", "sensitive": True}
INPUTS = {"type": "object", "properties": {"host": {"type": "string"}, "pin": SECRET, "tan": {"sensitive": True}}}
PIN = 'p"in-ü 4711'


def given():
    ann = CodeAgent(callable="m:f", output={"type": "object", "properties": {"word": SECRET}})
    lock = Tool(server="s", effect="write", input={"properties": {"code": SECRET}})
    plan = plan_of([agent("one")], agents={"ann": ann}, inputs=INPUTS)
    plan = plan.model_copy(update={"tools": {"lock": lock}})
    return MissionInput(plan=plan, inputs={"host": "web-01", "pin": PIN, "tan": 123456}, requested_by="rita")


def record(**fields):
    return Record(path="one", kind="agent", status="succeeded", started_at=datetime.now(UTC), **fields)


def test_inputs_outputs_and_arguments_are_hidden_in_any_spelling():
    known = Discretion(given())
    known.records([
        record(actor="ann", output={"word": "swordfish", "n": 1}),
        record(actor="lock", effect=Effect(tool="lock", arguments={"code": "a7"})),
    ])  # fmt: skip
    texts = [
        f"the pin is {PIN}.",
        '{"pin": "p\\"in-ü 4711"}',
        '{"pin": "p\\"in-\\u00fc 4711"}',
        "tan 123456",
        "swordfishes",
    ]

    assert all(HIDDEN in known.value(text) for text in texts)
    assert [f"the pin is {HIDDEN}.", f"tan {HIDDEN}", f"code {HIDDEN}; a77"] == known.value(
        [texts[0], texts[3], "code a7; a77"]
    )
    assert {"tan": HIDDEN, "other": 12345, "host": "web-01"} == known.value(
        {"tan": 123456, "other": 12345, "host": "web-01"}
    )
    noticed = Observation(number=1, at=datetime.now(UTC), text=f"saw {PIN}", source="siem")
    assert [("one", f"saw {HIDDEN}")] == [(name, one.text) for name, one in known.live([("one", noticed)])]


def test_nothing_is_hidden_of_a_mission_that_says_nothing_of_it():
    assert PIN == Discretion(None).value(PIN)


async def test_a_mission_on_a_server_is_shown_without_what_is_sensitive_and_with_it_when_asked(client, tmp_path):
    async with house(client, populate(tmp_path), Activities(agents={"ann": {"said": f"it is {PIN}"}})) as h:
        started = await h.start([agent("one", output="a")], given={"pin": PIN}, inputs=INPUTS)
        await started.result()
        view = await started.state()
        shown = (await discretion(client, started.handle.id)).view(view)
        revealed = (await discretion(client, started.handle.id, reveal=True)).view(view)

    assert (f"it is {HIDDEN}", f"it is {PIN}") == (shown.records[0].output["said"], revealed.records[0].output["said"])


@pytest.mark.parametrize(
    "sent", [{"plan": {"definition": "of a release to come"}}, {"plan": given().plan, "inputs": 7}]
)
async def test_a_mission_whose_schemas_cannot_be_read_is_shown_to_nobody_unless_it_is_to_be_revealed(client, sent):
    async with unserved(client, sent) as mission:
        with pytest.raises(Refused, match=f"what is sensitive in {mission} cannot be read: .*; --reveal shows all"):
            await discretion(client, mission)
        assert PIN == (await discretion(client, mission, reveal=True)).value(PIN)
        entry = AuditEntry(
            at=datetime.now(UTC), run_id="r", event_id=1, what="action executed", why=PIN, detail={"inputs": PIN}
        )
        assert PIN not in repr(await discreet(client, mission, [entry]))


async def test_of_a_workflow_that_is_no_mission_nobody_has_said_what_is_sensitive(client):
    for sent in ({"inputs": {}}, "a text"):
        async with unserved(client, sent) as other:
            assert None is (await discretion(client, other)).plan


@asynccontextmanager
async def unserved(client, sent):
    """Start what no worker takes, and yield its id."""
    name = f"unserved-{uuid.uuid4().hex}"
    handle = await client.start_workflow("incident_triage", sent, id=name, task_queue=name)
    yield name
    await handle.terminate()
