"""Load plans where it is recorded: the one effect here is that a release of the loader, and policy, have judged, once.

Law: no network, and nothing of this worker's workspace but its policies: a plan is held against what its mission was
frozen with, and admitted as the mission's own steps were. `language/planned.py` loads, `language/admitted.py` knows
what policy is asked of a plan.
"""

import asyncio
from collections.abc import Callable, Iterable

from temporalio import activity

from activities.policy import Policy
from contracts.mind import Agent
from contracts.planned import LOAD_PLAN, LoadedPlan, PlanOrder
from language.admitted import admitted
from language.planned import load_plan


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
        return loaded if loaded.findings else admitted(order, loaded, self._policy.ask, self._models)
