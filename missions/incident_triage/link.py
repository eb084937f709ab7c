"""Link events to an alert by what they share with it and by how near in time they are.

Pure. The strength of a link is 1 - (1 - w1)(1 - w2)... over the shared attributes' weights, halved for every
`HALF_LIFE` between event and alert: attributes confirm each other, and nothing reaches certainty.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import prod
from typing import Any

from missions.incident_triage.alert import Alert

WEIGHTS = {"address": 0.7, "host": 0.6, "user": 0.5}
HALF_LIFE = timedelta(hours=12)
FAINT = 0.05
"""Links weaker than this are dropped."""


@dataclass(frozen=True)
class Link:
    """An event, what it shares with the alert, and how strongly that ties them, from 0 to 1."""

    event: dict[str, Any]
    at: datetime
    shared: tuple[str, ...]
    strength: float


def link_events(alert: Alert, events: list[dict[str, Any]]) -> list[Link]:
    """Return the links that are worth keeping, strongest first."""
    unique = {event["id"]: event for event in events}
    links = [_link(alert, event) for event in unique.values()]
    kept = [link for link in links if link.strength >= FAINT]
    return sorted(kept, key=lambda link: (-link.strength, link.at, link.event["message"]))


def _link(alert: Alert, event: dict[str, Any]) -> Link:
    at = datetime.fromisoformat(event["at"])
    shared = tuple(name for name, same in _shared(alert, event).items() if same)
    together = 1 - prod(1 - WEIGHTS[name] for name in shared)
    return Link(event, at, shared, together * 0.5 ** (abs(at - alert.at) / HALF_LIFE))


def _shared(alert: Alert, event: dict[str, Any]) -> dict[str, bool]:
    return {
        "host": bool(alert.host) and event["host"] == alert.host,
        "user": bool(alert.user) and event["user"] == alert.user,
        "address": event["address"] in alert.addresses,
    }
