"""How well a technology fits: what it is better at than today's, and what it costs and saves in upkeep. Pure."""

from collections.abc import Iterable

from missions.technology_investment.case import Case, Mitigation

BEST = 5.0
HEAVY = 0.25
"""The share of the free weeks above which more upkeep each year is a debt that should be paid first."""


def gain(case: Case) -> float:
    """Return how much better it fits than today's, from -1 to 1, by the weights of what it should be good at."""
    whole = sum(one.weight for one in case.criteria)
    if not whole:
        return 0.0
    return sum(one.weight * (one.fit - one.now) for one in case.criteria) / (whole * BEST)


def debt(case: Case) -> float:
    """Return the weeks of upkeep that each year adds; below zero where it takes some away."""
    return case.weeks_added - case.weeks_removed


def buildable(case: Case, wanted: Iterable[str]) -> list[Mitigation]:
    """Return those wanted mitigations that fit the free weeks, the quickest first."""
    named = set(wanted)
    left, found = case.weeks_free, []
    for one in sorted((one for one in case.mitigations if one.id in named), key=lambda one: (one.weeks, one.id)):
        if one.weeks <= left:
            left -= one.weeks
            found.append(one)
    return found
