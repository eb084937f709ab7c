"""One worker sees many missions through, and keeps nothing of them: its memory is what it was after the first."""

import asyncio
import ctypes
import gc
import os
from pathlib import Path

import pytest

from tests.workflows import lawful
from tests.workflows.house import Activities, House, house
from tests.workflows.test_mission import agent, isolate
from workflows.mission import Mission

WARM, ROUNDS, AT_ONCE = 2, 5, 12
MOST_GROWN = 8_000_000
"""What a machine may take for its own reasons: each mission that was kept would take more than half a megabyte."""
BULK = {"text": "x" * 150_000, "confidence": 0.9}


def resident() -> int:
    """Return the bytes of memory that this process really has, with what nobody uses any more given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def see_through(h: House) -> None:
    started = await h.start([agent("one", output="a"), isolate(), agent("two", context=["a"])])
    await started.decide(await started.until(), "lea")
    assert "completed" == (await started.result()).state


async def play(h: House, rounds: int) -> None:
    for _ in range(rounds):
        await asyncio.gather(*(see_through(h) for _ in range(AT_ONCE)))


@pytest.mark.slow
@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="only glibc gives memory back when it is asked"
)
async def test_memory_stays_flat_over_many_missions(client, home):
    async with house(client, home, Activities(agents={"ann": BULK})) as h:
        await play(h, WARM)
        before = resident()
        await play(h, ROUNDS)
        grown = resident() - before
        kept = sum(isinstance(one, Mission) for one in gc.get_objects())
        del lawful.STARTED[h.queue][:-3]

    assert grown < MOST_GROWN, f"{grown / ROUNDS / AT_ONCE / 1000:.0f} kB of each mission stayed"
    assert kept <= 1
