"""How a walk stops short.

    StepFailed         a step failed for good: the mission is undone and fails
    MissionEnded       the definition or people ended it: refused or aborted, undone
    Suspended          nothing new starts; the mission goes on in a new run, nothing is undone
    Overtaken          what people approved was approved under other rules: where they were asked, it is asked again
    EffectFailed       what a port raises; a handler turns it into StepFailed
    Broken             a bug of ours, with the step that met it: the mission is undone and fails
    asyncio.CancelledError   somebody cancelled the mission, or a sibling failed

Pure; `workflows/mission.py` says what each means for the workflow.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from contracts.observation import Observation
from contracts.record import Failure
from contracts.usage import Usage
from contracts.view import MissionState

Applied = Literal["no", "yes", "unknown"]
NOTHING = Usage()
OUTDATED = "outdated"
"""What the executor fails with that does not take an approval under the rules in force."""


class EffectFailed(Exception):
    """An agent or a tool failed for good, after so many attempts. `applied`: whether the world may have changed."""

    def __init__(
        self,
        code: str,
        cause: str,
        *,
        tried: str = "",
        applied: Applied = "unknown",
        attempts: int = 1,
        observations: tuple[Observation, ...] = (),
        over: str = "",
        usage: Usage = NOTHING,
        governance: str = "",
        people: int = 0,
    ) -> None:
        super().__init__(f"{code}: {cause}")
        self.code = code
        self.cause = cause
        self.tried = tried
        self.applied = applied
        self.attempts = attempts
        self.over = over
        self.observations = observations
        self.usage = usage
        self.governance = governance
        self.people = people


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


class Overtaken(Suspended):
    """An approval was not taken: the rules in force are others, or its risk asks for so many people."""

    def __init__(self, cause: str, governance: str, people: int) -> None:
        super().__init__(cause)
        self.governance = governance
        self.people = people


class Broken(Exception):
    """A bug of ours, and the path at which it showed: of the innermost step that ran."""

    def __init__(self, path: str, bug: Exception) -> None:
        super().__init__(f"{path}: {bug!r}")
        self.path = path
        self.bug = bug

    def failure(self, operation: str) -> Failure:
        """Return it as a failure, with the step named."""
        return Failure(code="internal", step=self.path, operation=operation, cause=repr(self.bug)[:500])


@contextmanager
def at(path: str) -> Iterator[None]:
    """Name the step at which a bug shows. Ways to stop short are no bugs, and a bug is named once."""
    try:
        yield
    except (StepFailed, MissionEnded, Suspended, Broken):
        raise
    except Exception as bug:
        raise Broken(path, bug) from bug
