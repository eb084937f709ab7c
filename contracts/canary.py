"""A canary: an action in stages, each of which must prove healthy before the next one begins.

The law: every part is an ordinary step, so that whatever holds of actions and agents holds of the parts as well.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from contracts.base import Document
from contracts.duration import Duration

if TYPE_CHECKING:
    from contracts.definition import ActionStep, AgentStep

STAGE = "stage"
"""What the parts of a canary call the stage that is under way."""
IN_SANDBOX = 0
"""What the sandbox is as a stage."""
MOST_STAGES = 100


class Canary(Document):
    """`do` runs for each of `stages`; after each it bakes, `probe` looks, and `healthy` (CEL over `result`) judges.

    A `sandbox`, where there is one, is the first stage, with an action of its own. A stage that is not surely healthy
    stops everything: what the stages did is undone, the last first, and `incident` runs. `last` is `do` with the
    approval that the last stage needs instead.
    """

    stages: tuple[int, ...] = Field(min_length=1, max_length=MOST_STAGES)
    sandbox: "ActionStep | None" = None
    do: "ActionStep"
    last: "ActionStep | None" = None
    bake: Duration
    probe: Annotated["ActionStep | AgentStep", Field(discriminator="kind")]
    healthy: str
    incident: "ActionStep"

    def parts(self) -> "dict[str, ActionStep | AgentStep]":
        """Return the steps that it holds, by the keys that hold them."""
        parts = {
            "sandbox": self.sandbox,
            "do": self.do,
            "last": self.last,
            "probe": self.probe,
            "incident": self.incident,
        }
        return {key: step for key, step in parts.items() if step is not None}
