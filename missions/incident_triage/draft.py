"""The drafter: prepares the isolation command and the note that the engineer on call reads before deciding.

Law: it drafts for the host that the evidence points to, and only for one that the inventory knows. It changes
nothing; the mission's action does, with what people approved.
"""

from textwrap import shorten
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.incident_triage.alert import read_alert

MOST_EVIDENCE, MOST_REASON = 4, 500


class NothingToIsolateError(Exception):
    """The host to isolate is not in the inventory."""


async def draft(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return the arguments of the isolation, and the note."""
    alert, correlation = read_alert(call.context["alert"]), call.context["correlation"]
    host = await _choose_host(alert.host, correlation, tools, observe)
    answer = await tools.call("get_asset", host=host)
    if not answer["found"]:
        raise NothingToIsolateError(f"{host} is not in the inventory")
    asset, owner = answer["asset"], answer["owner"]
    status = await tools.call("host_status", host=host)
    procedure = await _procedure(tools)
    reason = shorten(f"{alert.title}: {_because(correlation['evidence'])}", MOST_REASON, placeholder=" …")
    note = _note(asset, owner, status, correlation, procedure, call.guidance)
    observe(f"Drafted the isolation of {host}", source="drafter", kind="progress")
    return {
        "summary": f"{correlation['summary']}. Isolating {asset['host']} is asked for."[:400],
        "host": asset["host"],
        "reason": reason,
        "severity": alert.severity_word,
        "title": f"{alert.title} on {asset['host']}"[:200],
        "note": note,
        "already_isolated": status["status"] == "isolated",
    }


async def _choose_host(alerted: str, correlation: dict[str, Any], tools: Toolbox, observe: Observe) -> str:
    """Take the host with the most weight of linked events; the alert's own host where there are none."""
    weights: dict[str, float] = {alerted: 0.0}
    for link in correlation["links"]:
        if link["tactic"]:
            weights[link["host"]] = weights.get(link["host"], 0.0) + link["strength"] * link["severity_id"]
    best = max(weights, key=lambda host: (weights[host], host == alerted))
    if best != alerted and not await _may_be_isolated(best, tools):
        best = alerted
    observe(f"The evidence points to {best} ({weights[best]:.1f} of {sum(weights.values()):.1f})", source="events")
    return best


async def _may_be_isolated(host: str, tools: Toolbox) -> bool:
    answer = await tools.call("get_asset", host=host)
    return bool(answer["found"]) and answer["asset"]["criticality"] != "critical"


async def _procedure(tools: Toolbox) -> dict[str, Any] | None:
    answer = await tools.call("search_knowledge", query="procedure isolating and releasing a host", limit=1)
    documents: list[dict[str, Any]] = answer["documents"]
    return documents[0] if documents else None


def _because(evidence: list[dict[str, Any]]) -> str:
    return "; ".join(piece["text"] for piece in evidence if piece["weight"] > 0)


def _note(  # noqa: PLR0917 (what the note says, in its order)
    asset: dict[str, Any],
    owner: dict[str, Any] | None,
    status: dict[str, Any],
    correlation: dict[str, Any],
    procedure: dict[str, Any] | None,
    guidance: tuple[str, ...],
) -> str:
    name = f"{owner['name']} ({owner['title']})" if owner else asset["owner"]
    lines = [
        f"Asked: isolate {asset['host']} ({asset['address']}) from the network.",
        f"Why: {correlation['summary']}.",
        f"It will stop: the {asset['role']} of {asset['team']}, criticality {asset['criticality']}. Owner: {name}.",
        "To undo: release_host with this case; it lifts this case's hold and no other.",
    ]
    if status["held_by"]:
        lines.append(f"It is isolated already, for {', '.join(status['held_by'])}.")
    if procedure:
        lines.append(f"Procedure: {procedure['id']}, {procedure['title']}.")
    lines += [f"An operator says: {said}" for said in guidance]
    lines.append("Evidence:")
    lines += [
        f"- {piece['weight']:+.2f} {piece['text']} ({piece['source']})"
        for piece in correlation["evidence"][:MOST_EVIDENCE]
    ]
    return "\n".join(lines)
