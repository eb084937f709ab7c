"""The reporter: writes the incident's report.

Law: what was done is read from the systems that did it, not from what the mission meant to do.
"""

import re
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.incident_triage.alert import Alert, moment, read_alert

MARKUP = re.compile(r"[\\`*\[\]<>#|~!]")


async def report(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return the report as fields and as one Markdown page."""
    alert = read_alert(call.context["alert"])
    findings, correlation = call.context["findings"], call.context["correlation"]
    isolated = await _isolated(call.mission, tools, observe)
    tickets = (await tools.call("find_tickets", case=call.mission))["tickets"]
    for ticket in tickets:
        observe(f"{ticket['ticket']} is {ticket['status']}: {ticket['title']}", source="tickets")
    fields = {
        "title": f"{alert.title} on {alert.host}",
        "summary": correlation["summary"],
        "proposed": correlation["verdict"],
        "isolated": isolated,
        "tickets": [ticket["ticket"] for ticket in tickets if ticket["status"] == "open"],
        "timeline": _timeline(alert, correlation["links"]),
        "open_questions": [f"No answer from: {gap}" for gap in findings["gaps"]],
    }
    observe("Wrote the report", source="reporter", kind="progress")
    return {**fields, "markdown": _page(fields, correlation)}


async def _isolated(case: str, tools: Toolbox, observe: Observe) -> list[str]:
    """Return the hosts that this case holds."""
    hosts: list[str] = (await tools.call("isolated_hosts", case=case))["hosts"]
    observe(f"Isolated for this case: {', '.join(hosts) or 'nothing'}", source="endpoint protection")
    return hosts


def _timeline(alert: Alert, links: list[dict[str, Any]]) -> list[dict[str, str]]:
    rows = [{"at": link["at"], "what": f"{link['message']} on {link['host']}"} for link in links if link["tactic"]]
    rows.append({"at": moment(alert.at), "what": f"Alert: {alert.title}"})
    return sorted(rows, key=lambda row: (row["at"], row["what"]))


def _page(fields: dict[str, Any], correlation: dict[str, Any]) -> str:
    sections = {
        "Reasoning": correlation["reasoning"],
        "Timeline": [f"{row['at']} {row['what']}" for row in fields["timeline"]],
        "Done": [
            *(f"Isolated: {host}" for host in fields["isolated"]),
            *(f"Filed: {ticket}" for ticket in fields["tickets"]),
        ]
        or ["Nothing was changed"],
        "Open": fields["open_questions"] or ["Nothing"],
    }
    parts = [f"# {plain(fields['title'])}", plain(fields["summary"])]
    for heading, rows in sections.items():
        parts.append(f"## {heading}\n" + "\n".join(f"- {plain(row)}" for row in rows))
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Return text on one line that Markdown shows as it is: events carry words of strangers."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
