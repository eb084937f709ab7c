"""Sensitive values of every type, in every verb that shows a mission, and in events: hidden, and what is ours stays."""

from datetime import UTC, datetime

import jsonschema_rs
import pytest
from temporalio.exceptions import ApplicationError

from activities.books.archive import Archive
from activities.books.database import Database
from activities.outbox import events
from contracts.artifact import Artifact
from contracts.call import AgentResult
from contracts.mind import CodeAgent
from contracts.observation import Observation
from contracts.published import schema_of
from contracts.usage import Usage
from language.sensitive import HIDDEN
from starter.record import read
from starter.unsaid import Unsaid
from tests.starter.test_recorder import until
from tests.workflows.house import Activities, house, populate
from tests.workflows.test_mission import agent, isolate

TYPES = {
    "count": {"type": "integer", "sensitive": True},
    "sure": {"type": "boolean", "sensitive": True},
    "rate": {"type": "number", "sensitive": True},
    "names": {"type": "array", "items": {"type": "string"}, "sensitive": True},
    "owner": {"type": "object", "sensitive": True},
}
VALUES = {"count": 1, "sure": True, "rate": 0.5, "names": ["swordfish", "halibut"], "owner": {"pin": 7, "on": False}}
"""The numbers are such as many of our own are."""
SECRETS = ("swordfish", "halibut")
SHUT = {**dict.fromkeys(TYPES, HIDDEN), "open": "said"}
OF_TYPES = {"type": "object", "properties": {**TYPES, "open": {"type": "string"}}}
GATE = {"approvers": ["lead"], "timeout": "30m", "on_timeout": "refuse", "context": ["count", "seen"]}
STEPS = [
    agent("look", output="seen"),
    isolate(**{"with": {**VALUES, "open": "${{ seen.open }}"}, "compensate": None, "approval": GATE}),
]


def sensitive_tools(argument):
    tools = {name: tool.model_copy(update={"input": OF_TYPES}) for name, tool in argument.plan.tools.items()}
    return argument.model_copy(update={"plan": argument.plan.model_copy(update={"tools": tools}).sealed()})


def answer():
    return AgentResult(
        output={**VALUES, "open": "said"},
        observations=(
            Observation(number=1, at=datetime.now(UTC), text="a swordfish of 0.5", source="halibut", confidence=0.5),
        ),
        artifacts=(Artifact(name="swordfish.md", media_type="text/markdown", digest="sha256:f", size=1),),
        usage=Usage(agent_runs=1, seconds=0.5),
    )


@pytest.fixture
def books(tmp_path, monkeypatch):
    url = f"sqlite+aiosqlite:///{tmp_path / 'books.db'}"
    monkeypatch.setenv("GONOGO_DATABASE", url)
    return Database(url)


@pytest.fixture
def activities():
    return Activities(agents={"ann": answer()})


@pytest.fixture
async def mission(client, tmp_path, activities):
    """A mission that holds sensitive values of every type everywhere."""
    ann = CodeAgent(callable="m:f", output=OF_TYPES)
    async with house(client, populate(tmp_path), activities) as h:
        known = {"inputs": OF_TYPES, "agents": {"ann": ann}, "operators": ("chief",), "dead_letter": {"timeout": "1h"}}
        yield await h.start(STEPS, given=VALUES, change=sensitive_tools, **known)


@pytest.fixture
def told(gonogo, mission, books):
    """Run a verb that must say no secret."""

    async def say(*arguments):
        told = await gonogo(*(mission.handle.id if one == "ID" else one for one in arguments))
        assert 0 == told.code, (arguments, told.err)
        assert not [word for word in SECRETS if word in told.out + told.err], (arguments, told.out)
        return told

    return say


