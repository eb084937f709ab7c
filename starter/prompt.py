"""Ask the person at the terminal, without holding up what runs beside it: Ctrl-C leaves at once."""

import asyncio
import sys


def someone_is_there() -> bool:
    """Whether a person can answer."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()


async def ask(question: str) -> str:
    """Return a line that the person types. The end of the input counts as an empty line."""
    sys.stdout.write(question)
    sys.stdout.flush()
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sys.stdin, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin)
    return sys.stdin.readline().strip()
