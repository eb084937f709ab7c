"""Ask people, wait for their quorum, climb the ladder when nobody answers.

Silence is never consent: at the deadline the question escalates, and at the end of the ladder it counts as refused.
Pure: the wait is a port. Decisions arrive in `workflows/mission.py` and are counted by `governance/tally.py`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from contracts.base import digest
from contracts.call import Grant
from contracts.decision import BOUND, REFUSING, Action, Opening, Subject
from contracts.duration import show_duration
from contracts.gate import Gate, Rung
from contracts.planned import LoadedPlan
from contracts.record import Failure
from contracts.step import ABORT, DEAD_LETTER, ESCALATE, LAST_RESORTS, UNANSWERED
from contracts.view import MissionState
from workflows.governance.tally import standing
from workflows.interpreter.ending import MissionEnded, StepFailed, Suspended
from workflows.interpreter.join import halt_if_cancelled
from workflows.interpreter.scope import Scope
from workflows.interpreter.stakes import at_risk, heard, learn
from workflows.interpreter.tell import CLOCK, moments, next_look, remind, stood_still, tell
from workflows.interpreter.terms import USUAL, Terms
from workflows.view import spent

TRIED = "what was tried"
"""Where people see it in the context: no variable has such a name."""
Decided = Literal["approved", "rejected", "changes_requested", "timed_out", "answered"]
COUNTED = {"approved": "approve", "answered": "answer"}
AGAINST = ("rejected", "changes_requested")
WORDS = {
    "approved": "approved",
    "rejected": "rejected",
    "changes_requested": "sent back for changes",
    "timed_out": "timed out",
}
Kind = Literal["approval", "escalation", "compensation", "review", "facilitation", "override", "task"]


@dataclass(frozen=True)
class Question:
    """What is asked. The first rung is who is asked first; a rung without a timeout waits for ever."""

    kind: Kind
    message: str
    rungs: tuple[tuple[tuple[str, ...], timedelta | None], ...]
    context: dict[str, Any]
    terms: Terms = USUAL
    tool: str | None = None
    arguments: dict[str, Any] | None = None
    compensation: str | None = None
    input_schema: dict[str, Any] | None = None
    actions: tuple[Action, ...] = ()
    undo: dict[str, Any] | None = None
    planned: LoadedPlan | None = None
    """The plan that is asked about, where policy wants it approved."""
    foresee: Callable[[str, dict[str, Any]], dict[str, Any] | None] = lambda _path, _arguments: None
    """With what an action at a path would be undone, were its arguments these."""


@dataclass(frozen=True)
class Answer:
    """What people said: the outcome, who said it, and for an action the arguments they approved and their grant."""

    decided: Decided
    by: tuple[str, ...] = ()
    comment: str = ""
    arguments: dict[str, Any] | None = None
    grant: Grant | None = None
    said: Any = None
    """What was answered to a task."""

    def output(self) -> dict[str, Any]:
        """Return what the definition sees of it."""
        return {
            "approved": self.decided == "approved",
            "decision": self.decided,
            "by": list(self.by),
            "comment": self.comment,
        }


def gate_rungs(gate: Gate, scope: Scope) -> tuple[tuple[tuple[str, ...], timedelta | None], ...]:
    """Return who is asked in turn: the gate's approvers, then its ladder or the workspace's escalation role."""
    first = (gate.approvers, gate.timeout)
    if gate.on_timeout != ESCALATE:
        return (first,)
    escalation = scope.plan.escalation
    ladder: tuple[Rung, ...] = gate.escalation
    rest = tuple((rung.approvers, rung.timeout) for rung in ladder) or (((escalation.role,), escalation.timeout),)
    return (first, *rest)


def escalation_question(
    message: str, scope: Scope, tried: list[str] | None = None, shown: dict[str, Any] | None = None
) -> Question:
    """Return the question that the built-in `escalate` asks, with everything so far, and everything that was tried."""
    escalation = scope.plan.escalation
    rungs = (((escalation.role,), escalation.timeout),)
    context = {**({TRIED: tried} if tried else {}), **(shown or {}), **scope.everything()}
    return Question(kind="escalation", message=message, rungs=rungs, context=context)


async def ask(question: Question, path: str, scope: Scope) -> Answer:
    """Open the gate of a step that runs, and wait until it is settled; once it was, its record answers."""
    return recalled(path, scope) or keep(await put(question, path, scope), path, scope)


async def put(question: Question, path: str, scope: Scope) -> Answer:
    """Open the gate and wait until it is settled."""
    with scope.ports.within(path):
        return await _climb(question, path, scope)


def keep(answer: Answer, path: str, scope: Scope) -> Answer:
    """Put an answer on record: it is the last word here."""
    stored = {**answer.output(), "arguments": answer.arguments}
    scope.journal.update(path, status="running", answer=stored, answered_at=scope.ports.now(), grant=answer.grant)
    scope.ports.changed()
    return answer


async def go_unapproved(gate: Gate, answer: Answer, path: str, scope: Scope) -> None:
    """Go where the definition points when people did not approve: the end of the mission, or another way on."""
    if answer.decided == "timed_out":
        if gate.last_resort() == DEAD_LETTER:
            raise _unanswered(gate, path, scope)
        if gate.on_timeout not in (ESCALATE, *LAST_RESORTS):
            await scope.run_target(gate.on_timeout, path, scope)
            return
    if gate.on_reject == ABORT:
        said = f": {answer.comment}" if answer.comment else ""
        raise MissionEnded(MissionState.REFUSED, f"{path} was {WORDS[answer.decided]}{said}")
    await scope.run_target(gate.on_reject, path, scope)


def _unanswered(gate: Gate, path: str, scope: Scope) -> StepFailed:
    asked = (f"{' or '.join(who)} for {show_duration(span)}" for who, span in gate_rungs(gate, scope) if span)
    cause = f"nobody decided in time; asked were {', then '.join(asked)}"
    return StepFailed(Failure(code=UNANSWERED, step=path, operation="wait for people", cause=cause))


async def ask_apart(question: Question, path: str, scope: Scope) -> Answer:
    """Ask at a path that belongs to no step of the definition, with a record of its own."""
    settled = scope.journal.settled(path)
    if settled is None:
        scope.journal.start(path, "gate", ", ".join(question.rungs[0][0]), scope.ports.now())
    try:
        answer = await ask(question, path, scope)
    except asyncio.CancelledError:
        if settled is None:
            scope.journal.finish(path, "cancelled", scope.ports.now())
        raise
    if settled is None:
        scope.journal.finish(path, "succeeded", scope.ports.now(), output=answer.output())
    return answer


async def _climb(question: Question, path: str, scope: Scope) -> Answer:
    halt_if_cancelled()
    opening = scope.gates.get(path)
    if opening is None:
        if scope.ports.stopping():
            raise Suspended
        await learn(question.kind, path, scope)
        opening = _open(question, path, 0, scope)
    while True:
        until = next_look(opening)
        await scope.ports.wait(lambda: _moved(path, until, scope), until, _summary(opening))  # noqa: B023
        voted = opening = scope.gates.get(path) or opening
        match standing(voted):
            case "approved" | "rejected" | "changes_requested" | "answered" as decided:
                return _settle(decided, voted, path, scope)
            case "overtaken":
                heard(voted.overtaken, scope)
                opening = _open(question, path, voted.rung, scope, amended=voted)
            case "modified":
                opening = _open(question, path, voted.rung, scope, amended=voted)
            case "open" if opening.deadline is not None and scope.ports.now() >= opening.deadline:
                if voted.rung + 1 >= len(question.rungs):
                    return _settle("timed_out", voted, path, scope)
                opening = _open(question, path, voted.rung + 1, scope, amended=voted)
            case "open" if scope.ports.stopping():
                raise Suspended
            case "open":
                opening = remind(voted, scope)


def _open(question: Question, path: str, rung: int, scope: Scope, amended: Opening | None = None) -> Opening:
    opening = opened(question if amended is None else _amended(question, amended), path, rung, scope)
    if amended is not None and amended.rung == rung:
        opening = opening.model_copy(update={name: getattr(amended, name) for name in CLOCK})
    scope.gates.open(opening)
    risk = opening.subject.risk
    scope.journal.update(path, status="waiting", **({"risk": risk} if risk is not None else {}))
    scope.ports.changed()
    tell("opened" if amended is None or amended.rung == rung else "escalated", opening, scope)
    return opening


def opened(question: Question, path: str, rung: int, scope: Scope) -> Opening:
    """Return an opening of a question, with a nonce and a deadline of its own."""
    approvers, span = question.rungs[rung]
    quorum, planned = question.terms.quorum(rung), question.planned
    now = scope.ports.now()
    subject = Subject(
        mission=scope.mission.id,
        first_run_id=scope.mission.first_run_id,
        name=scope.plan.definition.mission,
        step=path,
        kind=question.kind,
        message=question.message,
        approvers=approvers,
        required=quorum.required,
        tool=question.tool,
        arguments=question.arguments,
        compensation=question.compensation,
        actions=question.actions,
        undo=question.undo,
        context_digest=digest(question.context),
        plan_digest=scope.plan.digest,
        requested_by=scope.mission.requested_by,
        generation=scope.generation(path),
        seats=quorum.seats,
        reject_quorum=question.terms.reject_quorum,
        excluded=question.terms.excluded,
        authors=scope.plan.definition.author if "author" in question.terms.excluded else (),
        governance=scope.control.state.governance if question.kind in BOUND else "",
        spent=spent(scope.journal.records()) if scope.mission.tells else None,
        **({"planned": planned.digest, "findings": planned.wanting} if planned is not None else {}),
    )
    subject = at_risk(subject, scope)
    opening = Opening(
        subject=subject,
        digest=subject.digest(),
        nonce=scope.ports.nonce(),
        opened_at=now,
        deadline=now + span if span else None,
        rung=rung,
        context=question.context,
        input_schema=question.input_schema,
        stands_still=question.terms.stands_still,
        reminders=moments(question.terms.reminders[rung : rung + 1], now),
    )
    return stood_still(opening, now) if opening.stands_still and scope.control.paused is not None else opening


def _amended(question: Question, amended: Opening) -> Question:
    """Return what the next opening asks: what people changed, and on the next rung still what they changed."""
    subject = amended.subject
    changes = amended.votes[-1].changes if amended.votes and amended.votes[-1].verb == "modify" else None
    if changes is None:
        return replace(question, arguments=subject.arguments, actions=subject.actions, undo=subject.undo)
    if not subject.actions:
        return replace(question, arguments=changes, undo=question.foresee(subject.step, changes))
    return replace(question, actions=tuple(_changed(one, changes, question) for one in subject.actions))


def _changed(action: Action, changes: dict[str, Any], question: Question) -> Action:
    if action.step not in changes:
        return action
    given = changes[action.step]
    return action.model_copy(update={"arguments": given, "undo": question.foresee(action.step, given)})


def _settle(decided: Decided, opening: Opening, path: str, scope: Scope) -> Answer:
    scope.gates.close(path)
    bare = {"token": "", "answer": None}
    scope.journal.update(path, decisions=tuple(vote.model_copy(update=bare) for vote in opening.votes))
    verbs = REFUSING if decided in AGAINST else {COUNTED.get(decided, "approve")}
    votes = tuple(vote for vote in opening.words() if vote.verb in verbs)
    tell("settled", opening, scope, decision=decided, by=tuple(vote.person for vote in votes))
    grant = None
    if decided == "approved":
        grant = Grant(subject=opening.subject, nonce=opening.nonce, tokens=tuple(vote.token for vote in votes))
    return Answer(
        decided=decided,
        by=tuple(vote.person for vote in votes),
        comment="; ".join(vote.comment for vote in votes if vote.comment),
        arguments=opening.subject.arguments,
        grant=grant,
        said=votes[0].answer if decided == "answered" else None,
    )


def recalled(path: str, scope: Scope) -> Answer | None:
    """Return the answer that is on record."""
    record = scope.journal.get(path)
    if record is None or record.answer is None:
        return None
    said = record.answer
    return Answer(said["decision"], tuple(said["by"]), said["comment"], said["arguments"], record.grant)


def _moved(path: str, until: datetime | None, scope: Scope) -> bool:
    """Whether there is something to look at: a decision, or a moment that a pause has moved."""
    opening = scope.gates.get(path)
    return opening is not None and (standing(opening) != "open" or next_look(opening) != until)


def _summary(opening: Opening) -> str:
    return f"{opening.subject.step} waits for {' or '.join(opening.subject.approvers)}"
