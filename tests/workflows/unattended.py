"""A mission that nobody serves for a while: what comes before its deadline and after it, and who hears of it later."""

import asyncio
from pathlib import Path
from typing import Any

from temporalio.client import Client

from contracts.decision import DECIDE
from contracts.plan import Limits
from tests.workflows.house import Activities, House, Started, house

Said = list[tuple[str, str]]


async def deadline(started: Started) -> None:
    """Wait until the server has let a timer fire."""
    async with asyncio.timeout(20):
        while True:
            history = await started.handle.fetch_history()
            if any(event.HasField("timer_fired_event_attributes") for event in history.events):
                return
            await asyncio.sleep(0.05)


async def unattended(
    client: Client, home: Path, steps: list[dict[str, Any]], before: Said, after: Said, limits: Limits | None = None
) -> Started:
    """Let decisions on its gate come before and after the deadline, while no worker is there. Return the mission."""
    async with house(client, home, leaves=True) as first:
        started = await first.start(steps, limits)
        opening = await started.until()
    for person, verb in before:
        await started.handle.signal(DECIDE, started.token(opening, person, verb))
    await deadline(started)
    for person, verb in after:
        await started.handle.signal(DECIDE, started.token(opening, person, verb))
    return started


async def attended(started: Started, activities: Activities | None = None) -> Started:
    """Let a worker in until the mission is over. Return the mission with the house that saw it through."""
    there = started.house
    async with house(there.client, there.home, activities, queue=there.queue) as second:
        found = Started(House(there.client, there.home, second.activities, there.queue), started.handle)
        await found.result()
        return found
