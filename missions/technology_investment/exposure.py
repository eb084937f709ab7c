"""What a case may cost a year by what may happen, and the least that brings it under the company's appetite. Pure."""

from collections.abc import Iterable
from itertools import combinations

from missions.technology_investment.case import Case, Mitigation

MOST = 12
"""Mitigations of which every combination is looked at; of more, the most telling ones."""


def exposure(case: Case, measures: Iterable[str] = ()) -> float:
    """Return the loss to expect in a year: chance times impact, less what controls and measures take away."""
    taken = set(measures)
    left = dict.fromkeys((risk.id for risk in case.risks), 1.0)
    for one in case.mitigations:
        if one.id in taken and one.risk in left:
            left[one.risk] *= 1 - one.effect
    return sum(risk.likelihood * risk.impact * (1 - risk.controlled) * left[risk.id] for risk in case.risks)


def cheapest(case: Case) -> tuple[str, ...] | None:
    """Return the cheapest mitigations under which the loss is within the appetite; None where none suffice."""
    known = telling(case)
    enough = [
        chosen
        for size in range(len(known) + 1)
        for chosen in combinations(known, size)
        if exposure(case, (one.id for one in chosen)) <= case.appetite
    ]
    best = min(enough, key=lambda chosen: (sum(one.cost for one in chosen), len(chosen)), default=None)
    return None if best is None else tuple(one.id for one in best)


def telling(case: Case) -> list[Mitigation]:
    """Return the mitigations that take most away, when each is alone, in the order of their names."""
    whole = exposure(case)
    best = sorted(case.mitigations, key=lambda one: (exposure(case, [one.id]) - whole, one.id))[:MOST]
    return sorted(best, key=lambda one: one.id)
