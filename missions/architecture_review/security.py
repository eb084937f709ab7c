"""The security reviewer: who can get in unasked, and what lies open when they do."""

from collections.abc import Iterator
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.architecture_review.finding import Finding, measure, report
from missions.architecture_review.system import Part, System, reaches, read_system

PRECIOUS = {"nothing": 0, "measurements": 1, "personal": 2}


async def review(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Review the design for security."""
    del tools
    proposal, design = call.context["proposal"], call.context["design"]
    answer = reviewed(proposal, design)
    for finding in answer["findings"]:
        observe(finding["what"], source=finding["component"])
    return answer


def reviewed(proposal: dict[str, Any], design: dict[str, Any]) -> dict[str, Any]:
    """Return the review: doors without a lock, and what is kept in the clear."""
    system = read_system(proposal, design["measures"])
    doors = [part for part in system.values() if part.exposed]
    open_doors = [part.name for part in doors if not part.authenticates]
    return report("security", _findings(system), doors=len(doors), open_doors=open_doors)


def _findings(system: System) -> Iterator[Finding]:
    for name, part in system.items():
        if part.exposed and not part.authenticates:
            yield _open_door(part, system)
        if PRECIOUS[part.holds] and not part.encrypted:
            what = f"{name} keeps {part.holds} in the clear"
            yield Finding(f"S-clear-{name}", name, 2 * PRECIOUS[part.holds], what, measure("encrypt", name))
        if part.exposed and part.holds == "personal":
            what = f"{name} holds personal data and answers strangers itself: put a part without data before it"
            yield Finding(f"S-front-{name}", name, 3, what)


def _open_door(part: Part, system: System) -> Finding:
    """Grade a door by the most precious thing that lies behind it."""
    behind = max(PRECIOUS[system[name].holds] for name in reaches(system, part.name))
    what = f"{part.name} answers strangers without asking who they are"
    return Finding(f"S-door-{part.name}", part.name, 3 + behind, what, measure("authenticate", part.name))
