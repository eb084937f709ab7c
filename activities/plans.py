"""Load plans where it is recorded: the one effect here is that a release of the loader, and policy, have judged, once.

Law: no network, and nothing of this worker's workspace but its policies: a plan is held against what its mission was
frozen with, and admitted as the mission's own steps were. `language/planned.py` loads, `language/questions.py` knows
what is asked of steps.
"""

import asyncio
from collections.abc import Callable, Iterable

from temporalio import activity

from activities.policy import Policy
from contracts.mind import Agent
from contracts.plan import Plan
from contracts.planned import LOAD_PLAN, LoadedPlan, PlanOrder
from language.planned import load_plan
from language.questions import questions


@activity.defn(name=LOAD_PLAN)
async def load(order: PlanOrder) -> LoadedPlan:
    """Return a plan's steps, or the findings. In a thread: a long plan must not hold up the others."""
    return await asyncio.to_thread(load_plan, order)


class Loader:
    """Loads plans, and asks policy of each that could run."""

    def __init__(self, policy: Policy, models: Callable[[str, Agent], Iterable[str]]) -> None:
        self._policy = policy
        self._models = models

    @activity.defn(name=LOAD_PLAN)
    async def load(self, order: PlanOrder) -> LoadedPlan:
        """Return a plan's steps with what policy says of them, or the findings: of the loader first, then of policy."""
        loaded = await load(order)
        if loaded.findings:
            return loaded
        answers = tuple(self._policy.ask(one) for one in questions(_as_planned(order.plan, loaded), self._models))
        denied = tuple(f"{one.at}: {one}" for one in answers if not one.allowed())
        steps = () if denied else loaded.steps
        return loaded.model_copy(update={"policy": answers, "findings": denied, "steps": steps})


def _as_planned(plan: Plan, loaded: LoadedPlan) -> Plan:
    """Return a mission's plan as if it had been started with the steps that were planned."""
    definition = plan.definition.model_copy(update={"steps": loaded.steps})
    return plan.model_copy(update={"definition": definition})
