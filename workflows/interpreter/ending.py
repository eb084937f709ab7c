"""How a walk stops short.

    StepFailed         a step failed for good: the mission is undone and fails
    MissionEnded       the definition or people ended it: refused or aborted, undone
    Suspended          nothing new starts; the mission goes on in a new run, nothing is undone
    EffectFailed       what a port raises; a handler turns it into StepFailed
    asyncio.CancelledError   somebody cancelled the mission, or a sibling failed

Pure; `workflows/mission.py` says what each means for the workflow.
"""

from typing import Literal

from contracts.record import Failure
from contracts.view import MissionState

Applied = Literal["no", "yes", "unknown"]


class EffectFailed(Exception):
    """An agent or a tool failed for good. `applied` says whether the world may have changed."""

    def __init__(self, code: str, cause: str, *, tried: str = "", applied: Applied = "unknown") -> None:
        super().__init__(f"{code}: {cause}")
        self.code = code
        self.cause = cause
        self.tried = tried
        self.applied = applied


class StepFailed(Exception):
    """A step failed, with everything that is known of why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure))
        self.failure = failure


class MissionEnded(Exception):
    """The mission ends here, by refusal or by abort."""

    def __init__(self, state: MissionState, reason: str) -> None:
        super().__init__(reason)
        self.state = state
        self.reason = reason


class Suspended(Exception):
    """The run hands over to the next one: what runs may finish, nothing new starts."""