async def test_every_verb_hides_it_where_it_stands_and_leaves_what_is_ours(told, mission):
    opening = await mission.until()
    gate = (await told("show", "ID", "isolate", "--json")).json
    [waits] = [one for one in (await told("queue", "--json")).json if one["id"] == mission.handle.id]
    for line in (("show", "ID"), ("show", "ID", "isolate"), ("queue", "--all")):
        assert mission.handle.id in (await told(*line)).out
    await mission.decide(opening, "lea")
    await mission.result()
    view = (await told("follow", "ID", "--json")).json
    assert view == (await told("show", "ID", "--json")).json
    for line in (("follow", "ID"), ("explain", "ID"), ("audit", "ID"), ("artifacts", "ID"), ("costs",)):
        await told(*line)
    [left] = (await told("artifacts", "ID", "--json")).json
    [ordered] = [one for one in (await told("audit", "ID", "--json")).json if one["what"] == "action ordered"]
    [reason] = [one for one in (await told("why", "ID", "isolate", "--json")).json if "accepted" in one["what"]]

    assert (SHUT, {"count": HIDDEN, "seen": SHUT}) == (gate["subject"]["arguments"], gate["context"])
    assert (SHUT, 1) == (waits["arguments"], waits["required"])
    look, isolated = view["records"]
    shown = (look["output"], isolated["effect"]["arguments"], isolated["grant"]["subject"]["arguments"])
    assert (SHUT, SHUT, SHUT) == shown
    ours = (look["attempt"], look["order"], look["observations"][0]["confidence"], look["usage"]["seconds"])
    assert (1, 1, 0.5, 0.5) == ours
    assert (f"{HIDDEN}.md", 1) == (left["name"], left["size"])
    assert SHUT == ordered["detail"]["arguments"]
    assert "lea (lead) said approve: lea says approve" == reason["said"]


async def test_why_shows_what_people_said_without_it_and_all_of_it_when_asked(told, mission, gonogo):
    await mission.decide(await mission.until(), "lea", comment="as the swordfish says")
    await mission.result()

    assert f"as the {HIDDEN} says" in (await told("why", "ID", "isolate")).out
    assert "as the swordfish says" in (await gonogo("why", mission.handle.id, "isolate", "--reveal")).out


async def test_a_dead_letter_says_why_without_it(told, mission, activities):
    activities.tools["isolate"] = ApplicationError(
        "no swordfish", {"applied": "no"}, type="refused", non_retryable=True
    )
    await mission.decide(await mission.until(), "lea")
    await mission.until_state("dead_letter")

    async def listed():
        return f"no {HIDDEN}" in (await told("deadletter")).out

    await until(listed)
    assert f"no {HIDDEN}" in (await told("deadletter", "ID")).out
    assert f"no {HIDDEN}" in [one["message"] for one in (await told("queue", "--json")).json]
    await mission.command("abort")
    await mission.result()


async def test_events_of_it_still_fit_their_schemas(mission, client):
    await mission.decide(await mission.until(), "lea")
    await mission.result()
    book = await read(client, mission.handle.id)
    hidden = await Unsaid(client)(book.chain, book.entries)

    for one in events(book.chain, enumerate(hidden, 1)):
        jsonschema_rs.validator_for(schema_of(one.type.removeprefix("gonogo."))).validate(one.data)
        assert not [word for word in SECRETS if word in one.model_dump_json()]


async def test_the_search_hides_it_by_its_schema_and_whatever_it_may_be_where_nobody_says_what(
    told, mission, client, books, gonogo, monkeypatch
):
    """Also where another mission has the id of one that the server keeps no longer."""
    await mission.decide(await mission.until(), "lea", comment="as the swordfish says")
    await mission.result()
    book, id_ = await read(client, mission.handle.id), mission.handle.id
    await Archive(books).add(book.chain, book.entries, book.links)
    await books.close()

    async def searched(*options):
        found = (await gonogo("audit", "search", *options, "--json")).json
        return {one["what"]: (one["why"], one["detail"]) for one in found if one["mission"] == id_}

    await told("audit", "search")
    hidden, revealed = await searched(), await searched("--reveal")
    assert SHUT == hidden["action ordered"][1]["arguments"]
    assert f"as the {HIDDEN} says" == hidden["decision accepted"][0]
    assert ("as the swordfish says", VALUES["names"]) == (
        revealed["decision accepted"][0],
        revealed["action ordered"][1]["arguments"]["names"],
    )

    anew = [entry.model_copy(update={"run_id": "other"}) for entry in book.entries]
    other = book.chain.model_copy(update={"first_run_id": "other"})
    assert {HIDDEN} == {one.why for one in await Unsaid(client)(other, anew) if one.topic in {"decision", "action"}}
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")
    without = await searched()
    assert (HIDDEN, HIDDEN) == (without["action ordered"][0], without["action ordered"][1]["arguments"])
    assert (HIDDEN, HIDDEN) == (without["decision accepted"][0], without["decision accepted"][1]["comment"])
    assert hidden["action ordered"][1]["key"] == without["action ordered"][1]["key"]
    assert "what may be sensitive is hidden" in (await told("audit", "search")).err
