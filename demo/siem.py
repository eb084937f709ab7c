"""The SIEM: alerts as OCSF Detection Findings, and the events around them."""

import json
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from demo.answer import Rejected
from demo.moment import Moment, read_moment
from demo.store import Store

Limit = Annotated[int, Field(ge=1, le=500)]


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer `get_alert` and `related_events`."""

    @server.tool()
    def get_alert(uid: str) -> dict[str, Any]:
        """Return one alert, an OCSF Detection Finding, by its finding_info.uid."""
        with store.read() as db:
            row = db.execute("SELECT body FROM alerts WHERE uid = ?", (uid,)).fetchone()
        return {"found": row is not None, "alert": json.loads(row["body"]) if row else None}

    @server.tool()
    def related_events(  # noqa: PLR0917  # the parameters are the tool's, named by its callers
        since: Moment, until: Moment, host: str = "", user: str = "", address: str = "", limit: Limit = 200
    ) -> dict[str, Any]:
        """Return events between two times that share the host, the user or the address, oldest first."""
        if not (host or user or address):
            raise Rejected("name a host, a user or an address to look for")
        with store.read() as db:
            rows = db.execute(
                "SELECT body FROM events WHERE at BETWEEN ?1 AND ?2"
                " AND ((?3 <> '' AND host = ?3) OR (?4 <> '' AND user = ?4) OR (?5 <> '' AND address = ?5))"
                " ORDER BY at, id LIMIT ?6",
                (read_moment(since), read_moment(until), host, user, address, limit + 1),
            ).fetchall()
        return {"events": [json.loads(row["body"]) for row in rows[:limit]], "truncated": len(rows) > limit}
