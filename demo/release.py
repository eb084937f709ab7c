"""Releases: what is built, who may not release when, what takes how much of the traffic, and how it does.

Law: a case raises a release's share in stages and takes back its own stages only; the share is the largest stage that
stands. Taking back what was never done changes nothing and is no error. Measurements follow from the share and from
how the release behaves, so that the same stage measures the same each time.
"""

import json
import sqlite3
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from demo.answer import Rejected
from demo.call import now
from demo.ledger import commit
from demo.moment import Moment, read_moment
from demo.store import Store

Name = Annotated[str, Field(min_length=1, max_length=200)]
Percent = Annotated[int, Field(ge=1, le=100)]
MINUTES = 10
"""How far back a measurement looks."""


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer the tools of releasing."""
    _register_readers(server, store)

    @server.tool()
    def apply_migration(service: Name, migration: Name, case: Name) -> dict[str, Any]:
        """Apply a service's migration."""
        return commit(store, lambda db: _apply(db, service, migration, case))

    @server.tool()
    def revert_migration(service: Name, migration: Name, case: Name) -> dict[str, Any]:
        """Revert a migration that a case applied."""
        return commit(store, lambda db: _revert(db, service, migration, case))

    @server.tool()
    def deploy_release(service: Name, version: Name, percent: Percent, case: Name) -> dict[str, Any]:
        """Let a release take this much of its service's traffic."""
        return commit(store, lambda db: _deploy(db, service, version, percent, case))

    @server.tool()
    def rollback_release(service: Name, version: Name, percent: Percent, case: Name) -> dict[str, Any]:
        """Take one stage of a case back."""
        return commit(store, lambda db: _roll_back(db, service, version, percent, case))


def _register_readers(server: MCPServer[Any], store: Store) -> None:
    @server.tool()
    def get_release(service: Name, version: Name) -> dict[str, Any]:
        """Return a build: its tests, its size, and what must be done before it takes traffic."""
        with store.read() as db:
            release = _release(db, service, version)
        return {"found": release is not None, "release": release and _manifest(release)}

    @server.tool()
    def service_health(service: Name) -> dict[str, Any]:
        """Return a service's objective, how much of its error budget is spent, and its last releases."""
        with store.read() as db:
            row = db.execute("SELECT body FROM services WHERE service = ?", (service,)).fetchone()
        return {"found": row is not None, "health": json.loads(row["body"]) if row else None}

    @server.tool()
    def change_freezes(service: Name, since: Moment, until: Moment) -> dict[str, Any]:
        """Return the freezes of a service that touch the time between two moments, the earliest first."""
        with store.read() as db:
            rows = db.execute(
                "SELECT body FROM freezes WHERE ends >= ? AND starts <= ? ORDER BY starts, id",
                (read_moment(since), read_moment(until)),
            ).fetchall()
        found = [json.loads(row["body"]) for row in rows]
        return {"freezes": [freeze for freeze in found if {"*", service} & set(freeze["services"])]}

    @server.tool()
    def release_metrics(service: Name, version: Name) -> dict[str, Any]:
        """Measure a release over the last minutes, beside what is usual for its service."""
        with store.read() as db:
            return _measure(db, service, version)


def _release(db: sqlite3.Connection, service: str, version: str) -> dict[str, Any] | None:
    row = db.execute("SELECT body FROM releases WHERE service = ? AND version = ?", (service, version)).fetchone()
    return json.loads(row["body"]) if row else None


def _demand(db: sqlite3.Connection, service: str, version: str) -> dict[str, Any]:
    release = _release(db, service, version)
    if release is None:
        raise Rejected(f"there is no release {version!r} of {service!r}")
    return release


def _manifest(release: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in release.items() if name != "behaviour"}


def _share(db: sqlite3.Connection, service: str, version: str) -> int:
    row = db.execute(
        "SELECT max(percent) AS share FROM stages WHERE service = ? AND version = ?", (service, version)
    ).fetchone()
    return row["share"] or 0


def _apply(db: sqlite3.Connection, service: str, migration: str, case: str) -> dict[str, Any]:
    rows = db.execute("SELECT body FROM releases WHERE service = ?", (service,)).fetchall()
    known = [item for row in rows for item in json.loads(row["body"])["prerequisites"] if item["kind"] == "migration"]
    wanted = next((item for item in known if item["id"] == migration), None)
    if wanted is None:
        raise Rejected(f"no release of {service!r} has a migration {migration!r}")
    _demand_applied(db, service, [need for need in wanted["needs"] if need in {item["id"] for item in known}])
    changed = db.execute(
        'INSERT OR IGNORE INTO migrations (service, migration, "case", at) VALUES (?, ?, ?, ?)',
        (service, migration, case, now()),
    ).rowcount
    return {"service": service, "migration": migration, "status": "applied", "changed": bool(changed)}


def _revert(db: sqlite3.Connection, service: str, migration: str, case: str) -> dict[str, Any]:
    changed = db.execute(
        'DELETE FROM migrations WHERE service = ? AND migration = ? AND "case" = ?', (service, migration, case)
    ).rowcount
    status = "applied" if migration in _applied(db, service) else "reverted"
    return {"service": service, "migration": migration, "status": status, "changed": bool(changed)}


def _applied(db: sqlite3.Connection, service: str) -> set[str]:
    return {row["migration"] for row in db.execute("SELECT migration FROM migrations WHERE service = ?", (service,))}


def _demand_applied(db: sqlite3.Connection, service: str, needed: list[str]) -> None:
    if missing := sorted(set(needed) - _applied(db, service)):
        raise Rejected(f"{service} needs the migration {', '.join(missing)} first")


def _deploy(db: sqlite3.Connection, service: str, version: str, percent: int, case: str) -> dict[str, Any]:
    release = _demand(db, service, version)
    _demand_applied(db, service, [item["id"] for item in release["prerequisites"] if item["kind"] == "migration"])
    before = _share(db, service, version)
    db.execute(
        'INSERT OR IGNORE INTO stages (service, version, percent, "case", at) VALUES (?, ?, ?, ?, ?)',
        (service, version, percent, case, now()),
    )
    return _shared(db, service, version, before)


def _roll_back(db: sqlite3.Connection, service: str, version: str, percent: int, case: str) -> dict[str, Any]:
    before = _share(db, service, version)
    db.execute(
        'DELETE FROM stages WHERE service = ? AND version = ? AND percent = ? AND "case" = ?',
        (service, version, percent, case),
    )
    return _shared(db, service, version, before)


def _shared(db: sqlite3.Connection, service: str, version: str, before: int) -> dict[str, Any]:
    share = _share(db, service, version)
    return {"service": service, "version": version, "share": share, "before": before, "changed": share != before}


def _measure(db: sqlite3.Connection, service: str, version: str) -> dict[str, Any]:
    behaviour = _demand(db, service, version)["behaviour"]
    usual = json.loads(db.execute("SELECT body FROM services WHERE service = ?", (service,)).fetchone()["body"])
    share = _share(db, service, version)
    rate, slower = next(((rate, slower) for at, rate, slower in reversed(behaviour) if share >= at), (0.0, 1.0))
    requests = usual["requests_per_minute"] * MINUTES * share // 100
    errors = round(requests * rate)
    return {
        "service": service,
        "version": version,
        "share": share,
        "requests": requests,
        "errors": errors,
        "error_rate": errors / requests if requests else 0.0,
        "latency_ms": round(usual["latency_ms"] * slower),
        "usual": {"error_rate": usual["error_rate"], "latency_ms": usual["latency_ms"]},
    }
