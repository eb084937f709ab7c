"""Real programs as processes that a test may kill with -9, freeze and wake: workers, and the demo company."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds until a test gives up waiting: long, for a machine that is busy with other things."""
FIRST_PAUSE, LONGEST_PAUSE = 0.01, 0.3
"""Seconds between two looks: what has not come soon comes with a timeout of many seconds."""


async def until(happened, what: str, seen=lambda: "", patience: float = PATIENCE):
    """Ask again and again until the answer is something; return it."""
    pause = FIRST_PAUSE
    try:
        async with asyncio.timeout(patience):
            while not (answer := await happened()):
                await asyncio.sleep(pause)
                pause = min(pause * 1.3, LONGEST_PAUSE)
    except TimeoutError:
        raise AssertionError(f"waited {patience:.0f} s in vain until {what} {seen()}") from None
    return answer


def clean_environ(**more: str) -> dict[str, str]:
    """Return the environment without what says where the tester's own server, home and people are."""
    kept = ("GONOGO_MAX_CACHED_WORKFLOWS", "GONOGO_PAYLOADS")
    foreign = ("TEMPORAL_", "GONOGO_", "OTEL_")
    mine = {name: value for name, value in os.environ.items() if name in kept or not name.startswith(foreign)}
    return {**mine, "TEMPORAL_CONFIG_FILE": os.devnull, **more}


@dataclass(frozen=True)
class Hand:
    """One process."""

    name: str
    pid: int
    log: Path

    @property
    def identity(self) -> str:
        """What a worker calls itself when it polls."""
        return f"{self.pid}@{socket.gethostname()}"

    def alive(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def said(self, word: str) -> bool:
        return self.log.exists() and word in self.log.read_text(errors="replace")

    async def kill(self) -> None:
        """End it as a crash would, and wait until it is gone."""
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
        await until(self.gone, f"{self.name} is gone")

    def freeze(self) -> None:
        """Stop it where it stands: to everybody else it looks like a machine that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    async def gone(self) -> bool:
        return not self.alive()


class Nursery:
    """Starts programs quickly. As a context manager: whatever still runs at the end is ended."""

    def __init__(self) -> None:
        self._hands: list[Hand] = []

    async def __aenter__(self) -> Self:
        command = [sys.executable, "-m", "tests.system.nursery"]
        self._parent = subprocess.Popen(
            command, cwd=ROOT, env=clean_environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._parent.stdout is not None
        assert "ready\n" == await asyncio.to_thread(self._parent.stdout.readline)
        return self

    async def __aexit__(self, *_: object) -> None:
        for hand in self._hands:
            if hand.alive():
                await hand.kill()
        await asyncio.to_thread(self._parent.communicate)

    async def start(
        self, program: str, arguments: Sequence[str], environ: Mapping[str, str], log: Path, sign: str
    ) -> Hand:
        """Start a program and wait until it has said its sign of life."""
        order = {"program": program, "arguments": list(arguments), "environ": dict(environ), "log": str(log)}
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write(json.dumps(order) + "\n")
        self._parent.stdin.flush()
        hand = Hand(f"{program} {' '.join(arguments)}", int(self._parent.stdout.readline()), log)
        self._hands.append(hand)

        async def ready() -> bool:
            assert hand.alive(), f"{hand.name} ended by itself:\n{log.read_text()}"
            return hand.said(sign)

        await until(ready, f"{hand.name} says {sign!r}")
        return hand
