"""The technical analyst: which components a need touches, what that takes, and what can go wrong.

Law: weeks and risk follow from the components' size, tests, owners and dependents. Fewer dependents or more tests
never make anything costlier or riskier.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.create_prd.words import likeness, stems, vector

Component = dict[str, Any]
TOUCHED = 0.2
"""A component whose description is at least this like a need, 0 to 1, has to change for it."""
NEW_WEEKS, NEW_RISK = 6.0, 0.5
"""What something takes that no component does yet."""


async def estimate(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Estimate each need by the components that it touches."""
    del tools
    components = call.context["components"]
    rows = [estimated(need, components) for need in call.context["needs"]["needs"]]
    for row in rows:
        where = ", ".join(row["components"]) or "nothing that there is"
        observe(f"{row['id']}: {row['weeks']} weeks, risk {row['risk']:.2f}, in {where}", source="components")
    return {"estimates": rows}


def estimated(need: Mapping[str, Any], components: Sequence[Component]) -> dict[str, Any]:
    """Return weeks of work, risk from 0 to 1, and why, for one need."""
    known = sorted(components, key=lambda component: str(component["name"]))
    touched = [component for component in known if _touches(component, need["terms"])]
    if not touched:
        why = ["No component does this yet: a new one"]
        return {"id": need["id"], "components": [], "weeks": NEW_WEEKS, "risk": NEW_RISK, "why": why}
    above = {component["name"]: dependents(component["name"], known) for component in touched}
    return {
        "id": need["id"],
        "components": [component["name"] for component in touched],
        "weeks": round(sum(_weeks(component, above[component["name"]]) for component in touched), 1),
        "risk": round(1 - prod(1 - _risk(component, above[component["name"]]) for component in touched), 3),
        "why": [_reason(component, above[component["name"]]) for component in touched],
    }


def dependents(name: str, components: Sequence[Component]) -> set[str]:
    """Return who would notice a change: all that depend on a component, directly or through others."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        on = waiting.pop()
        fresh = {one["name"] for one in components if on in one["depends_on"]} - found - {name}
        found |= fresh
        waiting.extend(sorted(fresh))
    return found


def _touches(component: Component, terms: Mapping[str, float]) -> bool:
    words = stems(component["does"])
    return likeness(vector(words, dict.fromkeys(words, 1.0)), terms) >= TOUCHED


def _weeks(component: Component, above: set[str]) -> float:
    """Take a week, and one for each 20,000 lines; half as much again without tests; a tenth for each dependent."""
    size = 1 + component["thousand_lines"] / 20
    return float(size * (1.5 - 0.5 * component["coverage"]) * (1 + 0.1 * len(above)))


def _risk(component: Component, above: set[str]) -> float:
    alone = 0.1 if component["owners"] <= 1 else 0.0
    return float(min(0.9, 0.03 + 0.3 * (1 - component["coverage"]) + 0.04 * len(above) + alone))


def _reason(component: Component, above: set[str]) -> str:
    owners = "nobody else knows it" if component["owners"] <= 1 else f"{component['owners']} people know it"
    noticed = f"{', '.join(sorted(above))} would notice" if above else "nothing depends on it"
    return f"{component['name']}: {component['coverage']:.0%} tested, {owners}, {noticed}"
