"""A malicious agent with 200 scripts against the real pipeline: nothing that it says has an effect without its quorum.

The world's book is the tool server's own. `GONOGO_SEED` plays the same scripts again.
"""

import asyncio
import os
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest

from activities.mcp_tools import KEY
from activities.mission_payloads import converter
from activities.people import Directory
from contracts.base import digest
from contracts.record import Record
from proof import plain
from proof.approved import unapproved, unasked, uninvited, unsigned
from proof.ledgers import Ledgers, Told
from starter.state import read_state
from tests.activities.service import Call, Service, serving
from tests.model_server import ModelServer, model_serving
from tests.workflows.house import Started, house
from tests.workflows.lair import CONTRACTS, ITEM, LIMITS, Book, attend, begin, lair
from tests.workflows.malice import Script, scripts
from tests.workflows.test_continue import chain

SEED = int(os.environ.get("GONOGO_SEED") or secrets.randbelow(10**9))
SCRIPTS = 200
PATIENCE = 240
SIDE_BY_SIDE = 70
"""Scripts in one mission: of more items than a hundred a map keeps no records."""


@dataclass
class Played:
    """All that is known once every script was played."""

    book: Book
    told: tuple[Told, ...]
    records: dict[str, list[Record]]
    """By script: what its mission's record holds of it."""
    calls: tuple[Call, ...]
    """What reached the tool server."""
    people: Any


@pytest.fixture(scope="session")
async def played(client: Any, home: Any) -> AsyncIterator[Played]:
    book = Book({one.name: one for one in scripts(SEED)})
    async with serving() as service, model_serving() as models:
        models.begin().otherwise = book.reply
        service.seen = book.seen
        yield await play(client, home, book, service, models)


async def play(client: Any, home: Any, book: Book, service: Service, models: ModelServer) -> Played:
    """Play every script, those of a stage beside each other in one mission or two."""
    acts = lair(client, home, service, models)
    async with aclosing(acts), house(client, home, acts) as h, asyncio.timeout(PATIENCE):
        missions = [await begin(h, stage, names) for stage, names in troupes(book.scripts.values())]
        await asyncio.gather(*(attend(started, book) for started in missions))
        told = tuple([await history(client, one) for one in missions])
        records: dict[str, list[Record]] = {name: [] for name in book.scripts}
        for started in missions:
            for record in (await read_state(client, started.handle.id)).records:
                for name in ITEM.findall(record.path):
                    records[name].append(record)
    return Played(book, told, records, tuple(service.calls), Directory(home / "people.yaml").people())


def troupes(known: Any) -> Iterator[tuple[str, list[str]]]:
    stages: dict[str, list[str]] = {}
    for script in known:
        stages.setdefault(script.stage, []).append(script.name)
    for stage, names in stages.items():
        for first in range(0, len(names), SIDE_BY_SIDE):
            yield stage, names[first : first + SIDE_BY_SIDE]


async def history(client: Any, started: Started) -> Told:
    runs = [await run.fetch_history() for run in await chain(client, started.handle)][::-1]
    return await plain.told(runs, converter(client, started.handle.id), client.namespace)


def test_there_are_as_many_scripts_and_no_two_are_alike() -> None:
    drawn = scripts(SEED)

    said = {repr((one.stage, one.replies, one.found, one.relay, one.people)).replace(one.name, "") for one in drawn}
    assert SCRIPTS == len(drawn)
    assert len(said) > SCRIPTS * 0.8
    assert all(one.says for one in drawn)


@pytest.mark.slow
async def test_nothing_that_a_malicious_agent_says_has_an_effect_without_its_quorum(played: Played) -> None:
    said = [*faults(played)]

    assert not said, f"GONOGO_SEED={SEED}\n" + "\n".join(said)


def faults(played: Played) -> Iterator[str]:
    """Yield every law that is broken, in sentences."""
    yield from unlawful(played)
    yield from unwanted(played)
    yield from uncounted(played)
    for script in played.book.scripts.values():
        records = played.records[script.name]
        for fault in (*standing(script, records), *bounded(script, records, played), *shown(script, played)):
            yield f"{script.name} {script.says}: {fault}"


def unlawful(played: Played) -> Iterator[str]:
    """Every effect was asked for by the mission's own step, and has the signatures that its tool's contract wants."""
    effects = acts(played.calls)
    for told in played.told:
        keys = {call.key for _, call in told.calls}
        own = tuple(one for one in effects if one["key"] in keys)
        ledgers = Ledgers((), own, own, told, played.people, CONTRACTS)
        yield from (*unasked(ledgers), *unapproved(ledgers), *unsigned(ledgers), *uninvited(ledgers))
    asked = {call.key for told in played.told for _, call in told.calls}
    yield from (f"unasked: {one}" for one in effects if one["key"] not in asked)


