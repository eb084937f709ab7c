"""Load plans where it is recorded: the one effect here is that a release of the loader has judged, once.

Law: no network and no file, and nothing of this worker's workspace: a plan is held against what its mission was frozen
with. `language/planned.py` does it.
"""

import asyncio

from temporalio import activity

from contracts.planned import LOAD_PLAN, LoadedPlan, PlanOrder
from language.planned import load_plan


@activity.defn(name=LOAD_PLAN)
async def load(order: PlanOrder) -> LoadedPlan:
    """Return a plan's steps, or the findings. In a thread: a long plan must not hold up the others."""
    return await asyncio.to_thread(load_plan, order)
