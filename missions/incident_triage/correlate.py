"""The correlator: ties the alert to other events, weighs the evidence, and proposes a verdict.

Law: the answer is computed from what was found, by `link.py` and `evidence.py`, and every step of it is in
`reasoning`. It proposes; the mission's definition and people decide.
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.incident_triage.alert import Alert, moment, read_alert
from missions.incident_triage.evidence import Balance, Evidence, balance, weigh
from missions.incident_triage.link import Link, link_events

BEFORE, AFTER = timedelta(hours=48), timedelta(hours=12)
HISTORY = timedelta(days=28)
MOST_EVENTS = 500
MOST_LINKS = 20
MOVED = "Lateral Movement"
SOURCES = ("asset", "changes", "indicators", "knowledge", "events")
SPREAD = 2
"""Moves to this many other hosts: isolating the first one no longer ends it."""


async def correlate(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Link, weigh, and propose one of `auto_remediate`, `escalate` and `dismiss`."""
    alert, findings = read_alert(call.context["alert"]), call.context["findings"]
    links = link_events(alert, await _events(alert, tools, observe, -BEFORE, AFTER))
    _tell_links(links, observe)
    evidence = weigh(alert, findings, links, await _events(alert, tools, observe, -HISTORY, -BEFORE))
    for piece in evidence:
        observe(f"{piece.weight:+.2f} {piece.text}", source=piece.source)
    told = {name: bool(findings.get(name)) for name in SOURCES[:-1]} | {"events": bool(links)}
    result = balance(alert, evidence, sources=sum(told.values()) / len(SOURCES))
    spread = _moves(alert, links)
    verdict, why = _propose(result, findings["asset"], spread)
    observe(f"Proposes {verdict} with confidence {result.confidence:.2f}: {why}", kind="thought")
    summary = _summarize(alert, verdict, result)
    reasoning = [*_reason(evidence, told, result), why]
    return {
        "verdict": verdict,
        "confidence": round(result.confidence, 3),
        "probability": round(result.probability, 3),
        "summary": summary,
        "reasoning": reasoning,
        "explanation": "\n".join([f"{summary}.", "", *(f"- {line}" for line in reasoning)]),
        "evidence": [{**asdict(piece), "weight": round(piece.weight, 2)} for piece in evidence],
        "links": [_show(link) for link in links[:MOST_LINKS]],
        "hosts": sorted({alert.host, *spread}),
    }


async def _events(
    alert: Alert, tools: Toolbox, observe: Observe, since: timedelta, until: timedelta
) -> list[dict[str, Any]]:
    """Search by host, user and each address in turn, since a busy one must not crowd out the others."""
    window = {"since": moment(alert.at + since), "until": moment(alert.at + until), "limit": MOST_EVENTS}
    shared = [{"host": alert.host}, {"user": alert.user}, *({"address": value} for value in alert.addresses)]
    found = []
    for what in shared:
        if not any(what.values()):
            continue
        answer = await tools.call("related_events", **what, **window)
        found += answer["events"]
        if answer["truncated"]:
            observe(f"Only the first {MOST_EVENTS} events of {what} could be read", source="SIEM", kind="question")
    return found


def _tell_links(links: list[Link], observe: Observe) -> None:
    telling = [link for link in links if link.event["tactic"]]
    observe(f"{len(links)} events share something with the alert, {len(telling)} of them show a tactic", source="SIEM")
    for link in telling[:5]:
        observe(
            f"{link.event['at']} {link.event['message']} on {link.event['host']}: link {link.strength:.2f}"
            f" by {', '.join(link.shared)}",
            source=f"event {link.event['id']}",
        )


def _moves(alert: Alert, links: list[Link]) -> set[str]:
    """Return the other hosts that the trail leads to."""
    return {link.event["host"] for link in links if link.event["tactic"] == MOVED} - {alert.host}


def _propose(result: Balance, asset: dict[str, Any] | None, spread: set[str]) -> tuple[str, str]:
    if result.probability < 0.5:
        return "dismiss", "More speaks for a harmless cause than for an attack"
    if asset is None:
        return (
            "escalate",
            "Harm is likely, and the host is not in the inventory: nobody knows what isolating it would stop",
        )
    if asset["criticality"] == "critical":
        return "escalate", f"Harm is likely, and {asset['host']} is critical: isolating it is for people to weigh"
    if len(spread) >= SPREAD:
        return (
            "escalate",
            f"Harm is likely and has moved on to {', '.join(sorted(spread))}: one isolation would not end it",
        )
    return "auto_remediate", f"Harm is likely and sits on {asset['host']}, which can be isolated"


def _reason(evidence: list[Evidence], told: dict[str, bool], result: Balance) -> list[str]:
    harm = sum(piece.weight for piece in evidence if piece.weight > 0)
    harmless = -sum(piece.weight for piece in evidence if piece.weight < 0)
    silent = [name for name, said in told.items() if not said]
    return [
        *(f"{piece.weight:+.2f} {piece.text} ({piece.source})" for piece in evidence[:8]),
        f"For harm {harm:.2f}, against {harmless:.2f}: probability of harm {result.probability:.3f}",
        f"The evidence agrees to {result.agreement:.2f}; sources without an answer: {', '.join(silent) or 'none'}",
    ]


def _summarize(alert: Alert, verdict: str, result: Balance) -> str:
    return (
        f"{alert.title} on {alert.host}: {verdict} proposed, probability of harm {result.probability:.2f}, "
        f"confidence {result.confidence:.2f}"
    )


def _show(link: Link) -> dict[str, Any]:
    kept = ("id", "at", "kind", "severity_id", "tactic", "host", "user", "address", "message")
    return {name: link.event[name] for name in kept} | {
        "shared": list(link.shared),
        "strength": round(link.strength, 3),
    }
