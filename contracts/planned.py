"""A plan on its way from its planner into the mission: what is asked of the loader, and what it answers."""

from typing import Any

from pydantic import Field

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
    defers: bool = False
    """Whether people are asked about what policy wants approved; else that is a finding."""
    approved: tuple[str, ...] = ()
    """What people approved before the mission's first step."""
    again: int = 0
    """How often it was loaded before, because policy may say something else by now."""


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
    wanting: tuple[str, ...] = ()
    """What policy wants approved before it is carried out; it denies nothing."""
    approval: dict[str, int] = Field(default_factory=dict)
    """How many of which role, or who, must approve that."""
