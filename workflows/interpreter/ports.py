"""The interpreter's only way out: everything that it asks of the world.

The law: an effect that is not here does not happen. `workflows/ports.py` binds the ports to Temporal,
`rehearsal/ports.py` to a script, the tests to fakes.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from contracts.call import AgentCall, AgentResult, ToolCall, ToolResult
from contracts.child import Child, Report
from contracts.lock import Claim, Holder, Standing
from contracts.notice import Notice
from contracts.plan import MissionInput
from contracts.planned import LoadedPlan, PlanOrder
from contracts.step import Retry

Touched = Callable[[str, bool], bool]
"""Whether a command ends the effect that runs at a path; and whether an agent runs there."""


@dataclass(frozen=True)
class Effort:
    """How hard to try: attempts with backoff, and the time that one attempt may take."""

    retry: Retry
    timeout: timedelta
    resume: str = ""
    """The digest of what was begun before, and is to go on."""


class Ports(Protocol):
    """Everything that the interpreter asks of the world. Failures are `EffectFailed`."""

    def now(self) -> datetime: ...

    def nonce(self) -> str:
        """Return a fresh, unguessable value that is the same on replay."""
        ...

    def later(self, seconds: float) -> datetime:
        """Return the moment so many seconds from now."""
        ...

    def key(self, path: str, arguments_digest: str, generation: int) -> str:
        """Return the idempotency key for these arguments at this step: the same in every run of the mission."""
        ...

    def within(self, path: str) -> AbstractContextManager[None]:
        """Mark what happens inside as belonging to a step, for traces and the Web UI."""
        ...

    def stopping(self) -> bool:
        """Whether the run is to hand over to the next one."""
        ...

    def holds(self, path: str, generation: int) -> bool:
        """Whether an effect runs at a path that a walk before this one has begun."""
        ...

    def override(self, touched: Touched) -> None:
        """Stop the walk for a command: end the running effects that it touches, hold the others for the next walk."""
        ...

    async def reported(self, touched: Touched) -> None:
        """Wait until what a command ended has reported."""
        ...

    def interrupt(self, path: str, generation: int, cause: str) -> bool:
        """End the agent that runs at a path, so that its step fails; return whether one did."""
        ...

    def stop(self) -> None:
        """Cancel the mission."""
        ...

    def tell_child(self, child: Child, token: str) -> None:
        """Pass a command on to a child."""
        ...

    async def run_agent(self, call: AgentCall, effort: Effort) -> AgentResult: ...

    async def watch_agent(self, call: AgentCall, effort: Effort) -> AgentResult:
        """Have an agent read what another notices at work, until it objects. Where nothing is live, it never does."""
        ...

    async def run_tool(self, call: ToolCall, effort: Effort) -> ToolResult: ...

    async def load_plan(self, order: PlanOrder) -> LoadedPlan:
        """Have a planner's answer loaded and checked: recorded once, whatever a later release would say of it."""

    async def start_mission(self, mission_id: str, given: MissionInput) -> Child:
        """Start a mission as a child. What is cancelled meanwhile has started it or has failed: nothing in between."""
        ...

    async def watch_mission(self, child: Child, path: str) -> Report | None:
        """Wait until a child is over or held; None when the run is to hand over first."""
        ...

    async def stop_mission(self, child: Child, path: str) -> None:
        """Ask a child to stop and to undo what it did, without waiting for that."""
        ...

    async def undo_mission(self, child: Child, path: str) -> Report | None:
        """Have a child undo what it did, and wait until it has; None when the run is to hand over first."""
        ...

    async def wait(self, ready: Callable[[], bool], until: datetime | None, summary: str) -> bool:
        """Wait until `ready`, the deadline, or a hand-over; return whether it is ready."""
        ...

    async def governance(self, path: str) -> str:
        """Return the version of the rules in force, before people are asked at a path; empty where nobody can say."""
        ...

    def notify(self, notice: Notice) -> None:
        """Have people told, beside everything else: nothing waits for it, and nothing comes of its failing."""
        ...

    async def ask_locks(self, claim: Claim) -> Standing:
        """Take a place in the queue for locks, or say how it stands there. Asked again, it keeps its place."""
        ...

    async def release_locks(self, holder: Holder) -> None:
        """Give locks back, or leave their queue."""
        ...

    def nudged(self, path: str) -> int:
        """Count how often word came that the locks of a step moved, where word comes at all."""
        ...

    def look_again(self, times: int) -> datetime | None:
        """Return when to ask for locks again, having asked so often; none where word comes for sure."""
        ...

    def changed(self) -> None:
        """Say that the journal or the gates changed, so that readers are told."""
        ...
