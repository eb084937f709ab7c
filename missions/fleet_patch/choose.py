"""Which hosts get the patch, and in which order. Pure.

Law: what a host is called decides nothing. A host is left out for a reason that is told. Those on which the least hangs
come first, and hosts that do the same work are as far apart as can be, so that what goes wrong is seen on one of them.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from missions.fleet_patch.version import older

WEIGHTS = {"low": 1.0, "medium": 2.0, "high": 4.0, "critical": 8.0}
CRITICAL = 9.0
"""The severity from which on a critical host is patched with the others."""

Host = dict[str, Any]


def why_left(host: Host, advisory: dict[str, Any], changes: Iterable[dict[str, Any]]) -> str:
    """Return why a host that has the package does not get the patch now; nothing where it does."""
    if not older(host["version"], advisory["fixed"]):
        return f"it has {host['version']} already"
    if host["isolated"]:
        return "it is isolated for an incident"
    if host["criticality"] == "critical" and advisory["severity"] < CRITICAL:
        return f"it is critical, and a severity of {advisory['severity']:g} is below {CRITICAL:g}"
    patching = [change for change in changes if change["kind"] == "patching"]
    last = max(patching, key=lambda change: str(change["starts"]), default=None)
    if last is not None and last["status"] == "rejected":
        return f"{last['id']}, its last patching, was rejected: {last['summary']}"
    return ""


def in_order(hosts: list[Host]) -> list[Host]:
    """Return hosts in the order of patching: the turn among those of one role first, then what hangs on them."""
    by_weight = sorted(hosts, key=lambda host: (WEIGHTS[host["criticality"]], host["version"], host["host"]))
    turns: Counter[str] = Counter()
    keyed = []
    for host in by_weight:
        turns[host["role"]] += 1
        keyed.append(((turns[host["role"]], WEIGHTS[host["criticality"]]), host))
    return [host for _, host in sorted(keyed, key=lambda pair: pair[0])]


def exposure(hosts: list[Host], fleet: list[Host], severity: float) -> float:
    """Return how much of what hangs on the fleet is open to the advisory: 0 to 1."""
    whole = sum(WEIGHTS[host["criticality"]] for host in fleet)
    return severity / 10 * sum(WEIGHTS[host["criticality"]] for host in hosts) / whole if whole else 0.0
