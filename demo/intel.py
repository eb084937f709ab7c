"""Threat intelligence: what is known of an address, a domain or a file's hash."""

import json
from typing import Any

from mcp.server.mcpserver import MCPServer

from demo.store import Store


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer `lookup_indicator`."""

    @server.tool()
    def lookup_indicator(value: str) -> dict[str, Any]:
        """Return what intelligence says of an indicator; `reputation` is `unknown` where it says nothing."""
        with store.read() as db:
            row = db.execute("SELECT body FROM indicators WHERE value = ?", (value.lower(),)).fetchone()
        known: dict[str, Any] = json.loads(row["body"]) if row else {}
        return {"found": row is not None, "value": value, "reputation": "unknown", "confidence": 0, **known}
