"""The asset inventory: what a host is, how much hangs on it, and who owns it."""

import json
import sqlite3
from typing import Any

from mcp.server.mcpserver import MCPServer

from demo.answer import Rejected
from demo.store import Store


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer `get_asset`."""

    @server.tool()
    def get_asset(host: str) -> dict[str, Any]:
        """Return a host by name or address: role, criticality, environment and its owner."""
        with store.read() as db:
            asset = find_asset(db, host)
            return {"found": asset is not None, "asset": asset, "owner": _owner(db, asset) if asset else None}


def find_asset(db: sqlite3.Connection, host: str) -> dict[str, Any] | None:
    """Return an asset by host name (in any case) or address."""
    row = db.execute("SELECT body FROM assets WHERE host = ? OR address = ?", (host.lower(), host)).fetchone()
    return json.loads(row["body"]) if row else None


def demand_host(db: sqlite3.Connection, host: str) -> str:
    """Return the inventory's own spelling of a host. Raises `Rejected` for one that is not there."""
    row = db.execute("SELECT host FROM assets WHERE host = ?", (host.lower(),)).fetchone()
    if row is None:
        raise Rejected(f"no host is named {host!r} in the inventory")
    return str(row["host"])


def _owner(db: sqlite3.Connection, asset: dict[str, Any]) -> dict[str, Any] | None:
    row = db.execute("SELECT body FROM users WHERE user = ?", (asset["owner"],)).fetchone()
    return json.loads(row["body"]) if row else None
