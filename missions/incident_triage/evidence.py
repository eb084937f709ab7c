"""Weigh the evidence: what speaks for harm, what against, how sure that makes us.

Pure. Each piece of evidence has a weight in natural-log odds: +0.7 doubles the odds of harm, -0.7 halves them. The
weights add up with a prior from the alert's severity, and the sum gives the probability. README.md has the table.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import exp
from typing import Any

from missions.incident_triage.alert import Alert, short
from missions.incident_triage.link import Link

PRIOR = {1: -1.5, 2: -1.0, 3: -0.5, 4: 0.0, 5: 0.5, 6: 0.5}
REPUTATION = {"malicious": 2.5, "suspicious": 1.2, "benign": -1.5}
FRESH_DAYS = 90
EVENT = {1: 0.0, 2: 0.15, 3: 0.4, 4: 0.8, 5: 1.2, 6: 1.2}
MOST_FROM_EVENTS = 3.5
ADVISED = 0.4
EXPECTED_CHANGE, OTHER_CHANGE, MISSING_CHANGE = -2.0, -0.6, 0.8
ROUTINE, MOST_FROM_ROUTINE = -0.7, -2.1
SLACK = timedelta(minutes=90)
MOST_TEXT = 300
SUREST = 4.6
"""Log odds are held within this, 1 in 100: rules of thumb do not make certainty."""


@dataclass(frozen=True)
class Evidence:
    """One reason, where it comes from, and its weight: above zero for harm, below against."""

    text: str
    source: str
    weight: float


@dataclass(frozen=True)
class Balance:
    """The sum of the evidence: probability of harm, and confidence in the verdict that follows, both 0 to 1."""

    probability: float
    confidence: float
    agreement: float


def weigh(alert: Alert, findings: dict[str, Any], links: list[Link], history: list[dict[str, Any]]) -> list[Evidence]:
    """Return all evidence, heaviest first. `history` is events from days before those that were linked."""
    found = [
        *_from_intelligence(alert, findings["indicators"]),
        *_from_events(links),
        *_from_routine(alert, links, history),
        *_from_changes(alert, findings["changes"], findings["knowledge"]),
        *_from_knowledge(alert, findings["knowledge"]),
    ]
    told = [replace(piece, text=piece.text[:MOST_TEXT]) for piece in found]
    return sorted(told, key=lambda evidence: (-abs(evidence.weight), evidence.text))


def balance(alert: Alert, evidence: Iterable[Evidence], *, sources: float) -> Balance:
    """Add the evidence up. `sources` is the share of sources that had an answer, 0 to 1.

    Confidence = certainty x (0.6 + 0.25 agreement + 0.15 sources), where certainty is the probability of what is more
    likely, and agreement is 1 when all evidence points one way and 0 when both sides weigh the same.
    """
    weights = [piece.weight for piece in evidence]
    odds = PRIOR.get(alert.severity, 0.0) + sum(weights)
    probability = 1 / (1 + exp(-max(-SUREST, min(SUREST, odds))))
    total = sum(map(abs, weights))
    agreement = abs(sum(weights)) / total if total else 0.0
    certainty = max(probability, 1 - probability)
    return Balance(probability, certainty * (0.6 + 0.25 * agreement + 0.15 * sources), agreement)


def _from_intelligence(alert: Alert, indicators: list[dict[str, Any]]) -> Iterable[Evidence]:
    """Count the weightiest indicator in full and each further one by half: they tell of the same thing."""
    weighed = [(_reputation(alert, known), known) for known in indicators]
    weighed.sort(key=lambda pair: (-abs(pair[0]), pair[1]["value"]))
    for rank, (weight, known) in enumerate(weighed):
        if weight:
            text = (
                f"{short(known['value'])} is {known['reputation']}: {known['description']}, seen {known['last_seen']}"
            )
            yield Evidence(text, f"intelligence: {known['source']}", weight * 0.5**rank)


def _reputation(alert: Alert, known: dict[str, Any]) -> float:
    age = max((alert.at.date() - datetime.fromisoformat(known["last_seen"]).date()).days, 0)
    scale = REPUTATION.get(known["reputation"], 0.0)
    return float(scale * known["confidence"] / 100 * 0.5 ** (age / FRESH_DAYS))


def _from_events(links: list[Link]) -> Iterable[Evidence]:
    """Count the strongest event of each tactic: a chain of different steps weighs more than one step repeated."""
    strongest: dict[str, tuple[float, Link]] = {}
    for link in links:
        tactic, weight = link.event["tactic"], link.strength * EVENT.get(link.event["severity_id"], 0.0)
        if tactic and weight > strongest.get(tactic, (0.0, link))[0]:
            strongest[tactic] = (weight, link)
    total = sum(weight for weight, _ in strongest.values())
    shrink = min(1.0, MOST_FROM_EVENTS / total) if total else 1.0
    for tactic, (weight, link) in strongest.items():
        text = f"{tactic}: {link.event['message']} on {link.event['host']} (shares {', '.join(link.shared)})"
        yield Evidence(text, f"event {link.event['id']}", weight * shrink)


def _from_routine(alert: Alert, links: list[Link], history: list[dict[str, Any]]) -> Iterable[Evidence]:
    """Look for the same thing on earlier days, at this time of day: habits are rarely attacks."""
    habits = {_habit(link.event) for link in links if link.event["tactic"] in alert.tactics}
    moments = [datetime.fromisoformat(event["at"]) for event in history if _habit(event) in habits]
    days = {at.date() for at in moments if _at_this_hour(alert.at - at)}
    if days:
        text = f"The same was seen at this time of day on {len(days)} earlier days"
        yield Evidence(text, "earlier events", max(ROUTINE * len(days), MOST_FROM_ROUTINE))


def _habit(event: dict[str, Any]) -> tuple[str, ...]:
    return tuple(event[name] for name in ("kind", "tactic", "host", "user", "address"))


def _at_this_hour(gap: timedelta) -> bool:
    day = timedelta(days=1)
    return min(gap % day, day - gap % day) <= SLACK


def _from_changes(alert: Alert, changes: list[dict[str, Any]], knowledge: list[dict[str, Any]]) -> Iterable[Evidence]:
    """Count approved changes at the time against harm, most where a document names them as the cause.

    Where a document calls this harmless under such a change only, its absence speaks for harm.
    """
    about = _about(alert, knowledge)
    explained = {kind for document in about for kind in document["expects"]}
    running = [change for change in changes if change["status"] == "approved" and _covers(change, alert.at)]
    for change in running:
        expected = change["kind"] in explained
        text = f"Approved {change['kind']} at this time{', which explains it' if expected else ''}: {change['summary']}"
        yield Evidence(text, f"change {change['id']}", EXPECTED_CHANGE if expected else OTHER_CHANGE)
    for document in about:
        there = {change["kind"] for change in running} & set(document["expects"])
        if document["advice"] == "expected" and not there:
            text = f"Harmless only under an approved {' or '.join(document['expects'])}, and there is none at this time"
            yield Evidence(text, f"knowledge {document['id']}", MISSING_CHANGE)


def _covers(change: dict[str, Any], at: datetime) -> bool:
    return datetime.fromisoformat(change["starts"]) <= at <= datetime.fromisoformat(change["ends"])


def _from_knowledge(alert: Alert, knowledge: list[dict[str, Any]]) -> Iterable[Evidence]:
    for document in _about(alert, knowledge):
        if document["advice"] == "contain":
            yield Evidence(
                f"The runbook advises to contain: {document['title']}", f"knowledge {document['id']}", ADVISED
            )


def _about(alert: Alert, knowledge: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [document for document in knowledge if set(document["techniques"]) & set(alert.techniques)]
