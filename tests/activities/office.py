"""A small office for tests: people with real keys in a home of their own, and gates that they decide at."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from activities import keys
from activities.statement import seal
from contracts.base import digest
from contracts.call import Grant, ToolCall, idempotency_key
from contracts.decision import Claims, Hearing, Opening, Subject

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())


def subject(**fields: Any) -> Subject:
    """Return what people are asked: to isolate a host, by anyone of secops."""
    known = {
        "mission": "mission-1",
        "first_run_id": "run-1",
        "name": "incident_triage",
        "step": "remediate/isolate",
        "approvers": ("secops",),
        "tool": "isolate_host",
        "arguments": {"host": "web-01"},
        "compensation": "release_host",
        "requested_by": "rita",
    }
    return Subject(**{**known, **fields})


def opening(asked: Subject | None = None, **fields: Any) -> Opening:
    asked = asked or subject()
    known = {
        "subject": asked,
        "digest": asked.digest(),
        "nonce": "nonce-1",
        "opened_at": NOW - timedelta(minutes=1),
        "deadline": NOW + timedelta(minutes=29),
        "input_schema": HOST,
    }
    return Opening(**{**known, **fields})


HOST = {
    "type": "object",
    "required": ["host"],
    "additionalProperties": False,
    "properties": {"host": {"type": "string"}},
}


def claims(asked: Subject | None = None, **fields: Any) -> Claims:
    """Return a good approval by anna, changed as asked."""
    asked = asked or subject()
    known = {
        "iss": "anna",
        "jti": "decision-1",
        "iat": SECONDS - 5,
        "exp": SECONDS + 300,
        "mission": asked.mission,
        "run": asked.first_run_id,
        "step": asked.step,
        "nonce": "nonce-1",
        "digest": asked.digest(),
        "verb": "approve",
    }
    return Claims(**{**known, **fields})


def hearing(token: str, *openings: Opening, **fields: Any) -> Hearing:
    known = {
        "token": token,
        "received_at": NOW,
        "mission": "mission-1",
        "first_run_id": "run-1",
        "openings": openings or (opening(),),
    }
    return Hearing(**{**known, **fields})


def populate(home: Path) -> None:
    """Register the office's people."""
    keys.create(home, "anna", ("secops",))
    keys.create(home, "bert", ("secops", "lead"))
    keys.create(home, "carl", ("finance",))
    keys.create(home, "dana", ("finance",))
    keys.create(home, "rita", ("secops",))


def approve(home: Path, name: str, asked: Subject, **fields: Any) -> str:
    """Sign an approval now, by the real clock."""
    seconds = int(datetime.now(UTC).timestamp())
    known = {"iss": name, "jti": f"by-{name}", "iat": seconds, "exp": seconds + 300}
    return keys.sign(home, name, claims(asked, **{**known, **fields}))


def grant(home: Path, asked: Subject, *names: str) -> Grant:
    return Grant(subject=asked, nonce="nonce-1", tokens=tuple(approve(home, name, asked) for name in names))


def forge(home: Path, header: Callable[[dict[str, Any]], dict[str, Any]], said: Claims, signer: str = "anna") -> str:
    """Sign with a person's key under a header of the forger's choice."""
    from jwt.utils import base64url_encode

    key = keys.private(home, signer)
    honest = seal(key, keys.kid(keys.registered(home).people[signer].keys[0]), said)
    head = json.dumps(header(json.loads(_decoded(honest.split(".")[0])))).encode()
    signing = base64url_encode(head) + b"." + honest.split(".")[1].encode()
    return (signing + b"." + base64url_encode(key.sign(signing))).decode()


def _decoded(part: str) -> bytes:
    from jwt.utils import base64url_decode

    return base64url_decode(part)


async def lineage(workflow_id: str, run_id: str) -> str:
    """Know that run-9 of mission-1 descends from run-1."""
    return {("mission-1", "run-9"): "run-1"}.get((workflow_id, run_id), "somewhere else")


def call(tool: str = "isolate_host", **fields: Any) -> ToolCall:
    """Return a call as an honest mission makes it."""
    arguments = fields.get("arguments", {"host": "web-01"})
    path = fields.get("path", "remediate/isolate")
    key = idempotency_key("default", "mission-1", "run-1", path, digest(arguments))
    known = {"mission": "mission-1", "path": path, "tool": tool, "arguments": arguments, "key": key}
    return ToolCall(**{**known, **fields})


def undo(tool: str = "release_host", **fields: Any) -> ToolCall:
    """Return the call that undoes the isolation."""
    return call(tool, **{"path": "remediate/isolate/undo", "undoes": "isolate_host", **fields})
