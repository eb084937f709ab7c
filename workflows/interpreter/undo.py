"""Undo what a mission did: its effects in reverse order of completion, each under a key of its own.

A compensation that fails for good is never called done: it waits for people with the manual path that the tool's
contract gives. Pure; the order is `governance/saga.py`, the shield against cancellation `workflows/mission.py`.
"""

from collections.abc import Iterable
from itertools import count

from contracts.child import Child, Report
from contracts.lock import TURNS, Claim, Holder
from contracts.record import Effect, Record, inside
from workflows.governance.saga import to_undo
from workflows.interpreter.ask import Question, ask_apart
from workflows.interpreter.effort import tool_effort
from workflows.interpreter.ending import Broken, EffectFailed, StepFailed, Suspended, at
from workflows.interpreter.hold import released, settle, still_held, wait_for
from workflows.interpreter.scope import Scope


async def undo_all(scope: Scope) -> None:
    """Run every compensation that is still open, one after the other."""
    for path in scope.control.state.begun:
        await _ask_about(path, scope)
    await _undo_each(scope.journal.records(), scope)


async def _ask_about(path: str, scope: Scope) -> None:
    """Ask people about an action that may have been done, unless the journal has come to know of it."""
    record, gate = scope.journal.get(path), f"{path}/undo[0]"
    if (record is None or record.effect is None) and scope.journal.settled(gate) is None:
        message = (
            f"{path} was under way when the mission was stopped from outside, and whether it was done nobody knows"
        )
        said = f"{message}. See what it did, undo it by hand, and approve or reject with a word on what you found"
        rungs = (((scope.plan.escalation.role,), None),)
        await ask_apart(Question(kind="compensation", message=said, rungs=rungs, context={}), gate, scope)


async def put_to_people(scope: Scope) -> bool:
    """Ask people about each effect that a mistake of ours keeps from being undone; return whether there was any.

    It is asked with nothing but words: what broke may have been the making of a better question.
    """
    standing = [record.path for record in to_undo(scope.journal.records())]
    for path in standing:
        number = next(n for n in count(1) if scope.journal.settled(f"{path}/undo[{n}]") is None)
        message = f"{path} could not be undone, by a mistake in the interpreter ({_effect(path, scope).undo_error})"
        said = f"{message}. Approve to have it tried again or, when it was done by hand, reject with a word on how"
        rungs = (((scope.plan.escalation.role,), None),)
        question = Question(kind="compensation", message=said, rungs=rungs, context={})
        answer = await ask_apart(question, f"{path}/undo[{number}]", scope)
        if answer.decided != "approved":
            error = f"{_effect(path, scope).undo_error} ({answer.comment})"
            _note(path, scope, undo_status="given_up", undo_error=error)
    return bool(standing)


async def undo_below(path: str, scope: Scope) -> None:
    """Undo what was done at a path and below it: that is abandoned, and the mission goes on."""
    below, records = inside(path), scope.journal.records()
    await _undo_each((one for one in records if one.path == path or one.path.startswith(below)), scope)


async def undo_these(records: Iterable[Record], scope: Scope) -> list[str]:
    """Undo what these records did, the last completed first; return their paths."""
    standing = [record.path for record in to_undo(records)]
    await _undo_each([record for path in standing if (record := scope.journal.get(path)) is not None], scope)
    return standing


async def _undo_each(records: Iterable[Record], scope: Scope) -> None:
    bugs: list[Broken] = []
    for record in to_undo(records):
        if scope.ports.stopping():
            raise Suspended
        try:
            with at(f"{record.path}/undo"):
                await _undo(record, scope)
                # What a failed step kept for this one's sake may be what the next one needs.
                await settle(scope)
        except Broken as broken:
            # A bug keeps no other effect from being undone.
            _note(record.path, scope, undo_status="failed", undo_error=str(broken)[:500])
            bugs.append(broken)
    if bugs:
        raise bugs[0]


async def _undo(record: Record, scope: Scope) -> None:
    for number in count(1):
        gate = f"{record.path}/undo[{number}]"
        if scope.journal.settled(gate) is not None:
            continue
        if scope.gates.get(gate) is None and await _try(record.path, number, scope):
            return
        answer = await ask_apart(_call_for_help(record.path, scope), gate, scope)
        if answer.decided != "approved":
            error = f"{_effect(record.path, scope).undo_error} ({answer.comment})"
            _note(record.path, scope, undo_status="given_up", undo_error=error)
            return


