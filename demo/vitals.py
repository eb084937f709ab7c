"""How a host feels: what is usual for its role, and what the versions that it runs do to it."""

import sqlite3
from typing import Any

from demo.data.software import QUIRKS, VITALS


def version_of(db: sqlite3.Connection, host: str, package: str) -> str | None:
    """Return the version of a package on a host; none where it is not there."""
    row = db.execute("SELECT version FROM software WHERE host = ? AND package = ?", (host, package)).fetchone()
    return str(row["version"]) if row else None


def feel(db: sqlite3.Connection, asset: dict[str, Any]) -> dict[str, Any]:
    """Return a host's failing share, latency and services, and the versions behind them."""
    host = asset["host"]
    rows = db.execute("SELECT package, version FROM software WHERE host = ? ORDER BY package", (host,)).fetchall()
    versions = {row["package"]: row["version"] for row in rows}
    failing, latency, services = VITALS.get(asset["role"], (0.0, 10.0, ("host",)))
    down: set[str] = set()
    for where, package, version, more, factor, stopped, _ in QUIRKS:
        if where == host and versions.get(package) == version:
            failing, latency = failing + more, latency * factor
            down |= set(stopped)
    return {
        "error_rate": round(failing, 4),
        "latency_ms": round(latency, 1),
        "services": [{"name": name, "up": name not in down} for name in services],
        "versions": versions,
    }
