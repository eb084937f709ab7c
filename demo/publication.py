"""Published documents: decision records and the like, that everybody in the company may rely on.

Law: a document belongs to a case. What was withdrawn stays readable and says so; withdrawing by case needs no
document's number, and withdrawing what was never published changes nothing and is no error.
"""

import sqlite3
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from demo.call import now
from demo.ledger import commit
from demo.store import Store

Name = Annotated[str, Field(min_length=1, max_length=200)]
Body = Annotated[str, Field(min_length=1, max_length=20_000)]


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer `publish_document`, `withdraw_document` and `find_publications`."""

    @server.tool()
    def publish_document(case: Name, title: Name, body: Body) -> dict[str, Any]:
        """Publish a document for a case."""
        return commit(store, lambda db: _publish(db, case, title, body))

    @server.tool()
    def withdraw_document(case: Name, reason: Annotated[str, Field(max_length=2000)] = "") -> dict[str, Any]:
        """Withdraw every published document of a case."""
        return commit(store, lambda db: _withdraw(db, case, reason))

    @server.tool()
    def find_publications(case: Name) -> dict[str, Any]:
        """Return a case's documents, oldest first, withdrawn ones included."""
        with store.read() as db:
            rows = db.execute('SELECT * FROM publications WHERE "case" = ? ORDER BY number', (case,)).fetchall()
        return {"documents": [_show(row) for row in rows]}


def _publish(db: sqlite3.Connection, case: str, title: str, body: str) -> dict[str, Any]:
    row = db.execute(
        "INSERT INTO publications (\"case\", title, body, status, published_at) VALUES (?, ?, ?, 'published', ?)",
        (case, title, body, now()),
    )
    return {"document": _name(row.lastrowid or 0), "case": case, "status": "published", "changed": True}


def _withdraw(db: sqlite3.Connection, case: str, reason: str) -> dict[str, Any]:
    mine = "\"case\" = ? AND status = 'published'"
    rows = db.execute(f"SELECT number FROM publications WHERE {mine} ORDER BY number", (case,))  # noqa: S608 (ours)
    withdrawn = [_name(row["number"]) for row in rows]
    db.execute(
        f"UPDATE publications SET status = 'withdrawn', withdrawn_at = ?, reason = ? WHERE {mine}",  # noqa: S608 (ours)
        (now(), reason, case),
    )
    return {"case": case, "withdrawn": withdrawn, "changed": bool(withdrawn)}


def _show(row: sqlite3.Row) -> dict[str, Any]:
    kept = ("case", "title", "body", "status", "published_at", "withdrawn_at", "reason")
    return {"document": _name(row["number"]), **{name: row[name] for name in kept}}


def _name(number: int) -> str:
    return f"DOC-{number:05d}"
