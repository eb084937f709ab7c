"""Hold a step's locks while it runs: ask, wait for its turn, give them back on every way out.

The law: no step runs without its locks, and none keeps them when it is over. One that failed, with effects that are
still to be undone, keeps them until they are: nobody gets between a failure and what undoes it. A lock that a step
around this one holds is held already. Pure; the waiting is a port, the table `workflows/governance/lock.py`.
"""

from dataclasses import replace
from datetime import datetime
from itertools import count

from contracts.definition import Step
from contracts.lock import LONGEST_NAME, MOST_LOCKS, TURNS, Claim, Holder, LockNote, Standing
from contracts.record import STANDING, Failure, Record, inside
from workflows.interpreter.ending import EffectFailed, StepFailed
from workflows.interpreter.join import see_through
from workflows.interpreter.scope import Scope

PATIENT = 60.0
OPEN = frozenset({"running", "waiting"})


async def take(step: Step, path: str, scope: Scope) -> None:
    """Wait until a step has its locks. Its `timeout` bounds the wait."""
    if not step.locks or scope.journal.settled(path) is not None:
        return
    first = LockNote(turn=scope.generation(path) * TURNS)
    note = _known(path, scope) or first.model_copy(update={"names": _names(step, path, scope)})
    if not note.names or note.state == "held":
        return
    if note.state != "waiting":
        note = note.model_copy(update={"state": "waiting", "turn": note.turn + 1, "since": scope.ports.now()})
        scope.journal.update(path, locks=note)
    until = note.since + step.timeout if note.since is not None and step.timeout is not None else None
    await wait_for(_claim(path, note, scope), until, path, scope)
    _note(path, scope, state="held", since=scope.ports.now(), behind=())


def under(path: str, scope: Scope) -> Scope:
    """Return the scope of what a step does while it holds its locks."""
    note = _known(path, scope)
    return replace(scope, held=scope.held | set(note.names)) if note is not None and note.state == "held" else scope


async def wait_for(claim: Claim, until: datetime | None, path: str, scope: Scope) -> None:
    """Ask, and ask again when word comes or time has passed, until a claim is granted. Raises `StepFailed`."""
    word = claim.holder.path
    for times in count():
        await scope.begin_effect(word)
        heard = scope.ports.nudged(word)
        # The first answer comes at once, so that whoever looks at the mission sees who is in the way.
        patience = _left(until, scope) if times else 0.0
        standing = await _asked(claim.model_copy(update={"patience": patience}), path, scope)
        if standing.state == "held":
            return
        if standing.state == "yielded":
            raise _failed("deadlock", standing.cause, path)
        _show(path, standing, scope)
        if until is not None and scope.ports.now() >= until:
            raise _failed("timed_out", f"they were not free in time: {_in_the_way(standing)}", path)
        moments = [moment for moment in (until, scope.ports.look_again(times)) if moment is not None]
        if moments and min(moments) <= scope.ports.now():
            continue
        summary = f"{path} waits for {', '.join(claim.names)}: {_in_the_way(standing)}"
        with scope.ports.within(path):
            moved = lambda heard=heard: scope.ports.nudged(word) != heard  # noqa: E731
            await scope.ports.wait(moved, min(moments, default=None), summary)


def _left(until: datetime | None, scope: Scope) -> float:
    """Return for how many seconds an answer may be kept back at most."""
    return PATIENT if until is None else max(0.0, min(PATIENT, (until - scope.ports.now()).total_seconds()))


async def give_back(path: str, scope: Scope) -> None:
    """Release what a step holds, or withdraw what it asked for. No cancellation keeps it from that."""
    note = _known(path, scope)
    if note is not None and note.state in {"held", "waiting"}:
        await released(_claim(path, note, scope).holder, scope)
        _note(path, scope, state="released", behind=())


async def leave(path: str, scope: Scope) -> None:
    """Give back the locks of a step that failed or was stopped, unless something it did is still to be undone."""
    note = _known(path, scope)
    if note is not None and (note.state == "waiting" or not _to_undo(path, scope)):
        await give_back(path, scope)


