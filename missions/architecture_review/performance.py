"""The performance reviewer: whether the design carries its peak, answers in time, and is there."""

from collections.abc import Iterator
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.architecture_review.finding import Finding, grave, measure, report
from missions.architecture_review.system import (
    System,
    availability,
    busy,
    read_system,
    responses,
)

TIGHT = 0.75
"""A part that is busier has no room for a burst."""

Targets = dict[str, Any]


async def review(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Review the design for performance."""
    del tools
    answer = reviewed(call.context["proposal"], call.context["design"])
    told = answer["figures"]
    observe(f"An answer takes {told['response_ms']:.0f} ms; {told['availability']:.4%} are answered", source="model")
    for finding in answer["findings"]:
        observe(finding["what"], source=finding["component"])
    return answer


def reviewed(proposal: dict[str, Any], design: dict[str, Any]) -> dict[str, Any]:
    """Return the review: how long an answer takes at the peak, how often there is one, who is too busy."""
    system, counts, targets = read_system(proposal, design["measures"]), design["instances"], proposal["targets"]
    entry = proposal["entry"]
    shares = busy(system, counts, targets["peak_rps"])
    times = responses(system, counts, targets["peak_rps"])
    there = availability(system, counts)
    findings = [
        *_too_busy(shares),
        *_too_slow(system, times, entry, targets),
        *_too_rare(system, counts, there, targets),
    ]
    rounded = {name: round(share, 3) for name, share in shares.items()}
    return report(
        "performance", findings, response_ms=round(times[entry], 1), availability=round(there, 6), busy=rounded
    )


def _too_busy(shares: dict[str, float]) -> Iterator[Finding]:
    for name, share in shares.items():
        if share > TIGHT:
            what = f"{name} is {share:.0%} busy at the peak"
            yield Finding(f"P-busy-{name}", name, 4 if share >= 1 else 2, what, measure("grow", name))


def _too_slow(system: System, times: dict[str, float], entry: str, targets: Targets) -> Iterator[Finding]:
    over = times[entry] / targets["response_ms"]
    if over > 1:
        what = f"An answer takes {times[entry]:.0f} ms, and may take {targets['response_ms']}"
        yield Finding("P-slow", entry, grave(over), what, _quicker(system, times))


def _quicker(system: System, times: dict[str, float]) -> dict[str, str] | None:
    """Return what saves most time: not to wait for a call that can be deferred, or to remember what calls bring."""
    ways = []
    for name, part in system.items():
        waited = [(part.asked(call) * times[call.to], call) for call in part.calls if not call.deferred]
        ways += [(saved, measure("defer", name, call.to)) for saved, call in waited if call.deferrable]
        if part.cacheable and not part.cached and waited:
            ways.append((0.8 * sum(saved for saved, _ in waited), measure("cache", name)))
    best = max(ways, key=lambda way: (round(way[0], 6), sorted(way[1].items())), default=None)
    return best[1] if best else None


def _too_rare(system: System, counts: dict[str, int], there: float, targets: Targets) -> Iterator[Finding]:
    """Miss the availability: graded by how many times more often there is no answer than there may be."""
    allowed = max(1 - targets["availability"], 1e-9)
    if there < targets["availability"]:
        down = {name: (1 - part.availability) ** counts[name] for name, part in system.items()}
        weakest = max(down, key=lambda name: (down[name], name))
        what = f"{there:.3%} of the requests are answered, and {targets['availability']:.3%} should be"
        severity = grave(1 + (1 - there) / allowed / 10)
        yield Finding("P-rare", weakest, severity, what, measure("grow", weakest))
