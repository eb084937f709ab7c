"""What a reviewer found, how grave it is, and the measure that would mend it; and what findings leave of a score.

Pure. Law: a finding taken away never lowers a score.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

GRAVEST = 5


@dataclass(frozen=True)
class Finding:
    """One thing that is not right. `severity` is 1 to 5; `mend` is a measure, or None where only people can help."""

    id: str
    component: str
    severity: int
    what: str
    mend: dict[str, str] | None = None


def report(review: str, findings: Iterable[Finding], **figures: Any) -> dict[str, Any]:
    """Return a review: its score, its findings, the gravest first, and the figures that they come from."""
    found = sorted(findings, key=lambda finding: (-finding.severity, finding.id))
    return {"review": review, "score": score(found), "findings": [asdict(one) for one in found], "figures": figures}


def score(findings: Iterable[Finding]) -> float:
    """Return 100 without findings; one of severity s takes s tenths of what is left."""
    return round(100 * prod(1 - finding.severity / 10 for finding in findings), 1)


def grave(over: float) -> int:
    """Return how grave it is to miss a target by a factor: 1 for barely, 5 for twice as much and more."""
    return max(1, min(GRAVEST, 1 + round(4 * (over - 1))))


def measure(kind: str, component: str, to: str = "") -> dict[str, str]:
    """Return a measure that the architect can take."""
    return {"kind": kind, "component": component, "to": to}