async def _try(path: str, number: int, scope: Scope) -> bool:
    """Run one compensation, under the locks of what it undoes; return whether it is done."""
    mission, turn = scope.mission, scope.generation(path) * TURNS + number
    holder = Holder(mission=mission.id, first_run_id=mission.first_run_id, path=f"{path}/undo", turn=turn)
    names = tuple(sorted(set(_effect(path, scope).locks) - still_held(path, scope)))
    if not names:
        return await _compensate(path, scope)
    try:
        await wait_for(Claim(holder=holder, names=names, undoing=True), None, holder.path, scope)
        done = await _compensate(path, scope)
    except StepFailed as failed:
        _note(path, scope, undo_status="failed", undo_error=failed.failure.cause)
        done = False
    # Not where the run hands over or the task is cancelled: whoever undoes it then keeps this place in the queue.
    await released(holder, scope)
    return done


async def _compensate(path: str, scope: Scope) -> bool:
    record, effect = scope.journal.get(path), _effect(path, scope)
    if record is not None and record.child is not None:
        return await _recall(record.child, path, scope)
    if effect.undo is None:
        _note(path, scope, undo_status="failed", undo_error=effect.undo_error or "its arguments could not be made")
        return False
    _note(path, scope, undo_status="running")
    try:
        with scope.ports.within(f"{path}/undo"):
            tool = scope.plan.tools[effect.undo.tool]
            await scope.ports.run_tool(effect.undo, tool_effort(tool, effect.undo_retry, None))
    except EffectFailed as failed:
        _note(path, scope, undo_status="failed", undo_error=str(failed))
        return False
    except Suspended:
        raise
    except Exception as bug:
        # A bug of ours: whether it was undone nobody knows, so people are asked.
        _note(path, scope, undo_status="failed", undo_error=f"internal: {bug!r}"[:500])
        return False
    _note(path, scope, undo_status="done", undo_error="", undone_at=scope.ports.now())
    return True


async def _recall(child: Child, path: str, scope: Scope) -> bool:
    """Have a child mission undo what it did; return whether that is over."""
    _note(path, scope, undo_status="running")
    try:
        with scope.ports.within(f"{path}/undo"):
            report = await scope.ports.undo_mission(child, f"{path}/undo")
    except EffectFailed as failed:
        _note(path, scope, undo_status="failed", undo_error=str(failed))
        return False
    if report is None:
        raise Suspended
    if report.not_undone:
        # Its own people were asked and have said so: nobody is asked twice, and nobody is told that it was undone.
        _note(path, scope, undo_status="given_up", undo_error=left_by(child, report))
        return True
    _note(path, scope, undo_status="done", undo_error="", undone_at=scope.ports.now())
    return True


def left_by(child: Child, report: Report) -> str:
    """Say what a child that came to nothing has left as it is."""
    return f"{child.id} was left as it is at {', '.join(report.not_undone)}"[:500]


def _call_for_help(path: str, scope: Scope) -> Question:
    effect = _effect(path, scope)
    tool = effect.undo.tool if effect.undo else ""
    manual = scope.plan.tools[tool].manual if tool else ""
    record = scope.journal.get(path)
    if record is not None and record.child is not None:
        manual = f"see what the mission {record.child.id} did"
    message = f"{path}: {effect.tool} could not be undone ({effect.undo_error}). Approve to try again"
    message += f" or, when it was done by hand, reject with a word on how. By hand: {manual or 'see the tool'}"
    return Question(
        kind="compensation",
        message=message,
        rungs=(((scope.plan.escalation.role,), None),),
        context={"effect": effect.model_dump(mode="json", exclude={"undo"})},
    )


def _effect(path: str, scope: Scope) -> Effect:
    record = scope.journal.get(path)
    if record is None or record.effect is None:
        raise AssertionError(path)
    return record.effect


def _note(path: str, scope: Scope, **fields: object) -> None:
    scope.journal.update(path, effect=_effect(path, scope).model_copy(update=fields))
    scope.ports.changed()
