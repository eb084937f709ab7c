"""`gonogo record`: archive the records of all missions, from their histories: `starter/recorder.py`."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import operate, settings
from starter.output import console, problem
from starter.problem import DONE, REFUSED, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.books.database import Database
    from activities.outward import Outward
    from activities.publisher import Publisher
    from activities.seal import Seal
    from contracts.sink import EventsFile
    from starter.recorder import Recorder

Every = Annotated[str, typer.Option("--every", metavar="SPAN", help="Go on, and look again so often: 10s.")]
Anchors = Annotated[
    list[str] | None,
    typer.Option(
        "--anchor",
        metavar="PLACE",
        envvar="GONOGO_ANCHORS",
        show_envvar=True,
        help="Make heads known there: a file, or an address that takes them by POST; repeatable.",
    ),
]


def record(*, every: Every = "", anchor: Anchors = None) -> int:
    """Archive what has happened in all missions, also past the time for which the server keeps histories.

    Each mission's record is added to the database beside Temporal, its head signed when it ends, and the sinks of
    `events.yaml` are told of it. Run it as often, and on as many machines, as you like: what is there is not added
    again. Exit code 1: something could not be recorded, or told.
    """
    from starter.audit import recorder

    key, pause = recorder(), _span(every) if every else None

    async def run(client: "Client") -> int:
        from activities.books.archive import Archive
        from activities.books.database import Database
        from runtime.payloads import sealing
        from starter.anchors import anchor as anchored
        from starter.recorder import Recorder

        database, seal = Database(settings().books()), sealing(settings().payload_keys)
        events, outward = _ways_out()
        publisher = _publisher(client, database, seal, events, outward)
        try:
            anchors = tuple(anchored(place, outward) for place in anchor or ())
            return await _looks(Recorder(client, Archive(database, seal), key, anchors, publisher), pause)
        finally:
            await publisher.close()
            await database.close()

    return operate(run)


def _ways_out() -> "tuple[EventsFile, Outward]":
    """Return where this workspace tells events, and which hosts may be called."""
    from activities.outward import Outward
    from language.finding import Rejected
    from language.workspace import load_sinks

    try:
        events, security = load_sinks(settings().workspace)
    except Rejected as rejected:
        raise Refused("\n".join(map(str, rejected.findings))) from None
    return events, Outward((*security.allow_hosts, *settings().allow_hosts))


def _publisher(
    client: "Client", database: "Database", seal: "Seal", events: "EventsFile", outward: "Outward"
) -> "Publisher":
    """Return who tells the sinks of this workspace."""
    import os

    from activities.books.position import Outbox
    from activities.publisher import Publisher
    from activities.sinks import sinks
    from starter.unsaid import Unsaid

    return Publisher(sinks(events, os.environ, outward), Outbox(database, seal), hide=Unsaid(client))


async def _looks(recorder: "Recorder", pause: timedelta | None) -> int:
    """Look once, or for ever. What cannot be recorded is told once for as long as it stays so."""
    from temporalio.service import RPCError

    known: set[str] = set()
    while True:
        try:
            news = await recorder.look()
            problems = set(news.problems)
        except RPCError as error:
            if pause is None:
                raise
            news, problems = None, {f"the server does not answer now: {error.message}"}
        for said in sorted(problems - known):
            problem(said)
        known = problems
        if pause is None:
            ended = f", {news.ended} missions ended" if news and news.ended else ""
            console().print(f"{news.added if news else 0} entries added{ended}", markup=False)
            return REFUSED if problems else DONE
        await asyncio.sleep(pause.total_seconds())


def _span(text: str) -> timedelta:
    from contracts.duration import parse_duration

    try:
        span = parse_duration(text)
    except ValueError as error:
        raise Usage(f"{text!r} is no span of time: {error}") from None
    if not isinstance(span, timedelta) or not span:
        raise Refused(f"{text!r} is no span of time: write a duration such as '10s'")
    return span