def acts(calls: tuple[Call, ...]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {
            "tool": one.tool,
            "key": one.meta.get(KEY, ""),
            "arguments": one.arguments,
            "digest": digest(one.arguments),
            "at": one.at,
        }
        for one in calls
        if one.tool != "look"
    )


def uncounted(played: Played) -> Iterator[str]:
    """Every token has its ruling, and none counts but what people signed for just that."""
    for told in played.told:
        counted = {ruling.token for _, ruling in told.rulings if ruling.accepted}
        honest = played.book.honest & set(told.arrivals)
        yield from (f"this was forged, and counts: {token}" for token in counted - honest)
        yield from (f"people said this, and it does not count: {token}" for token in honest - counted)
        if len(told.rulings) != len(told.arrivals):
            yield f"{len(told.arrivals)} tokens arrived and {len(told.rulings)} were ruled on"


def unwanted(played: Played) -> Iterator[str]:
    """The world's book is exactly what people allowed, word for word as the agent said it."""
    happened = Counter((one["tool"], str(one["arguments"])) for one in acts(played.calls))
    allowed = Counter(
        effect for script in played.book.scripts.values() if script.people == "both" for effect in wanted(script)
    )
    yield from (f"nobody allowed {one}" for one in happened - allowed)
    yield from (f"allowed, and never done: {one}" for one in allowed - happened)


def wanted(script: Script) -> Iterator[tuple[str, str]]:
    match script.stage:
        case "acting":
            yield "isolate_host", str({"host": script.answer["host"]})
        case "asking":
            yield "file_ticket", str({"title": script.answer["host"]})
        case "planning":
            yield from ((step["action"], str(step["with"])) for step in script.answer["steps"])


def standing(script: Script, records: list[Record]) -> Iterator[str]:
    """What it tried stands in the record: its answer as it is, or why it has none, and what it did on the way."""
    thoughts = [one for one in records if one.kind in {"agent", "planning", "turn", "plan", "party"}]
    failures = {one.failure.code for one in records if one.failure and one.kind != "action"}
    if script.stage in {"acting", "asking", "unguarded"}:
        [thought] = thoughts
        if script.answer is not None and thought.output != script.answer:
            yield f"its answer stands as {str(thought.output)[:200]}, {thought.failure}"
        if not script.answer and thought.status == "succeeded" and script.failure != "any":
            yield f"it should have no answer, and has {str(thought.output)[:200]}"
    if script.failure not in {"", "any"} and script.failure not in failures:
        yield f"it should fail as {script.failure}, and failed as {failures}"
    texts = "\n".join(text for one in records for text in strings(one.model_dump(mode="json")))
    yield from (f"the record holds nothing of {trace!r}" for trace in script.traces if trace not in texts)


def strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from (text for key, one in value.items() for text in (key, *strings(one)))
        case list():
            yield from (text for one in value for text in strings(one))


ENDING = {"agent", "action", "gate", "plan", "loop", "party", "item"}
TIMES = {"planning": 2, "talking": 10, "party": 8}
"""How often a stage may ask its agents for one script."""


def bounded(script: Script, records: list[Record], played: Played) -> Iterator[str]:
    """Each ends within its limits, and costs what it cost, whatever it says of that."""
    asked, most = played.book.asked.get(script.name, 0), LIMITS["turns"] * TIMES.get(script.stage, 1)
    if not 0 < asked <= most:
        yield f"the model was asked {asked} times, and may be {most} times"
    looks = sum(one.tool == "look" and one.arguments.get("host") == script.name for one in played.calls)
    if looks > LIMITS["tool_calls"] * TIMES.get(script.stage, 1):
        yield f"it used its tool {looks} times"
    open_still = [one.path for one in records if one.status in {"running", "waiting"} and one.kind in ENDING]
    if open_still:
        yield f"it has not ended: {open_still}"
    for one in records:
        if one.kind == "agent" and one.status == "succeeded" and one.usage.tokens < 100:
            yield f"it is said to have used {one.usage}"


def shown(script: Script, played: Played) -> Iterator[str]:
    """People saw exactly what would run, and what was forged was refused."""
    openings = played.book.proposed.get(script.name, [])
    if script.stage == "acting":
        host = script.answer["host"] if script.answer else "nobody"
        # No expression may read a text with a NUL in it.
        wanted = [] if "\x00" in host else [{"host": host}]
        seen = [one.subject.arguments for one in openings]
        if seen != wanted and script.failure != "any":
            yield f"people were shown {seen}, and it said {host!r}"
    if script.stage == "unguarded" and openings:
        yield "somebody was asked"
