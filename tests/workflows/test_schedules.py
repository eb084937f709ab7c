"""Random schedules of decisions, commands, silence, failures and crashes: whatever comes, the laws hold.

Nothing acknowledged is lost, nothing is done twice, nothing runs without its quorum, every mission ends, what was done
and does not count is undone, the last first, and every history replays. `GONOGO_SEED` plays the same schedules again,
`GONOGO_SCHEDULES` says how many.
"""

import asyncio
import json
import os
import random
import secrets
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from activities.people import Directory
from contracts.call import ToolCall
from contracts.view import MissionView
from tests.system.ledgers import Ledgers, Told, read, unapproved, unasked, unreplayable
from tests.workflows.house import House, house
from tests.workflows.schedule import CONTRACTS, Play, begin, effects, world
from tests.workflows.test_continue import chain
from worker import cache

SEED = int(os.environ.get("GONOGO_SEED") or secrets.randbelow(10**9))
SCHEDULES = int(os.environ.get("GONOGO_SCHEDULES") or 8)
AT_ONCE = 40


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SCHEDULES, AT_ONCE))
async def test_whatever_comes_the_laws_hold(client, home, first):
    seeds = range(SEED + first, SEED + min(first + AT_ONCE, SCHEDULES))
    said, ends = await play(seeds, client, home)
    print(f"GONOGO_SEED={SEED}: {len(seeds)} schedules ended {dict(ends)}")

    assert not said, f"GONOGO_SEED={SEED} GONOGO_SCHEDULES={SCHEDULES}\n" + "\n".join(said)


async def play(seeds: range, client: Any, home: Any) -> tuple[list[str], Counter[str]]:
    """Play schedules side by side, on workers that come and go; return the laws that they break, and their ends."""
    acts, order = world(client, home), random.Random(seeds.start)
    queue = f"schedules-{seeds.start}-{secrets.token_hex(4)}"
    over = asyncio.Event()

    async def serve() -> None:
        while not over.is_set():
            cached = order.choice([{}, {}, cache(0)])
            async with house(client, home, acts, queue, **cached):
                with suppress(TimeoutError):
                    await asyncio.wait_for(over.wait(), 3 + 5 * order.random())

    serving = asyncio.create_task(serve())
    plays = await asyncio.gather(*(begin(House(client, home, acts, queue), seed) for seed in seeds))
    ended = await asyncio.gather(*(one.run() for one in plays), return_exceptions=True)
    said: list[str] = []
    for one, view in zip(plays, ended, strict=True):
        if isinstance(view, BaseException):
            now = await one.started.state()
            said.append(
                f"seed {one.seed}: {one.started.handle.id} never ended: {view!r}; it is {now.state}, {now.waiting}"
            )
        else:
            said += [f"seed {one.seed}: {view.state}: {broken}" for broken in await broken_laws(one, view)]
    over.set()
    await serving
    return said, Counter(view.state for view in ended if isinstance(view, MissionView))


async def broken_laws(play: Play, view: MissionView) -> list[str]:
    """Return every law that a schedule broke, in sentences."""
    client, handle = play.started.house.client, play.started.handle
    histories = [await run.fetch_history() for run in await chain(client, handle)][::-1]
    book = play.world.book[handle.id]
    told = read(histories, client.namespace)
    people = Directory(play.started.house.home / "people.yaml").people()
    attempts = tuple(effects(book))
    ledgers = Ledgers((), attempts, attempts, told, people, CONTRACTS)
    calls = [call for call, _ in book]
    return [
        *lost(play, told),
        *unasked(ledgers),
        *unapproved(ledgers),
        *twice(calls),
        *disordered(calls),
        *left(calls, view),
        *await unreplayable(histories),
    ]


def lost(play: Play, told: Told) -> Iterator[str]:
    """What the server took is in the history as often as it was sent, has a ruling, and says what its sender heard."""
    arrived = Counter(told.arrivals)
    ruled = {ruling.jti for _, ruling in told.rulings}
    accepted = {ruling.jti for _, ruling in told.rulings if ruling.accepted}
    for token, times in Counter(token for token, _ in play.sent).items():
        jti = jti_of(token)
        if arrived[token] != times:
            yield f"lost: {jti} was sent {times} times and is in the history {arrived[token]} times"
        if jti not in ruled:
            yield f"lost: {jti} was never ruled on"
        if token in play.heard and play.heard[token].accepted and jti not in accepted:
            yield f"lost: the sender of {jti} heard that it counts, and the history says no"


def jti_of(token: str) -> str:
    body = token.split(".")[1]
    return str(json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))["jti"])


def twice(calls: list[ToolCall]) -> Iterator[str]:
    """A step acts once and is undone once each time that operators began it anew, and never acts while it stands.

    What may not have happened is undone as well.
    """
    for (path, generation), times in Counter((call.path, call.generation) for call in calls).items():
        if times > 1:
            yield f"done twice: {path} ({generation})"
    stands: set[str] = set()
    for call in calls:
        if call.undoes:
            stands.discard(call.path.removesuffix("/undo"))
        elif call.path in stands:
            yield f"done again before it was undone: {call.path} ({call.generation})"
        else:
            stands.add(call.path)


def disordered(calls: list[ToolCall]) -> Iterator[str]:
    """Within what is undone in one go, the last done is undone first."""
    done: list[str] = []
    before = ""
    for call in calls:
        if not call.undoes:
            done.append(call.path)
            before = ""
            continue
        step = call.path.removesuffix("/undo")
        if before and before in done and step in done and done.index(step) > done.index(before):
            yield f"not in reverse: {step} was undone after {before}"
        before = step


def left(calls: list[ToolCall], view: MissionView) -> Iterator[str]:
    """What stands in the end is what the mission's steps say: nothing, unless it completed."""
    stands: dict[str, None] = {}
    for call in calls:
        if call.undoes:
            stands.pop(call.path.removesuffix("/undo"), None)
        else:
            stands[call.path] = None
    succeeded = {
        record.path for record in view.records if record.effect and record.status in {"succeeded", "recovered"}
    }
    counted = {record.path for record in view.records if record.effect and record.effect.undo_status == "armed"}
    wanted = counted if view.state == "completed" else set()
    if set(stands) != wanted:
        yield f"left: {sorted(stands)} stands, {sorted(wanted)} should ({sorted(succeeded)} succeeded)"
