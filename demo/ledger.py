"""The world's own ledger: every effect that the company committed, once per idempotency key.

Law: the effect and its row are one transaction. What was undone is never done late. The same key with the same
payload answers with what was stored; with another payload it is refused. The other half, every call whether it had an
effect or not, is `attempt.py`.
"""

import hashlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from demo.answer import Rejected
from demo.call import KEY, current, now
from demo.store import Store

Act = Callable[[sqlite3.Connection], dict[str, Any]]


def canonical(value: Any) -> str:
    """Return the one JSON spelling of a value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def payload_digest(arguments: Mapping[str, Any]) -> str:
    """Return `sha256:<64 hex digits>` over the arguments exactly as they were sent."""
    return "sha256:" + hashlib.sha256(canonical(dict(arguments)).encode()).hexdigest()


def commit(store: Store, act: Act) -> dict[str, Any]:
    """Carry out the current call's effect once. `act` answers with what changed (`changed: bool` in its result)."""
    call = current.get()
    if call.key is None:
        raise Rejected(f"{call.tool} changes the world: send an idempotency key in _meta as {KEY!r}")
    digest = payload_digest(call.arguments)
    with store.write() as db:
        if call.warrant is not None:
            call.warrant.spend(db)
        known = db.execute("SELECT tool, digest, result FROM effects WHERE key = ?", (call.key,)).fetchone()
        if known is not None:
            return _stored(known, call.tool, digest)
        if db.execute("SELECT 1 FROM undone WHERE key = ?", (call.key,)).fetchone() is not None:
            raise Rejected("what this idempotency key stands for was undone before it came: it is not done any more")
        result = act(db)
        if call.undoes is not None:
            db.execute("INSERT OR IGNORE INTO undone (key, at) VALUES (?, ?)", (call.undoes, now()))
        db.execute(
            "INSERT INTO effects (key, tool, arguments, digest, result, changed, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                call.key,
                call.tool,
                canonical(dict(call.arguments)),
                digest,
                canonical(result),
                result["changed"],
                now(),
            ),
        )
    return result


def _stored(known: sqlite3.Row, tool: str, digest: str) -> dict[str, Any]:
    if (known["tool"], known["digest"]) != (tool, digest):
        raise Rejected(f"this idempotency key already stands for another payload of {known['tool']}")
    result: dict[str, Any] = json.loads(known["result"])
    return result


def effects(store: Store) -> list[dict[str, Any]]:
    """Return every committed effect, oldest first."""
    with store.read() as db:
        rows = db.execute("SELECT * FROM effects ORDER BY sequence").fetchall()
    return [
        {
            **dict(row),
            "arguments": json.loads(row["arguments"]),
            "result": json.loads(row["result"]),
            "changed": bool(row["changed"]),
        }
        for row in rows
    ]
