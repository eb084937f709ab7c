"""A plan on its way from its planner into the mission: what is asked of the loader, and what it answers."""

from typing import Any

from contracts.definition import PlanStep, Step
from contracts.payload import Bulky
from contracts.plan import Plan
from contracts.policy import Answer

LOAD_PLAN = "plan.load"


class PlanOrder(Bulky):
    """Load an answer of a planner as the steps of a plan. `before` are those of the plan that people saw last."""

    id: str
    plan: Plan
    step: PlanStep
    answer: Any = None
    before: tuple[Step, ...] = ()


class LoadedPlan(Bulky):
    """A plan that can run, or the findings for which it cannot.

    `digest` is over the steps and nothing else; `changes` is the difference from the plan before, as
    `language/difference.py` tells it.
    """

    id: str
    digest: str = ""
    rationale: str = ""
    steps: tuple[Step, ...] = ()
    changes: tuple[dict[str, Any], ...] = ()
    findings: tuple[str, ...] = ()
    policy: tuple[Answer, ...] = ()
    """What policy says of its steps."""
