"""Patch management: which versions run where, how hosts feel, and changes of versions.

Law: a host is only patched under a change that was scheduled for its case and names it, the package and the version;
a case takes back only its own patches. Taking back what was never patched changes nothing and is no error.
"""

import json
import sqlite3
from datetime import UTC, datetime
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from demo.answer import Rejected
from demo.call import now
from demo.inventory import demand_host, find_asset
from demo.ledger import commit
from demo.moment import read_moment
from demo.store import Store
from demo.vitals import feel, version_of
from demo.window import next_window

Name = Annotated[str, Field(min_length=1, max_length=200)]
Reason = Annotated[str, Field(min_length=1, max_length=4000)]
Hosts = Annotated[list[Name], Field(min_length=1, max_length=500)]


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer the tools of patch management."""

    @server.tool()
    def list_fleet(package: Name) -> dict[str, Any]:
        """Return every host that has a package, with its version and what hangs on it."""
        with store.read() as db:
            rows = db.execute("SELECT host, version FROM software WHERE package = ? ORDER BY host", (package,))
            return {"package": package, "hosts": [_listed(db, row["host"], row["version"]) for row in rows.fetchall()]}

    @server.tool()
    def maintenance_window(environment: Name, after: str = "") -> dict[str, Any]:
        """Return the next window in which an environment may be touched, from now or from a later moment on."""
        moment = datetime.now(UTC)
        if after:
            moment = max(moment, datetime.fromisoformat(read_moment(after)))
        found = next_window(environment, moment)
        opens, closes = (read_moment(one.isoformat()) for one in found) if found else ("", "")
        return {"environment": environment, "found": found is not None, "opens": opens, "closes": closes}

    @server.tool()
    def host_health(host: Name) -> dict[str, Any]:
        """Say how a host feels: failing requests, latency, services, and its versions."""
        with store.read() as db:
            asset = find_asset(db, host)
            if asset is None:
                raise Rejected(f"no host is named {host!r} in the inventory")
            return {"host": asset["host"], **feel(db, asset)}

    @server.tool()
    def schedule_change(  # noqa: PLR0917 (the arguments of a tool)
        case: Name, package: Name, version: Name, hosts: Hosts, opens: str, closes: str, reason: Reason
    ) -> dict[str, Any]:
        """Enter a change for a case: these hosts may get this version of a package, in this window."""
        fields = (package, version, read_moment(opens), read_moment(closes), reason)
        return commit(store, lambda db: _schedule(db, case, hosts, fields))

    @server.tool()
    def withdraw_change(case: Name) -> dict[str, Any]:
        """Take a case's changes back: nothing more is patched for it."""
        return commit(store, lambda db: _withdraw(db, case))

    @server.tool()
    def patch_host(host: Name, package: Name, version: Name, case: Name) -> dict[str, Any]:
        """Bring a package on a host to a version, under the change of a case."""
        return commit(store, lambda db: _patch(db, host, package, version, case))

    @server.tool()
    def unpatch_host(host: Name, package: Name, case: Name) -> dict[str, Any]:
        """Bring a package on a host back to the version that it had before a case patched it."""
        return commit(store, lambda db: _unpatch(db, host, package, case))


def _listed(db: sqlite3.Connection, host: str, version: str) -> dict[str, Any]:
    asset = find_asset(db, host) or {}
    held = db.execute("SELECT 1 FROM holds WHERE host = ?", (host,)).fetchone() is not None
    kept = ("team", "role", "environment", "criticality", "system")
    return {"host": host, "version": version, "isolated": held, **{name: asset.get(name, "") for name in kept}}


def _schedule(db: sqlite3.Connection, case: str, hosts: list[str], fields: tuple[str, ...]) -> dict[str, Any]:
    package, version, opens, closes, reason = fields
    if closes <= opens:
        raise Rejected(f"the window closes at {closes}, before it opens at {opens}")
    named = sorted({demand_host(db, host) for host in hosts})
    for host in named:
        if version_of(db, host, package) is None:
            raise Rejected(f"{host} does not have {package}")
    row = db.execute(
        'INSERT INTO planned ("case", package, version, hosts, opens, closes, reason, status, at)'
        " VALUES (?, ?, ?, ?, ?, ?, ?, 'scheduled', ?)",
        (case, package, version, json.dumps(named), opens, closes, reason, now()),
    )
    change = f"CHG-{8000 + (row.lastrowid or 0)}"
    return {"change": change, "case": case, "hosts": named, "opens": opens, "closes": closes, "changed": True}


def _withdraw(db: sqlite3.Connection, case: str) -> dict[str, Any]:
    gone = db.execute(
        "UPDATE planned SET status = 'withdrawn' WHERE \"case\" = ? AND status = 'scheduled'", (case,)
    ).rowcount
    return {"case": case, "changed": gone > 0}


def _patch(db: sqlite3.Connection, host: str, package: str, version: str, case: str) -> dict[str, Any]:
    host = demand_host(db, host)
    rows = db.execute(
        "SELECT hosts FROM planned WHERE \"case\" = ? AND package = ? AND version = ? AND status = 'scheduled'",
        (case, package, version),
    )
    if not any(host in json.loads(row["hosts"]) for row in rows):
        raise Rejected(f"no change of {case} lets {host} have {package} {version}: schedule one")
    before = version_of(db, host, package)
    if before != version:
        db.execute("UPDATE software SET version = ? WHERE host = ? AND package = ?", (version, host, package))
        db.execute(
            'INSERT OR IGNORE INTO patches ("case", host, package, before, at) VALUES (?, ?, ?, ?, ?)',
            (case, host, package, before, now()),
        )
    return {"host": host, "package": package, "before": before, "version": version, "changed": before != version}


def _unpatch(db: sqlite3.Connection, host: str, package: str, case: str) -> dict[str, Any]:
    host = demand_host(db, host)
    key = (case, host, package)
    known = db.execute('SELECT before FROM patches WHERE "case" = ? AND host = ? AND package = ?', key).fetchone()
    if known is not None:
        db.execute("UPDATE software SET version = ? WHERE host = ? AND package = ?", (known["before"], host, package))
        db.execute('DELETE FROM patches WHERE "case" = ? AND host = ? AND package = ?', key)
    version = version_of(db, host, package) or ""
    return {"host": host, "package": package, "version": version, "changed": known is not None}