async def let_go(path: str, scope: Scope) -> None:
    """Give back, where a failure is made good, what failed steps inside keep: what they did stands for now."""
    note, below = _known(path, scope), inside(path)
    if note is not None and note.state == "waiting":
        await give_back(path, scope)
    for record in scope.journal.claiming():
        if record.path.startswith(below) and record.status not in OPEN:
            await give_back(record.path, scope)


async def settle(scope: Scope) -> None:
    """Give back what steps that are over keep for the sake of effects, where those were undone."""
    for record in scope.journal.claiming():
        if record.status not in OPEN:
            await leave(record.path, scope)


async def let_go_of_all(scope: Scope) -> None:
    """Give back everything: the mission is over."""
    for record in scope.journal.claiming():
        await give_back(record.path, scope)


async def released(holder: Holder, scope: Scope) -> None:
    """Have a claim released. Should the table never hear of it, it is told when the mission runs no more."""
    try:
        await see_through(scope.ports.release_locks(holder))
    except EffectFailed as failed:
        scope.gates.refuse(holder.path, f"its locks could not be given back: {failed.cause}"[:500])


def still_held(path: str, scope: Scope) -> frozenset[str]:
    """Return the locks that a step and those around it have not given back."""
    holding = (one for one in scope.journal.claiming() if one.locks is not None and one.locks.state == "held")
    around = [one for one in holding if one.path == path or path.startswith(inside(one.path))]
    return frozenset(name for one in around if one.locks is not None for name in one.locks.names)


def _names(step: Step, path: str, scope: Scope) -> tuple[str, ...]:
    """Return the names of a step's locks, in order, without those that are held already."""
    made = [scope.render(template, path) for template in step.locks]
    names = [name for item in made for name in (item if isinstance(item, list) else [item])]
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > LONGEST_NAME:
            cause = f"{repr(name)[:100]} names no lock: a name is a text of at most {LONGEST_NAME} characters"
            raise _failed("bad_input", cause, path)
    if len(names) > MOST_LOCKS:
        raise _failed("bad_input", f"it asks for {len(names)} locks; at most {MOST_LOCKS} are allowed", path)
    return tuple(sorted(set(names) - scope.held))


def _known(path: str, scope: Scope) -> LockNote | None:
    record = scope.journal.get(path)
    return record.locks if record is not None else None


def _claim(path: str, note: LockNote, scope: Scope) -> Claim:
    mission = scope.mission
    holder = Holder(mission=mission.id, first_run_id=mission.first_run_id, path=path, turn=note.turn)
    return Claim(holder=holder, names=note.names)


def _to_undo(path: str, scope: Scope) -> bool:
    def stands(record: Record) -> bool:
        return record.effect is not None and record.effect.undo_status in STANDING

    own, below = scope.journal.get(path), inside(path)
    if own is not None and stands(own):
        return True
    return any(record.path.startswith(below) and stands(record) for record in scope.journal.records())


async def _asked(claim: Claim, path: str, scope: Scope) -> Standing:
    try:
        with scope.ports.within(path):
            return await scope.ports.ask_locks(claim)
    except EffectFailed as failed:
        raise _failed(failed.code, failed.cause, path) from failed


def _show(path: str, standing: Standing, scope: Scope) -> None:
    """Note who is in the way, for whoever looks at the mission."""
    note = _known(path, scope)
    if note is not None and note.behind != standing.behind:
        _note(path, scope, behind=standing.behind)


def _note(path: str, scope: Scope, **fields: object) -> None:
    note = _known(path, scope)
    if note is not None:
        scope.journal.update(path, locks=note.model_copy(update=fields))
        scope.ports.changed()


def _in_the_way(standing: Standing) -> str:
    return "; ".join(map(str, standing.behind[:5])) or "they are not free"


def _failed(code: str, cause: str, path: str) -> StepFailed:
    return StepFailed(Failure(code=code, step=path, operation="get its locks", cause=cause))
