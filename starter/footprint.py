"""Who runs beside a home: one supervisor at a time, and what a supervisor that died has left running.

The lock says whether somebody supervises; `dev.json` says where, and which processes are its own. A process is ended
only when its command line is still the one that was written down: ids are used again.
"""

import fcntl
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field

from contracts.base import Message
from starter.problem import Unreachable


class Footprint(Message):
    """What `dev.json` says: the ports in use, and the processes by name."""

    pid: int
    port: int
    ui_port: int
    company_port: int
    codec: str = ""
    """Where the Web UI has payloads read, with the key of its pages; nothing where they are in the clear."""
    processes: dict[str, "Trace"] = Field(default_factory=dict)


class Trace(Message):
    """A process that was started."""

    pid: int
    command: tuple[str, ...]


Footprint.model_rebuild()


def prepare(home: Path) -> None:
    """Make the folder, or say that it cannot be written."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Unreachable(
            f"cannot write in {home}: {error.strerror}; set GONOGO_HOME to a folder that you may write"
        ) from None


@contextmanager
def supervised(home: Path) -> Iterator[bool]:
    """Hold the supervisor's place at a home; False when somebody else holds it."""
    with (home / "dev.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


def read(home: Path) -> Footprint | None:
    """Return what the last supervisor wrote, if it can be read."""
    try:
        return Footprint.model_validate_json((home / "dev.json").read_text())
    except (OSError, ValueError):
        return None


def write(home: Path, footprint: Footprint) -> None:
    """Write it as a whole."""
    temporary = home / f".dev.json.{os.getpid()}"
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(footprint.model_dump(mode="json"), indent=2))
    temporary.replace(home / "dev.json")


def sweep(home: Path) -> list[str]:
    """End what a supervisor that died has left running; return the names. Call it only while holding the place."""
    footprint = read(home)
    left = [] if footprint is None else [name for name, trace in footprint.processes.items() if ours(trace)]
    for name in left:
        trace = footprint.processes[name] if footprint else None
        if trace:
            os.killpg(trace.pid, signal.SIGKILL)
    (home / "dev.json").unlink(missing_ok=True)
    return left


def ours(trace: Trace) -> bool:
    """Whether the process is still the one that was started."""
    return _command_line(trace.pid) == " ".join(trace.command)


def _command_line(pid: int) -> str:
    """Return how a process was called, or an empty text where that cannot be known."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").replace("\0", " ")
    except OSError:
        pass
    try:
        shown = subprocess.run(
            ["ps", "-ww", "-p", str(pid), "-o", "args="], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return shown.stdout.strip()
