"""Tell people that something waits for them, remind them, and tell them what came of it.

The law: telling stands beside the asking and never in its way. A reminder is noted in the journal whether or not there
is a channel to send it by; a notice that cannot be sent is noted, and no gate waits for it. Nothing is sent for a plan
that was frozen where no channel was (`Plan.notify`). Pure: the sending is a port.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from contracts.base import digest
from contracts.decision import Opening
from contracts.money import Spending
from contracts.notice import FAILURE, WITHDRAWN, About, Note, Notice
from contracts.record import inside
from workflows.interpreter.scope import Scope

CLOCK = ("deadline", "left", "reminders", "reminders_left")
"""What an opening keeps when people are shown something else in its stead."""
MOST_NOTES = 20
"""The notes that a record keeps, the newest."""


def moments(rungs: Iterable[Iterable[timedelta]], now: datetime) -> tuple[datetime, ...]:
    """Return when to remind people who are asked now."""
    return tuple(sorted(now + span for rung in rungs for span in rung))


def stood_still(opening: Opening, now: datetime) -> Opening:
    """Return an opening whose clock stands from now on."""
    left = max(0.0, (opening.deadline - now).total_seconds()) if opening.deadline is not None else None
    reminders = tuple(max(0.0, (moment - now).total_seconds()) for moment in opening.reminders)
    stands = {"deadline": None, "left": left, "reminders": (), "reminders_left": reminders}
    return opening.model_copy(update=stands)


def goes_on(opening: Opening, later: Callable[[float], datetime]) -> Opening:
    """Return an opening whose clock stood, and goes again."""
    deadline = later(opening.left) if opening.left is not None else opening.deadline
    reminders = tuple(later(left) for left in opening.reminders_left) or opening.reminders
    return opening.model_copy(update={"deadline": deadline, "left": None, "reminders": reminders, "reminders_left": ()})


def next_look(opening: Opening) -> datetime | None:
    """Return when there is something to do for an opening that nobody settles."""
    return min((moment for moment in (*opening.reminders, opening.deadline) if moment is not None), default=None)


def remind(opening: Opening, scope: Scope) -> Opening:
    """Remind people if it is time to, once for all reminders that have come due meanwhile; return the opening."""
    now = scope.ports.now()
    left = tuple(moment for moment in opening.reminders if moment > now)
    if left == opening.reminders:
        return opening
    reminded = opening.model_copy(update={"reminders": left})
    scope.gates.open(reminded)
    note(opening.subject.step, Note(about="reminded", at=now, to=opening.subject.approvers), scope)
    tell("reminded", opening, scope, reminder=len(left))
    return reminded


def tell(about: About, opening: Opening, scope: Scope, reminder: int = 0, **settled: Any) -> None:
    """Have people told, where the mission has channels at all."""
    if not scope.plan.notify:
        return
    subject = opening.subject
    scope.ports.notify(
        Notice(
            id=digest([subject.mission, subject.first_run_id, subject.step, opening.nonce, about, reminder])[7:39],
            about="dead_letter" if about == "opened" and subject.kind == "compensation" else about,
            mission=subject.mission,
            name=subject.name,
            step=subject.step,
            kind=subject.kind,
            to=(*subject.approvers, subject.requested_by)
            if settled.get("decision", WITHDRAWN) != WITHDRAWN
            else subject.approvers,
            at=scope.ports.now(),
            deadline=opening.deadline,
            tool=subject.tool or ", ".join(action.tool for action in subject.actions) or None,
            requested_by=subject.requested_by,
            **settled,
        )
    )


def withdraw(opening: Opening, scope: Scope) -> None:
    """Ask no more: nobody waits for the answer. Who was asked is told; who may only have spoken was not."""
    scope.gates.close(opening.subject.step)
    if scope.limits.attentive and opening.subject.kind != "facilitation":
        tell("settled", opening, scope, decision=WITHDRAWN)


def withdraw_all(scope: Scope) -> None:
    """Ask no more: the mission has come to its end."""
    for opening in scope.gates.openings():
        withdraw(opening, scope)


def withdraw_inside(path: str, scope: Scope) -> None:
    """Ask no more at a step that is over, and inside it. What could not be undone is still asked about."""
    for opening in scope.gates.openings() if scope.limits.attentive else ():
        step = opening.subject.step
        if opening.subject.kind != "compensation" and (step == path or step.startswith(inside(path))):
            withdraw(opening, scope)


def tell_operators(step: str, deadline: datetime | None, scope: Scope, kind: str = FAILURE) -> None:
    """Have operators told that the mission waits for them with a failure. What failed and why they look up."""
    if not scope.plan.notify:
        return
    mission, now = scope.mission, scope.ports.now()
    scope.ports.notify(
        Notice(
            id=digest([mission.id, mission.first_run_id, step, now.isoformat(), "dead_letter"])[7:39],
            about="dead_letter",
            mission=mission.id,
            name=scope.plan.definition.mission,
            step=step,
            kind=kind,
            to=scope.plan.commanders(),
            at=now,
            deadline=deadline,
            requested_by=mission.requested_by,
        )
    )


def tell_spending(step: str, news: tuple[Spending, ...], scope: Scope) -> None:
    """Have operators told that a soft bound is reached: once for each, and noted at the step that came to it."""
    now, to = scope.ports.now(), scope.plan.commanders()
    note(step, Note(about="budget", at=now, to=to, text="; ".join(map(str, news))), scope)
    if scope.plan.notify:
        mission = scope.mission
        scope.ports.notify(
            Notice(
                id=digest([mission.id, mission.first_run_id, step, now.isoformat(), "budget"])[7:39],
                about="budget",
                mission=mission.id,
                name=scope.plan.definition.mission,
                step=step,
                kind=FAILURE,
                to=to,
                at=now,
                requested_by=mission.requested_by,
            )
        )


def note(path: str, told: Note, scope: Scope) -> None:
    """Keep for the record that people were told, or could not be."""
    record = scope.journal.get(path)
    if record is None:
        scope.gates.refuse(path, told.failed or told.text or told.about)
    else:
        scope.journal.update(path, notices=(*record.notices, told)[-MOST_NOTES:])
    scope.ports.changed()
