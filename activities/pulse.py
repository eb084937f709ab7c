"""Keep an activity's heart beating while it waits, so that a cancellation reaches it and a dead worker is noticed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from temporalio import activity

SECONDS = 1.0


def nothing() -> tuple[()]:
    """Return no details."""
    return ()


def as_before() -> tuple[object, ...]:
    """Return the details that the attempt before has left, so that a beat does not lose them."""
    return tuple(activity.info().heartbeat_details)


@asynccontextmanager
async def beating(details: Callable[[], tuple[object, ...]] = nothing) -> AsyncIterator[None]:
    """Heartbeat with fresh details once a second while the block runs."""
    heart = asyncio.create_task(_beat(details))
    try:
        yield
    finally:
        heart.cancel()
        await asyncio.wait([heart])


async def _beat(details: Callable[[], tuple[object, ...]]) -> None:
    while True:
        activity.heartbeat(*details())
        await asyncio.sleep(SECONDS)
