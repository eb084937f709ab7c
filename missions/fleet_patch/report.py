"""The reporter: says how the fleet stands.

Law: what was done is read from the systems, not from what the mission meant to do.
"""

import re
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.fleet_patch.version import older

MARKUP = re.compile(r"[\\`*\[\]<>#|~!]")


async def report(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return the report as fields and as one Markdown page."""
    advisory, plan, patches = (call.context[name] for name in ("advisory", "plan", "patches"))
    answer = await tools.call("list_fleet", package=advisory["package"])
    fleet = [host for host in answer["hosts"] if host["environment"] == call.context["environment"]]
    exposed = [host["host"] for host in fleet if older(host["version"], advisory["fixed"])]
    patched = [host["host"] for host in fleet if host["host"] in plan["names"] and host["host"] not in exposed]
    failed = [{"host": one["key"], "cause": one["cause"]} for one in patches["failures"]]
    coverage = 1 - len(exposed) / len(fleet) if fleet else 1.0
    observe(f"{len(exposed)} of {len(fleet)} hosts are still exposed", source="patch management")
    fields = {
        "title": f"{advisory['id']}: {len(patched)} of {len(plan['names'])} hosts patched"[:200],
        "patched": patched,
        "failed": failed,
        "exposed": exposed,
        "coverage": round(coverage, 3),
        "severity": _severity(advisory["severity"]),
    }
    return {**fields, "markdown": _page(fields, plan["left"])}


def _severity(score: float) -> str:
    """Return what tickets call a score."""
    return next(word for least, word in ((9, "critical"), (7, "high"), (4, "medium"), (0, "low")) if score >= least)


def _page(fields: dict[str, Any], left: list[dict[str, str]]) -> str:
    parts = [
        ("Patched", fields["patched"]),
        ("Rolled back", [f"{one['host']}: {one['cause']}" for one in fields["failed"]]),
        ("Left out", [f"{one['host']}: {one['why']}" for one in left]),
    ]
    lines = [f"# {_plain(fields['title'])}", "", f"Safe now: {fields['coverage']:.0%} of the environment.", ""]
    for title, rows in parts:
        if rows:
            lines += [f"## {title}", "", *(f"- {_plain(row)}" for row in rows), ""]
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Keep others' words from being read as Markdown."""
    return MARKUP.sub(" ", text).replace("\n", " ")
