"""The product analyst: gathers tickets that tell of the same need, and ranks the needs.

Law: the order of the tickets decides nothing, and a ticket that is graver or one more never lowers a need's score.
The first three letters of RICE are found here; the effort comes from `effort.py`, and `draft.py` divides.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.create_prd.words import Weights, likeness, rarity, stems, vector

Ticket = dict[str, Any]
ALIKE = 0.08
"""Two groups of tickets whose pairs are on average at least this alike, 0 to 1, tell of the same need."""
FEWEST = 2
"""Tickets that make a need: what one customer wrote once is kept apart."""
IMPACT = {"low": 0.5, "medium": 1.0, "high": 2.0, "critical": 3.0}
"""RICE's scale of impact, for a customer's gravest ticket."""
SURE_FROM = 8
"""Tickets from which on more of them make nobody surer."""
MOST_TERMS = 12


@dataclass(frozen=True)
class Need:
    """Tickets that belong together, and the words that they share most of."""

    tickets: tuple[Ticket, ...]
    title: str
    terms: Weights


async def analyse(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return the needs, the highest score first, and the tickets that belong to none."""
    del tools
    tickets, usage = call.context["tickets"], call.context["usage"]
    needs = find_needs(tickets)
    rows = ranked(needs, usage)
    for row in rows:
        observe(
            f"{row['title']}: {row['reach']} customers, impact {row['impact']:.2f}, confidence {row['confidence']:.2f}",
            source=f"{len(row['tickets'])} tickets",
        )
    gathered = {ticket["id"] for need in needs for ticket in need.tickets}
    apart = sorted(ticket["id"] for ticket in tickets if ticket["id"] not in gathered)
    observe(f"{len(gathered)} of {len(tickets)} tickets tell of {len(rows)} needs", source="tickets", kind="progress")
    return {"needs": rows, "apart": apart, "tickets": len(tickets)}


def find_needs(tickets: Sequence[Ticket]) -> list[Need]:
    """Gather the tickets into needs."""
    known = sorted(tickets, key=lambda ticket: str(ticket["id"]))
    words = [stems(f"{ticket['title']} {ticket['title']} {ticket['text']}") for ticket in known]
    weights = rarity(words)
    vectors = [vector(some, weights) for some in words]
    groups = [group for group in _gathered(vectors) if len(group) >= FEWEST]
    return [_need([known[place] for place in group], [vectors[place] for place in group]) for group in groups]


def _gathered(vectors: Sequence[Weights]) -> list[list[int]]:
    """Join the two groups that are most alike until none are alike enough; ties go by place."""
    groups = {place: [place] for place in range(len(vectors))}
    alike = {(one, other): likeness(vectors[one], vectors[other]) for one, other in combinations(groups, 2)}
    while alike:
        one, other = max(alike, key=lambda pair: (round(alike[pair], 9), -pair[0], -pair[1]))
        if alike[one, other] < ALIKE:
            break
        _join(groups, alike, one, other)
    return list(groups.values())


def _join(groups: dict[int, list[int]], alike: dict[tuple[int, int], float], one: int, other: int) -> None:
    """Put the second group into the first; what is alike to both counts by their sizes."""
    size, more = len(groups[one]), len(groups[other])
    del alike[one, other]
    for third in groups.keys() - {one, other}:
        kept = (min(one, third), max(one, third))
        gone = alike.pop((min(other, third), max(other, third)))
        alike[kept] = (size * alike[kept] + more * gone) / (size + more)
    groups[one] += groups.pop(other)


def _need(tickets: list[Ticket], vectors: list[Weights]) -> Need:
    """Name a need after the ticket that is most like all the others."""
    total: dict[str, float] = defaultdict(float)
    for one in vectors:
        for word, value in one.items():
            total[word] += value
    heard = [likeness(one, total) for one in vectors]
    best = max(range(len(tickets)), key=lambda place: (round(heard[place], 9), -place))
    # A word that a single ticket of the need has says more of that ticket than of the need.
    shared = {word: total[word] for word in total if sum(word in one for one in vectors) >= FEWEST}
    kept = sorted(shared or total, key=lambda word: (-round(total[word], 9), word))[:MOST_TERMS]
    length = sum(total[word] ** 2 for word in sorted(kept)) ** 0.5
    return Need(tuple(tickets), tickets[best]["title"], {word: round(total[word] / length, 4) for word in sorted(kept)})


def ranked(needs: Sequence[Need], usage: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Score each need: reach x impact x confidence."""
    rows = [_score(need, usage) for need in needs]
    rows.sort(key=lambda row: (-row["score"], row["title"]))
    return [{"id": f"N{place}", **row} for place, row in enumerate(rows, 1)]


def _score(need: Need, usage: Sequence[dict[str, Any]]) -> dict[str, Any]:
    gravest: dict[str, float] = {}
    for ticket in need.tickets:
        customer = ticket["customer"]
        gravest[customer] = max(gravest.get(customer, 0.0), IMPACT[ticket["severity"]])
    failing = failing_share(need.terms, usage)
    reach, impact = len(gravest), sum(gravest.values()) / len(gravest)
    confidence = min(1.0, 0.4 + 0.4 * min(len(need.tickets), SURE_FROM) / SURE_FROM + 0.4 * failing)
    return {
        "title": need.title,
        "tickets": sorted(ticket["id"] for ticket in need.tickets),
        "customers": sorted(gravest),
        "reach": reach,
        "impact": round(impact, 3),
        "confidence": round(confidence, 3),
        "failing": round(failing, 3),
        "score": round(reach * impact * confidence, 3),
        "terms": need.terms,
    }


def failing_share(terms: Weights, usage: Sequence[dict[str, Any]]) -> float:
    """Return which share of the sessions with this need's features failed; 0 where no feature is known."""
    about = [row for row in usage if set(stems(row["feature"])) & terms.keys()]
    sessions = sum(row["sessions"] for row in about)
    return sum(row["failed"] for row in about) / sessions if sessions else 0.0
