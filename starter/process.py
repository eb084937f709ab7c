"""A program that we start beside ourselves: its own process group, its output in a log file, a clean end.

Its own group, so that Ctrl-C in a terminal reaches only us and we stop the others in order.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from starter.problem import Unreachable

PATIENCE = 10.0
"""Seconds that a program gets to leave by itself."""


class Process:
    """One program. `name` is what people are told it is."""

    def __init__(self, name: str, command: Sequence[str], log: Path, cwd: Path | None = None) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.cwd = cwd
        self._popen: subprocess.Popen[bytes] | None = None
        self._log_began = self._read = 0

    @property
    def pid(self) -> int:
        """The process id, or 0 when it has not been started."""
        return self._popen.pid if self._popen else 0

    def start(self) -> None:
        """Start it, its output appended to the log. A log that cannot be written is `Unreachable`."""
        try:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            with self.log.open("ab") as out:
                self._log_began = self._read = out.tell()
                self._popen = subprocess.Popen(
                    self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    cwd=self.cwd,
                    start_new_session=True,
                )
        except OSError as error:
            raise Unreachable(f"cannot start {self.name}: {error.strerror}: {error.filename}") from error

    def alive(self) -> bool:
        """Whether it runs."""
        return self._popen is not None and self._popen.poll() is None

    def said(self, word: str) -> bool:
        """Whether the word stands in what it has written since it was started."""
        if not self.log.exists():
            return False
        with self.log.open("rb") as file:
            file.seek(self._log_began)
            return word.encode() in file.read()

    def news(self) -> list[str]:
        """Return the lines that it has written since this was last asked."""
        if not self.log.exists():
            return []
        with self.log.open("rb") as file:
            file.seek(self._read)
            whole, _, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + 1 if whole else 0
        return whole.decode(errors="replace").splitlines()

    def tail(self, lines: int = 3) -> str:
        """Return the end of its log, for people."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - 4_000))
            return "\n".join(file.read().decode(errors="replace").strip().splitlines()[-lines:])

    def death(self) -> Unreachable:
        """Say that it ended by itself, and where it says why."""
        code = self._popen.poll() if self._popen else None
        return Unreachable(f"{self.name} ended by itself (exit code {code}); its log is {self.log}:\n{self.tail()}")

    def kill(self) -> None:
        """End it at once, as a crash would, with all that it started."""
        self._signal(signal.SIGKILL)
        if self._popen:
            self._popen.wait()

    async def stop(self, patience: float = PATIENCE) -> None:
        """Ask it to leave; end it when it does not within `patience` seconds."""
        if self.alive():
            self._signal(signal.SIGTERM)
        end = time.monotonic() + patience
        while self.alive() and time.monotonic() < end:  # noqa: ASYNC110 (a process has no event to wait for)
            await asyncio.sleep(0.02)
        self.kill()

    def _signal(self, number: signal.Signals) -> None:
        if self._popen is None:
            return
        try:
            os.killpg(self._popen.pid, number)
        except ProcessLookupError:
            return
