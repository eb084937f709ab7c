"""The company as it is on its first day: built from the plain tables in `data/`, the same each time.

Law: a database is filled once, in one transaction; one that is filled already is left alone.
"""

import json
import sqlite3
from datetime import datetime, timedelta
from typing import Any

from demo.data.alerts import ALERTS, Alert
from demo.data.changes import CHANGES
from demo.data.documents import DOCUMENTS
from demo.data.events import AROUND, DAILY, WORKING_DAYS, Row
from demo.data.hosts import HOSTS
from demo.data.indicators import INDICATORS
from demo.data.releases import BEHAVIOUR, FREEZES, HISTORY, RELEASES, SERVICES
from demo.data.software import VERSIONS
from demo.data.users import USERS
from demo.finding import detection_finding
from demo.store import Store

World = dict[str, list[dict[str, Any]]]
CLASSES = {
    "authentication": 3002,
    "process": 1007,
    "network": 4001,
    "file": 1001,
    "email": 4009,
    "job": 1006,
    "api": 6003,
}


def build_world() -> World:
    """Return everything that the company knows, as plain rows."""
    return {
        "users": [_named(row, "user", "name", "title", "team", "privileged", "manager") for row in USERS],
        "assets": _assets(),
        "alerts": [detection_finding(alert, _address(alert["host"])) for alert in ALERTS],
        "events": _events(),
        "changes": [
            {"id": f"CHG-{4100 + 7 * number}"}
            | _named(row, "host", "kind", "status", "starts", "ends", "requester", "summary")
            for number, row in enumerate(CHANGES)
        ],
        "indicators": [
            _named(row, "value", "kind", "reputation", "confidence", "last_seen", "source", "description")
            for row in INDICATORS
        ],
        "software": [
            {"host": host, "package": package, "version": version}
            for host, packages in VERSIONS.items()
            for package, version in packages.items()
        ],
        "documents": [{"id": f"KB-{101 + number}", **document} for number, document in enumerate(DOCUMENTS)],
        "services": _services(),
        "releases": [
            {**release, "behaviour": BEHAVIOUR[release["service"], release["version"]]} for release in RELEASES
        ],
        "freezes": [_named(row, "id", "services", "starts", "ends", "reason") for row in FREEZES],
    }


def fill(store: Store, world: World | None = None) -> None:
    """Write the world into an empty database."""
    with store.write() as db:
        if db.execute("SELECT 1 FROM facts WHERE name = 'filled'").fetchone():
            return
        for table, rows in (world or build_world()).items():
            for row in rows:
                _insert(db, table, row)
        db.execute("INSERT INTO facts (name, value) VALUES ('filled', '1')")


def _insert(db: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    body = json.dumps(row, ensure_ascii=False)
    match table:
        case "users":
            db.execute("INSERT INTO users VALUES (?, ?)", (row["user"], body))
        case "assets":
            db.execute("INSERT INTO assets VALUES (?, ?, ?)", (row["host"], row["address"], body))
        case "alerts":
            db.execute("INSERT INTO alerts VALUES (?, ?)", (row["finding_info"]["uid"], body))
        case "events":
            keys = [row[name] for name in ("id", "at", "host", "user", "address")]
            db.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", (*keys, body))
        case "changes":
            keys = [row[name] for name in ("id", "host", "starts", "ends")]
            db.execute("INSERT INTO changes VALUES (?, ?, ?, ?, ?)", (*keys, body))
        case "indicators":
            db.execute("INSERT INTO indicators VALUES (?, ?)", (row["value"], body))
        case "software":
            db.execute("INSERT INTO software VALUES (?, ?, ?)", (row["host"], row["package"], row["version"]))
        case "documents":
            techniques = " ".join(row["techniques"])
            db.execute("INSERT INTO documents VALUES (?, ?, ?, ?)", (row["title"], row["body"], techniques, body))
        case "services":
            db.execute("INSERT INTO services VALUES (?, ?)", (row["service"], body))
        case "releases":
            db.execute("INSERT INTO releases VALUES (?, ?, ?)", (row["service"], row["version"], body))
        case "freezes":
            db.execute(
                "INSERT INTO freezes VALUES (?, ?, ?, ?)", (*(row[name] for name in ("id", "starts", "ends")), body)
            )
        case _:
            raise ValueError(f"the company has no table named {table!r}")


def _assets() -> list[dict[str, Any]]:
    names = ("host", "address", "owner", "team", "role", "environment", "criticality", "system")
    return [_named(row, *names) for row in HOSTS]


def _services() -> list[dict[str, Any]]:
    figures = ("requests_per_minute", "error_rate", "latency_ms", "objective", "budget_spent", "dependents")
    found = [_named(row, "service", "team", *figures) for row in SERVICES]
    for service in found:
        past = [
            {"version": version, "outcome": outcome} for name, version, outcome in HISTORY if name == service["service"]
        ]
        service["history"] = past
    return found


def _events() -> list[dict[str, Any]]:
    found = [event for alert in ALERTS for row in AROUND[alert["file"]] for event in _repeat(alert, row)]
    for day in WORKING_DAYS:
        for time, kind, host, user, message in DAILY:
            at = datetime.fromisoformat(f"{day}T{time}:00Z")
            found.append(_event(at, kind, 1, "", host, user, "", message))
    found.sort(key=lambda event: (event["at"], event["host"], event["message"]))
    return [{"id": f"EV-{20_000 + 3 * number}", **event} for number, event in enumerate(found)]


def _repeat(alert: Alert, row: Row) -> list[dict[str, Any]]:
    offset, times, between, *what = row
    first = datetime.fromisoformat(alert["at"]) + timedelta(minutes=offset)
    return [_event(first + timedelta(minutes=between * turn), *what) for turn in range(times)]


def _event(at: datetime, *what: Any) -> dict[str, Any]:
    event = _named(what, "kind", "severity_id", "tactic", "host", "user", "address", "message")
    return {"at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "class_uid": CLASSES[event["kind"]], **event}


def _address(host: str) -> str:
    return next(row[1] for row in HOSTS if row[0] == host)


def _named(row: tuple[Any, ...], *names: str) -> dict[str, Any]:
    return dict(zip(names, row, strict=True))
