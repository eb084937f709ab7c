"""Tickets: where incidents are filed for people.

Law: a ticket belongs to a case. Closing by case needs no ticket's number, so it works also when the answer to opening
was lost; closing what was never opened changes nothing and is no error.
"""

import sqlite3
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from demo.call import now
from demo.ledger import commit
from demo.store import Store

Name = Annotated[str, Field(min_length=1, max_length=200)]
Severity = Literal["low", "medium", "high", "critical"]


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer `open_ticket`, `close_ticket` and `find_tickets`."""

    @server.tool()
    def open_ticket(
        case: Name, title: Name, body: Annotated[str, Field(max_length=20_000)], severity: Severity, host: str = ""
    ) -> dict[str, Any]:
        """File a ticket for a case."""
        return commit(store, lambda db: _open(db, (case, title, body, severity, host)))

    @server.tool()
    def close_ticket(case: Name, reason: Annotated[str, Field(max_length=2000)] = "") -> dict[str, Any]:
        """Close every open ticket of a case."""
        return commit(store, lambda db: _close(db, case, reason))

    @server.tool()
    def find_tickets(case: Name) -> dict[str, Any]:
        """Return a case's tickets, oldest first."""
        with store.read() as db:
            rows = db.execute('SELECT * FROM tickets WHERE "case" = ? ORDER BY number', (case,)).fetchall()
        return {"tickets": [_show(row) for row in rows]}


def _open(db: sqlite3.Connection, fields: tuple[str, str, str, str, str]) -> dict[str, Any]:
    row = db.execute(
        'INSERT INTO tickets ("case", title, body, severity, host, status, opened_at)'
        " VALUES (?, ?, ?, ?, ?, 'open', ?)",
        (*fields, now()),
    )
    return {"ticket": _name(row.lastrowid or 0), "case": fields[0], "status": "open", "changed": True}


def _close(db: sqlite3.Connection, case: str, reason: str) -> dict[str, Any]:
    rows = db.execute("SELECT number FROM tickets WHERE \"case\" = ? AND status = 'open' ORDER BY number", (case,))
    closed = [_name(row["number"]) for row in rows]
    db.execute(
        "UPDATE tickets SET status = 'closed', closed_at = ?, closing_reason = ?"
        " WHERE \"case\" = ? AND status = 'open'",
        (now(), reason, case),
    )
    return {"case": case, "closed": closed, "changed": bool(closed)}


def _show(row: sqlite3.Row) -> dict[str, Any]:
    kept = ("case", "title", "body", "severity", "host", "status", "opened_at", "closed_at")
    return {"ticket": _name(row["number"]), **{name: row[name] for name in kept}}


def _name(number: int) -> str:
    return f"INC-{number:05d}"
