"""The retriever: gathers what is known of an alert's host, and of what it observed.

Law: it reports what it found and where, and judges nothing; a source that has nothing is a gap, and is said.
`correlate.py` judges.
"""

from datetime import timedelta
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.incident_triage.alert import Alert, moment, read_alert, short

CHANGES_BEFORE = timedelta(days=7)
CHANGES_AFTER = timedelta(hours=12)


async def retrieve(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Gather owner, recent changes, intelligence and knowledge."""
    alert = read_alert(call.context["alert"])
    observe(f"Gathering what is known of {alert.host or 'an unnamed host'}", kind="progress")
    asset = await _find_asset(alert, tools, observe)
    changes = await _find_changes(alert, tools, observe)
    indicators = await _look_up(alert, tools, observe)
    knowledge = await _search(alert, tools, observe)
    return _with_gaps({"asset": asset, "changes": changes, "indicators": indicators, "knowledge": knowledge}, observe)


async def look_up_host(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Gather what the inventory says alone, where the other sources cannot be asked."""
    asset = await _find_asset(read_alert(call.context["alert"]), tools, observe)
    return _with_gaps({"asset": asset, "changes": [], "indicators": [], "knowledge": []}, observe)


def _with_gaps(found: dict[str, Any], observe: Observe) -> dict[str, Any]:
    gaps = [name for name, rows in found.items() if not rows]
    for gap in gaps:
        observe(f"Nothing found: {gap}", source=gap, kind="question")
    return {**found, "gaps": gaps}


async def _find_asset(alert: Alert, tools: Toolbox, observe: Observe) -> dict[str, Any] | None:
    if not alert.host:
        return None
    answer = await tools.call("get_asset", host=alert.host)
    if not answer["found"]:
        return None
    asset, owner = answer["asset"], answer["owner"]
    name = owner["name"] if owner else asset["owner"]
    observe(
        f"{asset['host']} is a {asset['role']} of {asset['team']}, criticality {asset['criticality']}, owned by {name}",
        source="asset inventory",
    )
    return {**asset, "owner_name": name, "owner_title": owner["title"] if owner else ""}


async def _find_changes(alert: Alert, tools: Toolbox, observe: Observe) -> list[dict[str, Any]]:
    if not alert.host:
        return []
    since, until = moment(alert.at - CHANGES_BEFORE), moment(alert.at + CHANGES_AFTER)
    answer = await tools.call("recent_changes", host=alert.host, since=since, until=until)
    found: list[dict[str, Any]] = answer["changes"]
    for change in found:
        window = f"{change['starts']} to {change['ends']}"
        observe(f"{change['status']} {change['kind']}, {window}: {change['summary']}", source=f"change {change['id']}")
    return found


async def _look_up(alert: Alert, tools: Toolbox, observe: Observe) -> list[dict[str, Any]]:
    found = []
    for value in alert.indicators:
        answer = await tools.call("lookup_indicator", value=value)
        if not answer["found"]:
            continue
        found.append(answer)
        observe(
            f"{short(value)} is {answer['reputation']} at {answer['confidence']} %: {answer['description']}",
            source=f"intelligence: {answer['source']}",
        )
    return found


async def _search(alert: Alert, tools: Toolbox, observe: Observe) -> list[dict[str, Any]]:
    query = " ".join((*alert.techniques, *alert.tactics, alert.title)).strip()
    if not query:
        return []
    answer = await tools.call("search_knowledge", query=query, limit=5)
    found: list[dict[str, Any]] = answer["documents"]
    for document in found:
        observe(f"{document['title']} (advice: {document['advice']})", source=f"knowledge {document['id']}")
    return found
