"""A mission that a mission starts, in a rehearsal: played by the same interpreter, by the same clock and people.

Its steps lie below the path of the step that starts it, so a script speaks of `patch/drain`. Beyond that it is a
mission of its own: its journal, its variables, its saga, which a parent that comes to nothing makes it run. The other
half is `rehearsal/ports.py`.
"""

import asyncio
from collections.abc import Callable

from contracts.child import UNDO, Child, Report
from contracts.plan import CURRENT, Ending, MissionInput
from contracts.view import MissionState
from rehearsal.clock import Clock
from workflows.governance.event import Eventbook
from workflows.governance.saga import not_undone, to_undo
from workflows.governance.tally import Gatebook
from workflows.interpreter.course import broken, follow, scope_of, to_be_undone
from workflows.interpreter.ending import EffectFailed
from workflows.interpreter.join import see_through
from workflows.interpreter.journal import Journal
from workflows.interpreter.ports import Ports
from workflows.interpreter.scope import Mission
from workflows.interpreter.undo import undo_all

LIMITS = CURRENT.model_copy(update={"jitter": False})
"""As a mission that starts now, but for chance: a rehearsal tells the time exactly."""


class Children:
    """The missions that were started, by their ids."""

    def __init__(self, clock: Clock, gates: Gatebook, events: Eventbook) -> None:
        self._clock = clock
        self._gates = gates
        self._events = events
        self._played: dict[str, Played] = {}

    def journals(self) -> list[Journal]:
        return [played.journal for played in self._played.values()]

    def start(self, mission_id: str, given: MissionInput, ports: Ports) -> Child:
        """Let a child begin."""
        if mission_id in self._played:
            raise EffectFailed("refused", f"there is or was a mission with the id {mission_id}", applied="no")
        played = Played(mission_id, given, ports, self._gates, self._events)
        self._played[mission_id] = played
        played.task = self._clock.beside(played.run())
        return Child(id=mission_id, run="rehearsal", mission=given.plan.definition.mission)

    async def report(self, child: Child, stopping: Callable[[], bool]) -> Report | None:
        """Wait until a child is over, or holds what it did; None where the walk that waits is to stop."""
        played = self._played[child.id]
        await self._clock.condition(lambda: played.over or stopping())
        if not played.over:
            return None
        ending = played.ending
        assert ending is not None  # noqa: S101 (whoever is over has one)
        left = not_undone(played.journal.records())
        return Report(
            state=ending.state, verdict=ending.verdict, reason=ending.reason, held=played.holds(), not_undone=left
        )

    def stop(self, child: Child) -> None:
        """Cancel a child that is under way."""
        played = self._played[child.id]
        if played.task is not None and not played.over:
            played.task.cancel()

    async def undo(self, child: Child) -> Report:
        """Have a child undo what it did, and wait until it has."""
        self.stop(child)
        played = self._played[child.id]
        await self._clock.condition(lambda: played.over)
        await undo_all(played.scope)
        state = played.ending.state if played.ending else MissionState.CANCELLED
        return Report(state=state, not_undone=not_undone(played.journal.records()))


class Played:
    """One child."""

    def __init__(self, mission_id: str, given: MissionInput, ports: Ports, gates: Gatebook, events: Eventbook) -> None:
        assert given.parent is not None  # noqa: S101 (only children come here)
        self.journal = Journal()
        self.task: asyncio.Task[None] | None = None
        self.ending: Ending | None = None
        self.over = False
        self._given = given
        self._gates = gates
        self._path = given.parent.path
        self._undone = given.parent.on_close == UNDO
        payers = given.parent.payers
        mission = Mission(mission_id, "rehearsal", given.requested_by, tells=True, payers=payers, began=ports.now())
        self.scope = scope_of(given.plan, mission, ports, self.journal, gates, events=events, limits=LIMITS)

    def holds(self) -> bool:
        """Whether what it did is undone should its parent come to nothing."""
        return self._undone and bool(to_undo(self.journal.records()))

    async def run(self) -> None:
        try:
            self.ending = await follow(self.scope, self._given.inputs, below=self._path)
        except asyncio.CancelledError:
            self.ending = Ending(state=MissionState.CANCELLED, reason="cancelled")
        except Exception as bug:
            self.ending = broken("interpret the mission", bug)
        for opening in self._gates.openings():
            if opening.subject.step.startswith(f"{self._path}/"):
                self._gates.close(opening.subject.step)
        if to_be_undone(self.ending):
            await see_through(undo_all(self.scope))
        self.over = True
