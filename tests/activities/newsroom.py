"""A NATS server with JetStream, really, and the records of missions that never were."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nats

from contracts.audit import AuditEntry, Chain

SERVER = Path(sys.executable).parent / "nats-server"
BEGAN = datetime(2026, 3, 1, 9, tzinfo=UTC)
SECRET = "hunter2-in-the-clear"
COST = {"usd": 0.5, "tokens": 900}
STORY: tuple[tuple[str, dict[str, Any]], ...] = (
    ("mission started", {"team": "secops", "inputs_digest": "sha256:1", "started_by": SECRET}),
    ("cost counted", {"cost": COST, "resource": SECRET, "task": SECRET}),
    ("timer started", {"timer": "1", "seconds": 2}),
    ("state told", {"MissionState": "waiting", "AwaitingRole": ["lead"]}),
    ("decision accepted", {"verb": "approve", "comment": SECRET, "changes": {"host": SECRET}, "jti": "j1"}),
    ("action executed", {"key": "k1", "arguments": {"host": SECRET}, "arguments_digest": "sha256:2"}),
    ("mission completed", {"verdict": "done", "reason": SECRET, "cost": COST, "runs": 1}),
)


def chain(mission: str = "case-1") -> Chain:
    return Chain(namespace="default", mission=mission, first_run_id=f"run of {mission}", name="triage", version="1")


def record() -> list[AuditEntry]:
    """Return a record in which everything that may not be told is the same secret."""
    return [
        AuditEntry(
            at=BEGAN + timedelta(seconds=number),
            run_id="run",
            event_id=number,
            what=what,
            who="ada",
            why=SECRET,
            token=SECRET,
            detail=detail,
        )
        for number, (what, detail) in enumerate(STORY, 1)
    ]


@asynccontextmanager
async def newsroom(folder: Path, port: int = -1) -> AsyncIterator[str]:
    """Run the real server over a folder, and yield its address."""
    command = [str(SERVER), "--jetstream", "--store_dir", str(folder), "--addr", "127.0.0.1", "--port", str(port)]
    server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert server.stderr is not None
    try:
        address = ""
        async for line in server.stderr:
            if found := re.search(rb"client connections on 127.0.0.1:(\d+)", line):
                address = f"nats://127.0.0.1:{found[1].decode()}"
            if b"Server is ready" in line:
                break
        yield address
    finally:
        server.terminate()
        await server.communicate()


async def stream(address: str, subject: str = "gonogo.>") -> None:
    """Have a stream take everything under a subject."""
    client = await nats.connect(address)
    await client.jetstream().add_stream(name="missions", subjects=[subject])
    await client.close()


async def stored(address: str) -> list[Any]:
    """Return what the stream holds, in its order."""
    client = await nats.connect(address)
    js = client.jetstream()
    held = (await js.stream_info("missions")).state.messages
    found = [await js.get_msg("missions", number) for number in range(1, held + 1)]
    await client.close()
    return found
