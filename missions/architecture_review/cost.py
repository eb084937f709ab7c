"""The cost reviewer: what the design costs a month, and where that is spent on idling."""

from collections.abc import Iterator
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.architecture_review.finding import Finding, grave, measure, report
from missions.architecture_review.performance import TIGHT
from missions.architecture_review.system import System, busy, monthly, read_system

IDLE = 0.25
"""A part with several instances that is less busy than this has one too many."""
SPARE = 2
"""Instances that nobody takes away for money alone: one may fail."""


async def review(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Review the design for cost."""
    del tools
    answer = reviewed(call.context["proposal"], call.context["design"])
    observe(f"{answer['figures']['monthly_eur']:,.0f} EUR a month", source="model")
    for finding in answer["findings"]:
        observe(finding["what"], source=finding["component"])
    return answer


def reviewed(proposal: dict[str, Any], design: dict[str, Any]) -> dict[str, Any]:
    """Return the review: the month's cost against the budget, and who idles."""
    system, counts, targets = read_system(proposal, design["measures"]), design["instances"], proposal["targets"]
    total, shares = monthly(system, counts), busy(system, counts, targets["peak_rps"])
    findings = [*_too_dear(proposal, system, counts, total, shares), *_idle(counts, shares)]
    spent = {name: round(part.cost * counts[name], 2) for name, part in system.items()}
    return report("cost", findings, monthly_eur=round(total, 2), spent=spent)


def _too_dear(
    proposal: dict[str, Any], system: System, counts: dict[str, int], total: float, shares: dict[str, float]
) -> Iterator[Finding]:
    over = total / proposal["targets"]["monthly_eur"]
    if over > 1:
        what = f"It costs {total:,.0f} EUR a month, and may cost {proposal['targets']['monthly_eur']:,}"
        spare = [name for name in system if counts[name] > SPARE and _carries(counts[name], shares[name])]
        dearest = max(spare, key=lambda name: (system[name].cost, name), default=None)
        mend = measure("shrink", dearest) if dearest else None
        yield Finding("C-dear", dearest or proposal["entry"], grave(over), what, mend)


def _carries(count: int, share: float) -> bool:
    """Whether one instance less would still have room."""
    return share * count / (count - 1) <= TIGHT


def _idle(counts: dict[str, int], shares: dict[str, float]) -> Iterator[Finding]:
    for name, share in shares.items():
        if counts[name] > SPARE and share < IDLE:
            what = f"{counts[name]} instances of {name} are {share:.0%} busy"
            yield Finding(f"C-idle-{name}", name, 1, what, measure("shrink", name))
