"""The case for an investment, as its input holds it: read once, typed, in an order that its rows do not decide.

Pure. The mission's `inputs` have said already that everything is there; the computing is in `finance.py`,
`exposure.py`, `fit.py` and `cutover.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Flow:
    """Money in a year; year 0 is now. A benefit counts with its certainty, a cost is certain."""

    year: float
    amount: float


@dataclass(frozen=True)
class Risk:
    """Something that may happen: the chance in a year, what it would cost, the share that controls take away."""

    id: str
    likelihood: float
    impact: float
    controlled: float


@dataclass(frozen=True)
class Mitigation:
    """What would take a share of a risk away, its cost now, and the weeks of engineering that it takes."""

    id: str
    risk: str
    effect: float
    cost: float
    weeks: float


@dataclass(frozen=True)
class Criterion:
    """What the technology should be good at: its weight, how good the new one is and how good today's, 0 to 5."""

    weight: float
    fit: float
    now: float


@dataclass(frozen=True)
class Month:
    """A month of operations, in hours."""

    name: str
    capacity: float
    load: float


@dataclass(frozen=True)
class Case:
    """One decision."""

    title: str
    currency: str
    discount_rate: float
    payback_limit: float
    costs: tuple[Flow, ...]
    benefits: tuple[Flow, ...]
    appetite: float
    risks: tuple[Risk, ...]
    mitigations: tuple[Mitigation, ...]
    criteria: tuple[Criterion, ...]
    weeks_free: float
    weeks_added: float
    weeks_removed: float
    months: tuple[Month, ...]
    cutover: tuple[float, ...]
    start: int
    """The month of `months` in which the cutover is planned to begin."""


def read_case(data: dict[str, Any]) -> Case:
    """Return the case of an input."""
    months = tuple(Month(one["month"], one["capacity"], one["load"]) for one in _by(data["months"], "month"))
    names = [month.name for month in months]
    return Case(
        title=data["title"],
        currency=data["currency"],
        discount_rate=data["discount_rate"],
        payback_limit=data["payback_limit_years"],
        costs=_flows(data["costs"]),
        benefits=_flows(data["benefits"]),
        appetite=data["risk_appetite"],
        risks=tuple(
            Risk(one["id"], one["likelihood"], one["impact"], one["controlled"]) for one in _by(data["risks"], "id")
        ),
        mitigations=tuple(
            Mitigation(one["id"], one["risk"], one["effect"], one["cost"], one["weeks"])
            for one in _by(data["mitigations"], "id")
        ),
        criteria=tuple(Criterion(one["weight"], one["fit"], one["now"]) for one in _by(data["criteria"], "name")),
        weeks_free=data["engineering"]["weeks_free"],
        weeks_added=data["engineering"]["weeks_added_a_year"],
        weeks_removed=data["engineering"]["weeks_removed_a_year"],
        months=months,
        cutover=tuple(data["cutover"]["hours"]),
        start=names.index(data["cutover"]["starts"]) if data["cutover"]["starts"] in names else len(names),
    )


def _by(rows: Iterable[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: str(row[key]))


def _flows(rows: Iterable[dict[str, Any]]) -> tuple[Flow, ...]:
    flows = (Flow(row["year"], row["amount"] * row.get("certainty", 1.0)) for row in rows)
    return tuple(sorted(flows, key=lambda flow: (flow.year, flow.amount)))
