"""Random schedules of decisions, commands, silence, failures and crashes: whatever comes, the laws hold.

Nothing acknowledged is lost, nothing is done twice, nothing runs without its quorum, every mission ends, what was done
and does not count is undone, the last first, and every history replays. `GONOGO_SEED` plays the same schedules again,
`GONOGO_SCHEDULES` says how many.
"""

import asyncio
import os
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from activities.people import Directory
from contracts.view import MissionView
from proof.approved import jti_in
from proof.check import commit, everything
from proof.ledgers import Heard, Ledgers, Sent, read
from starter.chronicle import chronicle
from tests.payloads import DATA_CONVERTER
from tests.workflows import lawful
from tests.workflows.house import House, house
from tests.workflows.schedule import CONTRACTS, Play, begin, world
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

    assert not said, f"GONOGO_SEED={SEED} GONOGO_SCHEDULES={SCHEDULES} at {commit()}\n" + "\n".join(said)


async def play(seeds: range, client: Any, home: Any) -> tuple[list[str], Counter[str]]:
    """Play schedules side by side, on workers that come and go; return the laws that they break, and their ends."""
    acts, order = world(client, home), random.Random(seeds.start)
    queue = f"schedules-{seeds.start}-{secrets.token_hex(4)}"
    over = asyncio.Event()

    async def serve() -> None:
        while not over.is_set():
            cached = order.choice([{}, {}, cache(0)])
            async with house(client, home, acts, queue, leaves=True, **cached):
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
    seen = tuple(lawful.effects(play.world.book[handle.id]))
    ledgers = Ledgers(
        client=tuple(sent(play)),
        effects=seen,
        attempts=seen,
        told=read(histories, client.namespace),
        people=Directory(play.started.house.home / "people.yaml").people(),
        tools=CONTRACTS,
        audit=tuple(entry.model_dump(mode="json") for entry in await chronicle(client, handle.id)),
        shown=view,
    )
    return await everything(ledgers, histories, DATA_CONVERTER)


def sent(play: Play) -> Iterator[Sent]:
    """Yield what this client sent and the server took, and what it heard of that."""
    times = Counter(token for token, _ in play.sent)
    for token, _ in play.sent:
        receipt = play.heard.get(token)
        heard: Heard = "acknowledged"
        if receipt is not None and (receipt.accepted or times[token] == 1):
            heard = "accepted" if receipt.accepted else "refused"
        yield Sent(jti_in(token), token, heard)
