"""An alert as the agents read it: an OCSF Detection Finding (class 2004), whoever sent it.

Law: what an alert is called decides nothing. Only what it observed (hosts, users, addresses, hashes), what it says
was done (ATT&CK technique), how bad it claims to be, and when.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

HOSTNAME, ADDRESS, USER, HASH = 1, 2, 4, 8
SEVERITY_WORDS = {1: "low", 2: "low", 3: "medium", 4: "high", 5: "critical", 6: "critical"}


@dataclass(frozen=True)
class Alert:
    """The parts of a finding that triage needs. `addresses` and `domains` leave out the device itself."""

    title: str
    severity: int
    at: datetime
    host: str
    user: str
    techniques: tuple[str, ...]
    tactics: tuple[str, ...]
    addresses: tuple[str, ...]
    domains: tuple[str, ...]
    hashes: tuple[str, ...]

    @property
    def indicators(self) -> tuple[str, ...]:
        """Everything that threat intelligence could know."""
        return self.addresses + self.domains + self.hashes

    @property
    def severity_word(self) -> str:
        """The severity as tickets spell it."""
        return SEVERITY_WORDS.get(self.severity, "medium")


def read_alert(finding: dict[str, Any]) -> Alert:
    """Read a Detection Finding. What it leaves out stays empty; the mission's input schema says what must be there."""
    device = finding.get("device", {})
    host = device.get("hostname", "")
    info = finding.get("finding_info", {})
    attacks = info.get("attacks", [])
    return Alert(
        title=info.get("title", ""),
        severity=finding.get("severity_id", 0),
        at=datetime.fromtimestamp(finding["time"] / 1000, UTC),
        host=host,
        user=finding.get("actor", {}).get("user", {}).get("name", ""),
        techniques=_names(attacks, "technique", "uid"),
        tactics=_names(attacks, "tactic", "name"),
        addresses=_observed(finding, ADDRESS, device.get("ip", "")),
        domains=_observed(finding, HOSTNAME, host),
        hashes=_observed(finding, HASH, ""),
    )


def moment(at: datetime) -> str:
    """Return a time in UTC as the tools spell it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def short(value: str) -> str:
    """Return an indicator as people read it: the beginning of a hash is enough."""
    return value if len(value) <= 40 else f"{value[:12]}…"


def _observed(finding: dict[str, Any], type_id: int, own: str) -> tuple[str, ...]:
    values = [seen.get("value", "") for seen in finding.get("observables", []) if seen.get("type_id") == type_id]
    return tuple(dict.fromkeys(value for value in values if value and value != own))


def _names(attacks: list[dict[str, Any]], kind: str, field: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for attack in attacks if (name := attack.get(kind, {}).get(field))))
