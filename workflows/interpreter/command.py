"""Carry out an operator's command: stop the walk, edit the journal, and walk again.

The law: whatever is begun anew is undone first, and counts as new, so that no answer, approval or idempotency key of
before is taken for the next one's. Nothing gets past a gate without that gate's own quorum. Pure; who may command is
judged in `activities/identity.py`, and the state is `governance/control.py`.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, assert_never

from contracts.call import Usage
from contracts.command import ELSEWHERE, VERDICT, Pause
from contracts.decision import CommandVerb, Receipt, Ruling
from contracts.definition import AgentStep, Step
from contracts.record import inside
from workflows.interpreter.amend import amend
from workflows.interpreter.dispatch import actor
from workflows.interpreter.hold import give_back
from workflows.interpreter.passing import unagreed
from workflows.interpreter.reach import agents, jumped, nothing, reach
from workflows.interpreter.scope import Scope
from workflows.interpreter.sense import Senseless, demand_content, demand_sense
from workflows.interpreter.spot import Spot, Unknown, left_behind, spot
from workflows.interpreter.tell import goes_on, stood_still, withdraw
from workflows.interpreter.together import ask_again
from workflows.interpreter.undo import undo_these

KEEPS = {"agent", "condition", "gate", "review", "action"}
"""Kinds of steps whose answer stands when a step inside them begins anew."""
OPEN = {"running", "waiting"}
READMITTED = {"redirect", "amend"}
LONGEST = 1_000
WhyNot = Callable[[], Awaitable[str]]


async def admitted() -> str:
    """Let everything pass: where no policy is asked at all, as in a rehearsal."""
    return ""


def take(ruling: Ruling, scope: Scope) -> Receipt:
    """Take an accepted command: do it at once where the walk need not stop for it, else have it done next."""
    try:
        return _taken(ruling, scope)
    except (Senseless, Unknown) as no:
        reason = str(no)
        scope.control.note(ruling, scope.ports.now(), refused=reason)
        scope.gates.refuse(ruling.step, f"{ruling.person} asked to {ruling.verb}: {reason}"[:500], ruling.person)
        return Receipt(accepted=False, reason=reason, step=ruling.step)


def _taken(ruling: Ruling, scope: Scope) -> Receipt:
    verb, control = _verb(ruling), scope.control
    demand_content(ruling, verb)
    if verb not in ELSEWHERE and not (ruling.step == VERDICT and control.letter is not None):
        path = spot(ruling.step, scope).path
        ruling = ruling.model_copy(update={"step": path})
    if control.same(ruling) is not None:
        control.note(ruling, scope.ports.now(), after="the same was asked already and is done once")
        return Receipt(accepted=True, step=ruling.step, state="due")
    match verb:
        case "pause":
            return _pause(ruling, scope)
        case "resume":
            return _resume(ruling, scope)
        case "note":
            control.advise(ruling.step, ruling.comment)
            known = isinstance(spot(ruling.step, scope).step, AgentStep)
            seen = "the agent sees it when it runs again" if known else "on the record; no agent of its own runs there"
            return _noted(ruling, scope, "", seen)
        case "interrupt":
            return _interrupt(ruling, scope)
        case "abort":
            control.put(aborted=f"{ruling.person} aborted it: {ruling.comment}")
            receipt = _noted(ruling, scope, state_before(scope), "aborted")
            scope.ports.stop()
            return receipt
        case "skip" | "retry" | "redirect" | "rollback" | "amend" | "escalate":
            demand_sense(ruling, scope)
            control.queue(ruling)
            # What people are to be asked about first ends nothing before they have agreed.
            scope.ports.override(nothing if unagreed(ruling, scope) else reach(ruling, scope))
            return Receipt(accepted=True, step=ruling.step, state="due")
        case _:
            assert_never(verb)


def state_before(scope: Scope) -> str:
    """Say in a word how a mission stands that a command is about."""
    if scope.control.letter is not None:
        return "in the dead letter queue"
    return "paused" if scope.control.paused is not None else "running"


def _verb(ruling: Ruling) -> CommandVerb:
    return ruling.verb  # type: ignore[return-value]


# what the walk need not stop for


def _pause(ruling: Ruling, scope: Scope) -> Receipt:
    control, now = scope.control, scope.ports.now()
    if control.paused is not None:
        return _noted(ruling, scope, "paused", f"paused already, by {control.paused.by}")
    before = state_before(scope)
    control.put(paused=Pause(by=ruling.person, at=now, reason=ruling.comment))
    for opening in scope.gates.openings():
        if opening.stands_still:
            scope.gates.open(stood_still(opening, now))
    _tell_children(ruling, scope)
    if (ruling.changes or {}).get("interrupt"):
        control.queue(ruling)
        scope.ports.override(agents)
        return Receipt(accepted=True, state="due")
    return _noted(ruling, scope, before, "paused")


def _resume(ruling: Ruling, scope: Scope) -> Receipt:
    control = scope.control
    before = state_before(scope)
    if control.paused is None and not control.stopped():
        return _noted(ruling, scope, before, "not paused, so nothing changes")
    control.put(paused=None)
    if control.stopped():
        control.close_letter()
    for opening in scope.gates.openings():
        if opening.stands_still:
            scope.gates.open(goes_on(opening, scope.ports.later))
    _tell_children(ruling, scope)
    return _noted(ruling, scope, before, state_before(scope))


def _tell_children(ruling: Ruling, scope: Scope) -> None:
    """Let the children that run follow. They judge the command themselves, by the same signature."""
    for record in scope.journal.records():
        if record.child is not None and record.status in OPEN:
            scope.ports.tell_child(record.child, ruling.token)


def _interrupt(ruling: Ruling, scope: Scope) -> Receipt:
    record = scope.journal.get(ruling.step)
    cause = f"{ruling.person} interrupted it: {ruling.comment}"
    if record is None or record.kind != "agent" or not scope.ports.interrupt(ruling.step, record.generation, cause):
        raise Senseless(f"no agent runs at {ruling.step}")
    return _noted(ruling, scope, "running", "interrupted")


def _noted(ruling: Ruling, scope: Scope, before: str, after: str) -> Receipt:
    scope.control.note(ruling, scope.ports.now(), before=before, after=after)
    scope.ports.changed()
    return Receipt(accepted=True, step=ruling.step, state="done")


# what it stops for


async def carry_out(scope: Scope, why_not: WhyNot = admitted) -> None:
    """Carry out the command that is due. Raises `Suspended` where the run is to hand over first: the next goes on.

    What leads a mission another way than it was admitted for is admitted again first: `why_not` asks policy.
    """
    control = scope.control
    ruling = control.due()
    if ruling is None:
        return
    control.carrying = True
    try:
        after = await _carried(ruling, scope, why_not)
    except (Senseless, Unknown) as no:
        control.note(ruling, scope.ports.now(), refused=str(no))
        scope.gates.refuse(ruling.step, f"{ruling.person} asked to {ruling.verb}: {no}"[:500], ruling.person)
    else:
        if after:
            control.note(ruling, scope.ports.now(), before=state_before(scope), after=after)
            if ruling.verb not in {"amend", "pause"}:
                await _forget(_left_behind(ruling, scope), scope)
                control.close_letter()
    finally:
        control.carrying = False
    control.done()
    scope.ports.changed()


async def _carried(ruling: Ruling, scope: Scope, why_not: WhyNot) -> str:
    """Do what a command says; return what came of it, or nothing where people are asked first."""
    if ruling.verb == "pause":
        return "paused, and its agents interrupted"
    demand_sense(ruling, scope)
    if ruling.verb in READMITTED and (reason := await why_not()):
        raise Senseless(reason[:LONGEST])
    await scope.ports.reported(reach(ruling, scope))
    if ruling.verb == "amend":
        return amend(ruling, scope)
    if ruling.step == VERDICT:
        return "the verdict is reached anew"
    place = spot(ruling.step, scope)
    if unagreed(ruling, scope):
        scope.control.put(asking=(*scope.control.state.asking, ruling))
        return ""
    match ruling.verb:
        case "skip":
            await _begin_anew(place, _own(place, scope), scope)
            _skip(place.step, place.path, ruling, scope, (ruling.changes or {}))
            return "skipped" + (" with an output" if "output" in (ruling.changes or {}) else "")
        case "retry":
            given = (ruling.changes or {}).get("input")
            if isinstance(given, dict):
                scope.control.lay_over(place.path, given)
            undone = await _begin_anew(place, place.behind(scope.journal), scope)
            other = " with other input" if given is not None else ""
            before = f"; undone first: {', '.join(undone)}" if undone else ""
            return f"begins anew{other}{before}"
        case "rollback":
            undone = await _begin_anew(place, place.behind(scope.journal), scope)
            return f"undone back to it: {', '.join(undone) or 'nothing had been done'}"
        case "redirect":
            return await _redirect(place, ruling, scope)
        case "escalate":
            scope.control.escalate(place.path)
            scope.journal.update(place.path, status="running", ended_at=None)
            reopen(place, scope, scope.ports.now())
            return "people are asked how to go on"
        case _:
            raise AssertionError(ruling.verb)


def _left_behind(ruling: Ruling, scope: Scope) -> list[str]:
    """Return what failed elsewhere and is walked again, so that what it may have done is not forgotten."""
    kept = (ruling.step, *inside(ruling.step)) if ruling.verb == "escalate" else ()
    return [
        path for path in left_behind(scope.journal) if not kept or not (path == kept[0] or path.startswith(kept[1:]))
    ]


def _own(place: Spot, scope: Scope) -> list[str]:
    own, records = inside(place.path), scope.journal.records()
    behind = place.behind(scope.journal) if scope.journal.get(place.path) is not None else []
    beside = [path for path in behind if not path.startswith(own) and path != place.path]
    failed = {one.path for one in records if one.status == "cancelled"}
    return [one.path for one in records if one.path == place.path or one.path.startswith(own)] + [
        path for path in beside if path in failed
    ]


async def _begin_anew(place: Spot, paths: list[str], scope: Scope) -> list[str]:
    """Undo and forget these paths, and open what is around the place again. Returns what was undone."""
    undone = await _forget(paths, scope)
    if not paths:
        scope.journal.begin_anew(paths)
    reopen(place, scope, scope.ports.now())
    return undone


async def _forget(paths: list[str], scope: Scope) -> list[str]:
    """Undo what these paths did, and forget them. Returns what was undone."""
    if not paths:
        return []
    gone = set(paths)
    undone = await undo_these([record for record in scope.journal.records() if record.path in gone], scope)
    for record in scope.journal.claiming():
        if record.path in gone:
            await give_back(record.path, scope)
    usage = Usage()
    for path in paths:
        if (opening := scope.gates.get(path)) is not None:
            withdraw(opening, scope)
        known = scope.journal.get(path)
        usage = usage.plus(known.cost() if known is not None else Usage())
    scope.control.forget(paths, usage)
    scope.journal.begin_anew(paths)
    return undone


def reopen(place: Spot, scope: Scope, now: datetime) -> None:
    """Open what is around a place again. Its time begins anew."""
    for around in place.around():
        record = scope.journal.get(around)
        if record is not None and record.status not in OPEN:
            output = record.output if record.kind in KEEPS else None
            fields = {"status": "running", "ended_at": None, "failure": None, "output": output, "order": 0}
            scope.journal.update(around, **fields, started_at=now)
        elif record is not None and record.failure is not None:
            scope.journal.update(around, failure=None)
        ask_again(around, scope)


def _skip(step: Step, path: str, ruling: Ruling, scope: Scope, given: dict[str, Any]) -> None:
    now = scope.ports.now()
    scope.journal.start(path, step.kind, actor(step), now)
    scope.journal.finish(path, "skipped", now, output=given.get("output"), by=ruling.person)


async def _redirect(place: Spot, ruling: Ruling, scope: Scope) -> str:
    passed = list(jumped(place, scope))
    if scope.journal.get(place.path) is not None:
        await _begin_anew(place, place.behind(scope.journal), scope)
        return "goes on from there"
    for step, path in passed:
        own = inside(path)
        below = [one.path for one in scope.journal.records() if one.path == path or one.path.startswith(own)]
        await _begin_anew(place, below, scope)
        _skip(step, path, ruling, scope, {})
    reopen(place, scope, scope.ports.now())
    return f"goes on from there; skipped: {', '.join(path for _, path in passed) or 'nothing'}"
