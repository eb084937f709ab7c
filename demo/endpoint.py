"""Endpoint protection: cuts hosts off the network and lets them back.

Law: a host is isolated while at least one case holds it. A case lifts only its own hold, so undoing one incident
never frees a host that another one needs isolated; lifting what was never held changes nothing and is no error.
"""

import sqlite3
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from demo.call import now
from demo.inventory import demand_host, find_asset
from demo.ledger import commit
from demo.store import Store

Name = Annotated[str, Field(min_length=1, max_length=200)]
Reason = Annotated[str, Field(min_length=1, max_length=2000)]


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer `isolate_host`, `release_host`, `host_status` and `isolated_hosts`."""

    @server.tool()
    def isolate_host(host: Name, reason: Reason, case: Name) -> dict[str, Any]:
        """Cut a host off the network for a case. Only endpoint protection itself still reaches it."""
        return commit(store, lambda db: _isolate(db, host, reason, case))

    @server.tool()
    def release_host(host: Name, case: Name) -> dict[str, Any]:
        """Lift a case's isolation of a host. It is back on the network when no other case holds it."""
        return commit(store, lambda db: _release(db, host, case))

    @server.tool()
    def host_status(host: Name) -> dict[str, Any]:
        """Say whether a host is isolated, and for which cases."""
        with store.read() as db:
            known = find_asset(db, host)
            if known is None:
                return {"host": host, "found": False, "status": "unknown", "held_by": []}
            return {"found": True, **_status(db, known["host"])}

    @server.tool()
    def isolated_hosts(case: Name) -> dict[str, Any]:
        """Return the hosts that a case holds isolated."""
        with store.read() as db:
            rows = db.execute('SELECT host FROM holds WHERE "case" = ? ORDER BY host', (case,)).fetchall()
        return {"case": case, "hosts": [row["host"] for row in rows]}


def _isolate(db: sqlite3.Connection, host: str, reason: str, case: str) -> dict[str, Any]:
    host = demand_host(db, host)
    changed = not _holders(db, host)
    db.execute(
        'INSERT OR IGNORE INTO holds (host, "case", reason, at) VALUES (?, ?, ?, ?)', (host, case, reason, now())
    )
    return {**_status(db, host), "case": case, "changed": changed}


def _release(db: sqlite3.Connection, host: str, case: str) -> dict[str, Any]:
    host = demand_host(db, host)
    lifted = db.execute('DELETE FROM holds WHERE host = ? AND "case" = ?', (host, case)).rowcount > 0
    return {**_status(db, host), "case": case, "changed": lifted and not _holders(db, host)}


def _status(db: sqlite3.Connection, host: str) -> dict[str, Any]:
    holders = _holders(db, host)
    return {"host": host, "status": "isolated" if holders else "connected", "held_by": holders}


def _holders(db: sqlite3.Connection, host: str) -> list[str]:
    rows = db.execute('SELECT "case" FROM holds WHERE host = ? ORDER BY at, "case"', (host,))
    return [row["case"] for row in rows]
