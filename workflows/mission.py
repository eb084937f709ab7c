"""The workflow: run and signals. A thin durable shell around the interpreter; `workflows/answers.py` is its queries.

It is dynamic, so that a mission's workflow type is the mission's own name. The law: it never leaves while a decision
waits, it never freezes on a bug, and what it abandons is undone in a task that no cancellation reaches.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from contracts.call import Assent
from contracts.decision import COMMANDS, RULES, Envelope, Hearing, Receipt, Ruling
from contracts.event import EVENT
from contracts.plan import Carried, Ending, MissionInput, MissionResult
from contracts.record import UNDOING, Failure
from contracts.view import MissionState
from workflows.answers import Answers
from workflows.beside import admit, judge
from workflows.board import Board
from workflows.delivery import delivered, happened, said_in_force
from workflows.gatekeeper import Gatekeeper
from workflows.governance.control import Control, late, unfit
from workflows.governance.event import Eventbook
from workflows.governance.tally import Gatebook
from workflows.inbox import Inbox, hearing
from workflows.interpreter.command import carry_out, take
from workflows.interpreter.course import (
    broken,
    failing,
    follow_under_control,
    scope_of,
    to_be_undone,
)
from workflows.interpreter.ending import Suspended
from workflows.interpreter.hold import let_go_of_all
from workflows.interpreter.join import halt_if_cancelled, is_cancelled, see_through
from workflows.interpreter.journal import Journal
from workflows.interpreter.scope import Mission as Identity
from workflows.interpreter.tell import withdraw_all
from workflows.interpreter.undo import put_to_people, undo_all
from workflows.meter import Meter
from workflows.outbox import Outbox
from workflows.parentage import Parentage, cancelled
from workflows.ports import TemporalPorts
from workflows.reset import Resets
from workflows.versions import PUT_TO_PEOPLE
from workflows.view import spent

QUEUED = 300_000
"""Bytes of decisions that may go along unheard."""


@workflow.defn(dynamic=True)
class Mission(Answers):
    """One mission."""

    @workflow.init
    def __init__(self, args: Sequence[RawValue]) -> None:
        self._problem = ""
        try:
            [given] = args
            # Validated again: the converter lets a null pass for any type.
            found = workflow.payload_converter().from_payload(given.payload, MissionInput)
            self._input = MissionInput.model_validate(found)
            self.veil = self._input.veil
            self._restore((self._input.carried or Carried()).unpacked())
        except Exception as error:
            # Anyone can start any type by hand: what is no mission must fail, not freeze.
            self._problem = f"the input is no frozen plan: {error}"[:500]

    def _restore(self, carried: Carried) -> None:
        info = workflow.info()
        self._ending = carried.ending
        self._started_at = carried.started_at or info.start_time
        self._runs = carried.runs
        self._journal = Journal(carried.records, carried.revision, carried.order, carried.generation)
        self._control = Control(carried.controls)
        self._gates = Gatebook(carried.openings, carried.votes_seen, carried.refusals)
        self.meter = Meter(self._input.limits)
        self._inbox = Inbox(carried.inbox, carried.receipts, self.meter)
        self._events = Eventbook(carried.events, carried.events_seen)
        self._over = self._stays = self._held = False
        # Whoever starts a mission by hand can hand it anything; only the run before this one hands over.
        known = carried.admission if info.continued_run_id else None
        ask, heeds = admit if self._input.limits.admits else None, self._input.limits.heeds
        self._gatekeeper = Gatekeeper(known, partial(ask, heeds=heeds) if ask else None, heeds=heeds)
        plan, parent = self._input.plan, self._input.parent
        asker, limits = self._input.requested_by, self._input.limits
        shown = self._state(), self._gates.openings(), self._journal, self._control.letter
        self._board = Board(plan, shown, heeds=limits.heeds)
        began, fresh = self._started_at, self._input.fresh
        kin = (parent.above, parent.payers) if parent is not None else ((), ())
        identity = Identity(
            info.workflow_id, info.first_execution_run_id, asker, limits.tells, *kin, began, fresh, self.veil
        )
        self.outbox = Outbox(carried.notices, self.meter, lambda: self._scope)
        ports = TemporalPorts(plan, self, limits, self._journal, asker)
        self._resets = Resets(self._control, lambda: self._scope, lambda: self._ending is not None)
        self._parentage = Parentage(parent, ports.watch_parent)
        kept = (plan, identity, ports, self._journal, self._gates)
        self._scope = scope_of(*kept, events=self._events, control=self._control, limits=limits)
        self._main: asyncio.Task[Any] | None = None

    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> MissionResult:
        """Walk to a verdict; on anything else undo what was done."""
        del args
        if self._problem:
            raise ApplicationError(self._problem, type="bad_input", non_retryable=True)
        self._main = asyncio.current_task()
        attending = asyncio.create_task(self._inbox.attend(self._gates, self._hearing, self._judged, self._count))
        self._resets.begin()
        watching = [asyncio.create_task(one) for one in (self._resets.attend(), self._resets.expire())]
        self._parentage.attend(lambda: self._ending is None)
        self.outbox.resume()
        while (ending := await self._go_on()) is None:
            if self.full() or not self._control.due():
                await self._hand_over()
        self._over = True
        self._board.verdict = ending.verdict
        self.changed()
        await see_through(workflow.wait_condition(lambda: not self._inbox.waiting()))
        await self.outbox.emptied()
        attending.cancel()
        for task in watching:
            task.cancel()
        return self._result(ending)

    @workflow.signal(dynamic=True)
    def on_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """Take in whatever is sent. A handler with parameters of its own would freeze on one argument too many."""
        if not self._problem:
            self._take(name, args)

    def stopping(self) -> bool:
        """Whether the walk is to stop: to hand over to the next run, or for a command."""
        return self._control.overriding() or self.full()

    def full(self) -> bool:
        """Whether this run should hand over to the next one."""
        return not self._stays and self.meter.full(self._inbox.count)

    def admitted(self) -> bool:
        """Whether policy has admitted the mission."""
        return self._gatekeeper.admitted()

    def assent(self, path: str) -> Assent | None:
        """Return what people approved of what runs at a path, where policy wants that approved."""
        return self._gatekeeper.assent(path, self._scope)

    def stop(self) -> None:
        """Cancel the mission, as its control says why."""
        if self._main is not None:
            self._main.cancel()

    def changed(self) -> None:
        """Bring up to date what is visible from outside."""
        self._board.show(self._state(), self._gates.openings(), self._journal, self._control.letter)

    def heard_until(self, moment: datetime, *, at_it: bool = False) -> bool:
        return self._inbox.heard_until(moment, at_it=at_it)

    async def _go_on(self) -> Ending | None:
        """Walk, and undo what came to nothing. Return how it ended, or None where the run is to hand over."""
        try:
            if self._ending is None:
                self._end(await self._steered())
            await self._hold()
            if self._ending and to_be_undone(self._ending):
                if self._control.unread:
                    await see_through(self._resets.read())
                self.changed()
                await see_through(undo_all(self._scope))
            if self._ending and self._journal.claiming():
                await see_through(let_go_of_all(self._scope))
        except Suspended:
            return None
        except Exception as bug:
            workflow.logger.exception("the saga failed")
            if await self._put_to_people():
                return None
            self._ending = broken(UNDOING, bug)
        return self._ending

    async def _put_to_people(self) -> bool:
        """Have people say what becomes of what a bug keeps from being undone; return whether there is more to do."""
        try:
            return workflow.patched(PUT_TO_PEOPLE) and await see_through(put_to_people(self._scope))
        except Suspended:
            return True
        except Exception:
            workflow.logger.exception("people could not be asked")
            return False

    async def _hold(self) -> None:
        """Keep what a completed child did in hand until its parent is over, and undo it unless that completed."""
        if self._ending is None or to_be_undone(self._ending) or not self._parentage.holds(self._journal.records()):
            return
        self._held = True
        self.changed()
        try:
            self._end(await self._parentage.outlived(self.stopping) or self._ending)
        except asyncio.CancelledError:
            self._end(cancelled())
        finally:
            self._held = False

    async def _hand_over(self) -> None:
        """Continue as new. A mission that was cancelled, or cannot be carried, ends in this run instead."""
        if self._control.unread:
            await see_through(self._resets.read())
        await see_through(workflow.wait_condition(lambda: self._inbox.waiting_bytes() <= QUEUED))
        if is_cancelled() and not (self._ending and to_be_undone(self._ending)):
            # A cancellation is delivered once: the next run would never hear of it.
            self._end(self._stopped())
            return
        following = self._next()
        size = len(following.model_dump_json().encode())
        most = self._input.limits.bytes_carried
        if size <= most:
            workflow.continue_as_new(following)
        self._stays = True
        if self._ending is None:
            cause = f"what the mission knows has {size} bytes; at most {most} can be carried into the next run"
            self._end(failing(Failure(code="over_budget", step="", operation="hand over", cause=cause)))

    def _end(self, ending: Ending) -> None:
        self._ending = ending
        withdraw_all(self._scope)
        self._control.refuse_rest(workflow.now(), f"the mission had {ending.state} by then")

    def _stopped(self) -> Ending:
        """Return the ending of a mission that was cancelled: by its parent, by an operator, or from outside."""
        aborted = self._control.state.aborted
        by_operator = Ending(state=MissionState.ABORTED, reason=aborted) if aborted else None
        return self._parentage.ending() or by_operator or self._resets.ending or cancelled()

    async def _steered(self) -> Ending:
        """Carry out the commands that are due, and walk; whatever stops the walk is an ending, and a bug is one too."""
        try:
            if refused := await self._gatekeeper.ending(self._scope):
                return refused
            while self._control.due():
                halt_if_cancelled()
                await self._gatekeeper.readmit(self._scope)
                await see_through(carry_out(self._scope, self._gatekeeper.why_not))
            return await follow_under_control(self._scope, self._input.inputs)
        except Suspended:
            raise
        except asyncio.CancelledError:
            return self._stopped()
        except Exception as bug:
            workflow.logger.exception("the interpreter failed")
            return broken("interpret the mission", bug)

    def _hearing(self, envelope: Envelope) -> Hearing:
        """Return what the judge is shown of the mission."""
        plan, identity = self._input.plan, self._scope.mission
        shown = hearing(envelope, self._gates, identity.id, identity.first_run_id)
        known = {"name": plan.definition.mission, "team": plan.definition.team, "above": identity.above}
        governed = self._input.limits.governed
        return shown.model_copy(update={"operators": plan.commanders(), "governed": governed, **known})

    async def _judged(self, hearing: Hearing) -> Ruling:
        """Have a decision judged. None counts before it is known what had been begun before a reset."""
        limits = self._input.limits
        if limits.attentive:
            await self._resets.read()
        ruling = await judge(hearing, self.meter.rulings + 1, exact=limits.exact)
        if limits.attentive:
            await self._resets.read()
        return ruling

    def _count(self, ruling: Ruling) -> Receipt:
        """Count a decision, or take a command."""
        if not ruling.accepted or ruling.verb not in COMMANDS:
            return self._gates.count(ruling)
        self._gates.used.append(ruling.jti)
        if self._ending is not None:
            return self._gates.count(late(ruling, self._state()))
        try:
            return take(ruling, self._scope)
        except Exception as bug:
            # A command that meets a bug of ours must not silence everybody who comes after it.
            workflow.logger.exception("a command could not be taken")
            return self._gates.count(unfit(ruling, f"a bug of ours: {bug!r}"[:500]))

    def _next(self) -> MissionInput:
        carried = Carried(
            records=self._journal.records(),
            revision=self._journal.revision,
            order=self._journal.order,
            openings=self._gates.openings(),
            inbox=self._inbox.waiting(),
            votes_seen=tuple(self._gates.used),
            refusals=tuple(self._gates.refusals),
            receipts=self._inbox.receipts,
            events=self._events.waiting(),
            events_seen=self._events.seen(),
            notices=self.outbox.waiting(),
            ending=self._ending,
            started_at=self._started_at,
            runs=self._runs + 1,
            controls=self._control.state,
            generation=self._journal.generation,
            admission=self._gatekeeper.admission,
        )
        return self._input.model_copy(update={"carried": carried})

    def _result(self, ending: Ending) -> MissionResult:
        result = MissionResult(
            state=ending.state,
            verdict=ending.verdict,
            reason=ending.reason,
            spent=spent(self._journal.records()).plus(self._control.state.spent),
            runs=self._runs,
        )
        return delivered(result, ending)

    def _take(self, name: str, args: Sequence[RawValue]) -> None:
        """Take in a decision or an event; what is neither is recorded as refused, never lost."""
        if name == RULES and self._input.limits.heeds:
            if self._gates.overtaken(said_in_force(args)):
                self._inbox.look_up()
            return
        if name == EVENT:
            if refused := happened(args, self._events):
                self._gates.refuse("", refused)
            return
        self._inbox.receive(name, args, "a mission", f", events as {EVENT!r}")
