"""The assessor: one score of three reviews, and how complex the design is.

Law: the worst review counts for half, so that a good one cannot hide a bad one; a finding less never lowers the score.
"""

from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.architecture_review.system import System, depth, read_system

WEIGHTS = {"parts": 0.35, "calls": 0.15, "depth": 0.3, "doors": 0.4, "personal": 0.6, "measures": 0.1}
MOST = 10.0


async def assess(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return score (0 to 100) and complexity (0 to 10) with what they come from."""
    del tools
    context = call.context
    reviews = [context[name] for name in ("security", "performance", "cost")]
    system = read_system(context["proposal"], context["design"]["measures"])
    complexity, why = complexity_of(system, len(context["design"]["measures"]))
    total = score_of([review["score"] for review in reviews])
    left = [f"{one['id']} ({one['severity']}): {one['what']}" for review in reviews for one in review["findings"]]
    observe(f"Score {total}, complexity {complexity}: {len(left)} findings are left", source="assessor", kind="thought")
    return {
        "score": total,
        "scores": {review["review"]: review["score"] for review in reviews},
        "complexity": complexity,
        "why": why,
        "left": left,
        "summary": f"{context['design']['summary']}. Score {total}, complexity {complexity}, {len(left)} findings left",
    }


def score_of(scores: list[float]) -> float:
    """Return the middle between the worst score and the mean."""
    return round((min(scores) + sum(scores) / len(scores)) / 2, 1)


def complexity_of(system: System, measures: int) -> tuple[float, list[str]]:
    """Add up what has to be understood before anything can be changed."""
    counted = {
        "parts": len(system),
        "calls": sum(len(part.calls) for part in system.values()),
        "depth": depth(system),
        "doors": sum(part.exposed for part in system.values()),
        "personal": sum(part.holds == "personal" for part in system.values()),
        "measures": measures,
    }
    total = sum(WEIGHTS[what] * number for what, number in counted.items())
    return round(min(MOST, total), 1), [f"{what}: {number}" for what, number in counted.items()]
