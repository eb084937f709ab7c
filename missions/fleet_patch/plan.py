"""The planner: says which hosts get a patch, in which order, in which window, and why the others do not.

Law: it changes nothing and hides nothing: every host of the environment that has the package is in the plan or left
out for a reason. `choose.py` decides, from what the tools say.
"""

from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.fleet_patch.choose import Host, exposure, in_order, why_left

LONG_AGO = "2000-01-01T00:00:00Z"


class NoWindowError(Exception):
    """The environment may never be touched."""


async def plan(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return the batch for people to approve."""
    advisory, environment = call.context["advisory"], call.context["environment"]
    opens, closes = await _window(environment, call.context["not_before"], tools)
    observe(f"The next window of {environment} opens at {opens}", source="maintenance windows")
    answer = await tools.call("list_fleet", package=advisory["package"])
    fleet = [host for host in answer["hosts"] if host["environment"] == environment]
    chosen, left = [], []
    for host in fleet:
        changes = await tools.call("recent_changes", host=host["host"], since=LONG_AGO, until=closes)
        why = why_left(host, advisory, changes["changes"])
        if why:
            left.append({"host": host["host"], "why": why})
            observe(f"{host['host']} is left out: {why}", source="inventory")
        else:
            chosen.append(host)
    ordered = in_order(chosen)
    open_to = exposure(chosen, fleet, advisory["severity"])
    observe(f"{len(ordered)} of {len(fleet)} hosts need {advisory['package']} {advisory['fixed']}", kind="thought")
    return {
        "hosts": [_show(host) for host in ordered],
        "names": [host["host"] for host in ordered],
        "left": left,
        "opens": opens,
        "closes": closes,
        "exposure": round(open_to, 3),
        "reason": _reason(advisory, ordered, left, open_to),
    }


async def _window(environment: str, not_before: str, tools: Toolbox) -> tuple[str, str]:
    after = {"after": not_before} if not_before else {}
    window = await tools.call("maintenance_window", environment=environment, **after)
    if not window["found"]:
        raise NoWindowError(f"{environment} has no maintenance window")
    return window["opens"], window["closes"]


def _show(host: Host) -> dict[str, Any]:
    return {name: host[name] for name in ("host", "version", "role", "criticality", "team")}


def _reason(advisory: dict[str, Any], ordered: list[Host], left: list[dict[str, Any]], open_to: float) -> str:
    lines = [
        f"{advisory['id']} ({advisory['severity']:g}): {advisory['summary']}",
        f"{advisory['package']} to {advisory['fixed']} on {len(ordered)} hosts, the least critical first:",
        *(f"- {host['host']}: {host['version']}, {host['role']}, {host['criticality']}" for host in ordered),
    ]
    if left:
        lines += ["Left out:", *(f"- {one['host']}: {one['why']}" for one in left)]
    lines.append(f"Open to it now: {open_to:.0%} of what hangs on these hosts.")
    return "\n".join(lines)[:4000]
