"""`gonogo` at a terminal of its own: what is on the screen is read, and keys are pressed."""

import asyncio
import fcntl
import os
import pty
import struct
import sys
import termios
from contextlib import asynccontextmanager

ANSWERED = 20
"""Seconds within which a loaded machine must have answered."""


class Terminal:
    """The person's side of a terminal. `screen` is all that was written to it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._read = 0
        self.screen = ""

    async def until(self, *words: str) -> str:
        """Return what was written since the last look, up to the first of these words and with it."""
        async with asyncio.timeout(ANSWERED):
            while (end := self._end(words)) < 0:
                assert await self._more(), f"it ended before it said {words!r}:\n{self.screen}"
        said = self.screen[self._read : end]
        self._read = end
        return said

    def _end(self, words: tuple[str, ...]) -> int:
        found = [(self.screen.find(word, self._read), word) for word in words]
        return min((at + len(word) for at, word in found if at >= 0), default=-1)

    async def rest(self) -> str:
        """Return all that is still written until it ends."""
        async with asyncio.timeout(ANSWERED):
            while await self._more():
                pass
        return self.screen[self._read :]

    def press(self, keys: str) -> None:
        os.write(self._descriptor, keys.encode())

    async def _more(self) -> bool:
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        loop.add_reader(self._descriptor, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_reader(self._descriptor)
        try:
            written = os.read(self._descriptor, 65_536)
        except OSError:  # what a terminal says when nobody is at its other end
            return False
        self.screen += written.decode(errors="replace").replace("\r\n", "\n")
        return bool(written)


@asynccontextmanager
async def at_terminal(*arguments, rows=40, **environment):
    """Run gonogo at a terminal; yields it and the process."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 100, 0, 0))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "starter", *arguments, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "NO_COLOR": "1", "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(ours), process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)
