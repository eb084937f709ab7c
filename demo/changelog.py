"""The change log: what was planned for a host, when, and whether it was approved."""

import json
from typing import Any

from mcp.server.mcpserver import MCPServer

from demo.moment import Moment, read_moment
from demo.store import Store


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer `recent_changes`."""

    @server.tool()
    def recent_changes(host: str, since: Moment, until: Moment) -> dict[str, Any]:
        """Return a host's changes whose window touches the time between `since` and `until`, oldest first."""
        with store.read() as db:
            rows = db.execute(
                "SELECT body FROM changes WHERE host = ? AND ends >= ? AND starts <= ? ORDER BY starts, id",
                (host.lower(), read_moment(since), read_moment(until)),
            ).fetchall()
        return {"changes": [json.loads(row["body"]) for row in rows]}
