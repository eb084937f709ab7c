"""What a mission may be planned to do: who plans, and within what bounds.

The law: a plan can never widen what its mission may do. What is not listed here a plan cannot name. The other halves:
`contracts/planned.py` is the plan that came, `language/planned.py` loads it.
"""

from pydantic import Field

from contracts.base import Document

PLAN_REFUSED = "plan_refused"
PLANNING = "planning"
"""What a planner finds in its context: its bounds, and what became of its plan before. No variable can hide it."""
SHOWN = "plan"
"""Under which name people see a plan at its gate."""
STEPS = "steps"
ASSENT = "assent"
"""Under which name the record of a plan says at which path it was approved."""
MOST_STEPS = 100


class Allow(Document):
    """What steps of a plan may be, use and ask. Tools that may undo an allowed one are allowed for that alone.

    Without `approvers` those of the step's own approval are who may be asked in the plan, and nobody without one.
    """

    kinds: tuple[str, ...]
    agents: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()


class Planning(Document):
    """An agent plans, at most `attempts` times: a refused plan goes back to it with what is wrong.

    With `revise`, so does one that people rejected, with their words. `max_steps` bounds a plan, those inside others
    counted.
    """

    agent: str
    task: str
    context: tuple[str, ...] = ()
    allow: Allow
    attempts: int = Field(default=3, ge=1, le=10)
    max_steps: int = Field(default=30, ge=1, le=MOST_STEPS)
    revise: bool = False
