"""Play a mission against a script: the interpreter's own walk, over ports that make the world up.

Nothing here is another interpreter: `workflows/interpreter/course.py` is the way that a mission takes on Temporal too.
The same script plays the same each time.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from contracts.decision import Opening
from contracts.plan import Ending, Plan
from contracts.record import Record
from contracts.view import MissionState, MissionView
from contracts.workspace import PeopleFile
from language.admitted import Ask
from language.finding import Finding
from rehearsal.child import LIMITS, Children
from rehearsal.clock import Clock, Stalled
from rehearsal.crowd import Crowd
from rehearsal.helm import Helm
from rehearsal.outside import Outside
from rehearsal.ports import Act, ScriptedPorts, Unanswered
from rehearsal.script import Command, Decision, Happening, Rehearsal
from workflows.governance.control import Control
from workflows.governance.tally import Gatebook
from workflows.interpreter.command import carry_out
from workflows.interpreter.course import broken, follow_under_control, scope_of, state_of, to_be_undone
from workflows.interpreter.ending import Suspended
from workflows.interpreter.hold import let_go_of_all
from workflows.interpreter.join import see_through
from workflows.interpreter.journal import Journal
from workflows.interpreter.scope import Mission
from workflows.interpreter.tell import withdraw_all
from workflows.interpreter.undo import undo_all
from workflows.view import spent, waiting

Watch = Callable[[MissionView, datetime], None]
"""Is shown the mission, and what time it is, whenever something has changed. Records and cost are of what has."""


@dataclass(frozen=True)
class Performance:
    """What came of it. One that `stalled` waits for what never comes; one that is `unanswered` stopped there."""

    view: MissionView
    acts: tuple[Act, ...]
    asked: tuple[Opening, ...]
    unspoken: tuple[Decision, ...]
    unsaid: tuple[Command, ...] = ()
    untaken: tuple[Happening, ...] = ()
    stalled: bool = False
    unanswered: Finding | None = None


def play(
    plan: Plan,
    script: Rehearsal,
    people: PeopleFile,
    watch: Watch | None = None,
    *,
    invents: bool = False,
    policy: Ask | None = None,
) -> Performance:
    """Play to the end. `watch` is shown the mission whenever it changes; `policy` is asked of what is planned."""
    return _Play(plan, script, people, watch, invents=invents, policy=policy).performed()


class _Play:
    def __init__(
        self,
        plan: Plan,
        script: Rehearsal,
        people: PeopleFile,
        watch: Watch | None,
        *,
        invents: bool,
        policy: Ask | None,
    ) -> None:
        self._script = script
        self._watch = watch
        self._clock = Clock(script.starts)
        self._gates = Gatebook()
        self._journal = Journal()
        self._crowd = Crowd(script.people, people, self._clock, self._gates)
        mission = Mission("rehearsal", "rehearsal", script.requested_by, tells=True, began=script.starts)
        show = self._show if watch else lambda: None
        self._outside = Outside(script.events, self._clock, self._gates)
        self._children = Children(self._clock, self._gates, self._outside.book)
        self._control = Control()
        self._helm = Helm(script.operators, people, self._clock)
        self._ports = ScriptedPorts(
            plan,
            mission,
            script,
            self._clock,
            self._crowd,
            control=self._control,
            children=self._children,
            watch=show,
            invents=invents,
            policy=policy,
        )
        self._scope = scope_of(
            plan,
            mission,
            self._ports,
            self._journal,
            self._gates,
            events=self._outside.book,
            control=self._control,
            limits=LIMITS,
        )
        self._ending: Ending | None = None
        self._over = False
        self._shown: dict[int, int] = {}
        self._last: Performance | None = None

    def performed(self) -> Performance:
        try:
            self._clock.run(self._run(), self._close)
        except Stalled:
            return replace(self._last or self._performance(), stalled=True)
        except Unanswered as gap:
            return replace(self._last or self._performance(), unanswered=gap.finding)
        return self._last or self._performance()

    def _performance(self) -> Performance:
        return Performance(
            view=self._view(tuple(record for journal in self._journals() for record in journal.records())),
            acts=tuple(self._ports.acts),
            asked=tuple(self._crowd.asked),
            untaken=self._outside.untaken(),
            unspoken=self._crowd.unspoken(),
            unsaid=self._helm.unsaid(),
        )

    async def _run(self) -> None:
        self._outside.begin()
        self._ports.begin()
        self._helm.begin(self._scope, lambda: self._ending is not None)
        self._ports.walking = asyncio.ensure_future(self._steered())
        try:
            ending = await self._ports.walking
        except asyncio.CancelledError:
            ending = Ending(state=MissionState.ABORTED, reason=self._control.state.aborted)
        except Exception as bug:
            ending = broken("interpret the mission", bug)
        self._ending = ending
        withdraw_all(self._scope)
        self._control.refuse_rest(self._clock.now, f"the mission had {ending.state} by then")
        try:
            if to_be_undone(ending):
                self._ports.changed()
                await undo_all(self._scope)
            await let_go_of_all(self._scope)
        except Exception as bug:
            self._ending = broken("undo what was done", bug)
        self._over = True
        self._ports.changed()

    async def _steered(self) -> Ending:
        """Walk, carry out what stops the walk, and walk again."""
        while True:
            while self._control.due():
                await see_through(carry_out(self._scope))
            with suppress(Suspended):
                return await follow_under_control(self._scope, self._script.inputs)

    def _close(self) -> None:
        """Keep how it stands, before what still runs is stopped."""
        self._last = self._performance()

    def _show(self) -> None:
        if self._watch and self._last is None:
            self._watch(self._view(tuple(self._changed())), self._clock.now)

    def _changed(self) -> Iterator[Record]:
        for number, journal in enumerate(self._journals()):
            yield from journal.since(self._shown.get(number, 0))
            self._shown[number] = journal.revision

    def _journals(self) -> list[Journal]:
        return [self._journal, *self._children.journals()]

    def _view(self, records: tuple[Record, ...]) -> MissionView:
        definition, ending, openings = self._scope.plan.definition, self._ending, self._gates.openings()
        state = state_of(ending, over=self._over, asking=self._gates.asking(), control=self._control)
        return MissionView(
            id="rehearsal",
            name=definition.mission,
            version=definition.version,
            state=MissionState(state),
            verdict=ending.verdict if ending else None,
            reason=ending.reason if ending else "",
            requested_by=self._script.requested_by,
            plan_digest=self._scope.plan.digest,
            started_at=self._script.starts,
            waiting=tuple(waiting(openings)),
            records=records,
            revision=self._journal.revision,
            spent=spent(records).plus(self._control.state.spent),
            refusals=tuple(self._gates.refusals),
            paused=self._control.paused,
            letter=self._control.letter,
            commands=self._control.state.notes,
        )
