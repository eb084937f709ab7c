"""What others are told of missions: in order, at least once, from where each sink stands, and nothing secret."""

import json
import re
from itertools import pairwise

import jsonschema_rs
import pytest

from activities.books.archive import Archive
from activities.books.database import Database
from activities.books.position import Outbox
from activities.chain import genesis, links
from activities.outbox import events
from activities.publisher import Publisher
from activities.sinks import sinks
from contracts.published import KINDS, schema_of
from contracts.sink import EventsFile
from tests.activities.newsroom import SECRET, chain, newsroom, record, stored, stream
from tests.activities.post_office import receiver, verified
from tests.activities.service import HERE

KEY = "a secret of sixteen bytes or more"
ENVIRON = {"KEY": KEY}
LACKING = "cannot be had: that variable is not set"
TOLD = ["start", "cost", "state", "decision", "action", "end"]


@pytest.fixture
async def database(tmp_path):
    found = Database(f"sqlite+aiosqlite:///{tmp_path / 'gonogo.db'}")
    yield found
    await found.close()


class Clock:
    """A publisher's, which a test sets on."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def publisher(database, environ=ENVIRON, clock=None, **sections) -> Publisher:
    found = sinks(EventsFile.model_validate(sections), environ, HERE)
    return Publisher(found, Outbox(database), clock or Clock())


async def archived(database, *missions: str, entries: int = 7, after: int = 0) -> None:
    """Archive the same record of some missions, or a part of it."""
    for mission in missions:
        known = record()[:entries]
        linked = list(links(known, genesis(chain(mission))))
        await Archive(database).add(chain(mission), known[after:], linked[after:])


def hook(url: str, **more) -> dict:
    return {"siem": {"url": url, "secret_env": "KEY", **more}}


def heard(office) -> list[dict]:
    return [json.loads(body) for _, _, body in office.requests]


def test_every_event_fits_the_schema_of_its_type_and_has_nothing_that_is_secret():
    told = list(events(chain(), enumerate(record(), 1)))

    assert TOLD == [one.type.removeprefix("gonogo.") for one in told]
    for topic, one in zip(TOLD, told, strict=True):
        jsonschema_rs.validator_for(schema_of(topic)).validate(one.data)
        assert SECRET not in one.model_dump_json()
    assert ["1.0", "/gonogo/default/case-1", "urn:gonogo:event:start:1", "case-1", "000000000001"] == [
        getattr(told[0], name) for name in ("specversion", "source", "dataschema", "partitionkey", "sequence")
    ]
    assert all(before.sequence < after.sequence for before, after in pairwise(told))
    assert {"host", "comment", "arguments", "errors"} & set().union(*(one.data for one in told)) == set()


def test_every_schema_is_one():
    for topic in KINDS:
        jsonschema_rs.meta.validate(schema_of(topic))


async def test_a_webhook_is_told_in_order_and_by_whom(database):
    await archived(database, "case-1", entries=3)
    async with receiver() as office:
        assert [] == await publisher(database, webhooks=hook(office.url)).tell()
        await archived(database, "case-1", after=3)
        assert [] == await publisher(database, webhooks=hook(office.url)).tell()
        assert [] == await publisher(database, webhooks=hook(office.url)).tell()

    assert [f"gonogo.{topic}" for topic in TOLD] == [one["type"] for one in heard(office)]
    for _, headers, body in office.requests:
        assert verified(headers, body, KEY.encode())
        assert "application/cloudevents+json" == headers["content-type"]
        assert headers["webhook-id"] == json.loads(body)["id"]


async def test_what_is_not_taken_is_told_again_before_anything_else(database):
    await archived(database, "case-1")
    clock = Clock()
    async with receiver(200, 200, 503, 410, 200) as office:
        news = publisher(database, webhooks=hook(office.url), clock=clock)
        said = []
        for clock.time in (0, 0.9, 1, 2.9, 3):
            said.append((await news.tell(), len(office.requests)))

    busy, gone = (f"webhook siem is not told of case-1: 127.0.0.1 answered {status}" for status in (503, 410))
    assert [([busy], 3), ([busy], 3), ([gone], 4), ([gone], 4), ([], 8)] == said
    assert [1, 2, 4, 4, 4, 5, 6, 7] == [int(one["sequence"]) for one in heard(office)]
    assert 6 == len({one["id"] for one in heard(office)})


async def test_a_sink_that_refuses_an_event_holds_up_neither_others_nor_other_missions(database):
    await archived(database, "one", "two")
    async with receiver(200, 400, 200) as picky, receiver() as well:
        both = {**hook(well.url), "other": {"url": picky.url, "secret_env": "KEY"}}
        first = await publisher(database, webhooks=both).tell()

    assert ["webhook other is not told of one: 127.0.0.1 answered 400"] == first
    assert 2 * len(TOLD) == len(well.requests)
    assert ["one", "one", *["two"] * len(TOLD)] == [one["partitionkey"] for one in heard(picky)]


async def test_a_sink_that_does_not_answer_is_not_asked_for_every_mission(database):
    await archived(database, "one", "two", "three")
    async with receiver(503) as office:
        assert ["webhook siem is not told of one: 127.0.0.1 answered 503"] == await publisher(
            database, webhooks=hook(office.url)
        ).tell()

    assert 1 == len(office.requests)


async def test_a_sink_has_only_the_topics_that_it_wants_and_goes_past_the_others(database):
    await archived(database, "case-1")
    async with receiver() as office:
        await publisher(database, webhooks=hook(office.url, topics=["end"])).tell()

    assert ["gonogo.end"] == [one["type"] for one in heard(office)]
    assert [] == await Outbox(database).behind("webhook siem")


async def test_a_position_never_goes_back(database):
    await archived(database, "case-1")
    outbox, key = Outbox(database), genesis(chain("case-1"))
    await outbox.advance("siem", key, 5)
    await outbox.advance("siem", key, 3)

    assert [(key, chain("case-1"), 5)] == await outbox.behind("siem")
    assert [(key, chain("case-1"), 0)] == await outbox.behind("other")


async def test_a_stream_of_nats_holds_every_event_once_even_when_positions_are_lost(database, tmp_path):
    await archived(database, "a.b/c 1")
    clock = Clock()
    async with newsroom(tmp_path / "nats") as address:
        news = publisher(database, nats={"bus": {"url": address}}, clock=clock)
        assert ["nats bus is not told of a.b/c 1: no stream there takes gonogo.>"] == await news.tell()
        await stream(address)
        clock.time = 1
        assert [] == await news.tell()
        forgetful = Database(f"sqlite+aiosqlite:///{tmp_path / 'other.db'}")
        await archived(forgetful, "a.b/c 1")
        again = publisher(forgetful, nats={"bus": {"url": address}})
        assert [] == await again.tell()
        held = await stored(address)
        await news.close()
        await again.close()
        await forgetful.close()

    assert [f"gonogo.{topic}.a_b_c_1" for topic in TOLD] == [one.subject for one in held]
    assert [json.loads(one.data)["id"] for one in held] == [one.headers["Nats-Msg-Id"] for one in held]


async def test_a_server_of_nats_that_was_away_is_told_what_it_missed(database, tmp_path):
    await archived(database, "case-1", entries=2)
    clock = Clock()
    async with newsroom(tmp_path / "nats") as address:
        await stream(address)
        news = publisher(database, nats={"bus": {"url": address}}, clock=clock)
        assert [] == await news.tell()
    await archived(database, "case-1", after=2)
    [said] = await news.tell()
    async with newsroom(tmp_path / "nats", int(address.rpartition(":")[2])) as address:
        clock.time = 1
        assert [] == await news.tell()
        held = await stored(address)
        await news.close()

    assert said.startswith("nats bus is not told of case-1: NATS did not take it")
    assert TOLD == [one.subject.split(".")[1] for one in held]


async def test_a_sink_that_leads_inside_is_told_nothing_unless_the_workspace_allows_it(database):
    await archived(database, "case-1")
    file = EventsFile.model_validate(
        {"webhooks": hook("http://169.254.169.254/latest"), "nats": {"bus": {"url": "nats://localhost:4222"}}}
    )
    said = await Publisher(sinks(file, ENVIRON), Outbox(database)).tell()

    assert ["169.254.169.254 is the metadata of most clouds", "localhost leads to"] == [
        found.group() for one in said if (found := re.search("169[^:]+clouds|localhost leads to", one))
    ]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"webhooks": {"siem": {"url_env": "HOOK", "secret_env": "KEY"}}}, "the variable HOOK is not set"),
        ({"webhooks": {"siem": {"url": "http://127.0.0.1:1", "secret_env": "NO"}}}, "the variable NO is not set"),
        ({"nats": {"bus": {"url_env": "BUS"}}}, "the variable BUS is not set"),
        ({"nats": {"bus": {"url": "nats://127.0.0.1:1", "token": "secret://BUS"}}}, f"secret://env/BUS {LACKING}"),
        ({"webhooks": {"siem": {"url": "secret://HOOK", "secret_env": "KEY"}}}, f"secret://env/HOOK {LACKING}"),
        ({"webhooks": {"siem": {"url": "http://127.0.0.1:1", "secret": "secret://S"}}}, f"secret://env/S {LACKING}"),
    ],
)
async def test_what_is_not_set_is_named_and_nothing_is_lost(database, section, said):
    await archived(database, "case-1")
    [sentence] = await publisher(database, **section).tell()

    assert sentence.endswith(said)
    [(_, _, done)] = await Outbox(database).behind(sentence.partition(" is")[0])
    assert 0 == done
