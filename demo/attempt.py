"""Every call of a tool, with its trace and how it ended.

Law: the row is there before the tool starts, as `received`, and stays so when the program dies in between.
The other half, what calls really changed, is `ledger.py`.
"""

import json
from typing import Any

from demo.call import Call, now
from demo.fault import Fault, take_fault
from demo.ledger import canonical
from demo.store import Store


def begin(store: Store, call: Call) -> tuple[int, Fault | None]:
    """Note that a call came in and use up the fault that waits for it, if any."""
    with store.write() as db:
        fault = take_fault(db, call.tool)
        row = db.execute(
            "INSERT INTO attempts (tool, arguments, key, traceparent, fault, outcome, at)"
            " VALUES (?, ?, ?, ?, ?, 'received', ?)",
            (
                call.tool,
                canonical(dict(call.arguments)),
                call.key,
                call.traceparent,
                fault.mode if fault else None,
                now(),
            ),
        )
        return row.lastrowid or 0, fault


def end(store: Store, number: int, outcome: str, reason: str = "") -> None:
    """Note how a call ended: `answered`, `rejected` or `failed`."""
    with store.write() as db:
        db.execute("UPDATE attempts SET outcome = ?, reason = ? WHERE sequence = ?", (outcome, reason, number))


def attempts(store: Store, tool: str | None = None) -> list[dict[str, Any]]:
    """Return every call, or every call of one tool, oldest first."""
    with store.read() as db:
        rows = db.execute("SELECT * FROM attempts WHERE ?1 IS NULL OR tool = ?1 ORDER BY sequence", (tool,)).fetchall()
    return [{**dict(row), "arguments": json.loads(row["arguments"])} for row in rows]
