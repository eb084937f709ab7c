"""See a call through while something that it needs is halted: wait for the lifting, then try again.

The law: a halt is no failure and no attempt; what attempts before it may have done is not forgotten, whatever the next
ones say. What was never begun leaves nothing to be undone. Pure; `workflows/halt_ports.py` binds the waiting to
Temporal, `activities/halts.py` refuses to begin.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from contracts.halt import Halt, HaltNote
from contracts.record import Record
from workflows.interpreter.ending import Applied, EffectFailed, Suspended
from workflows.interpreter.join import halt_if_cancelled
from workflows.interpreter.journal import Journal
from workflows.interpreter.ports import Effort

T = TypeVar("T")


class Halted(Exception):
    """A call was not begun. `applied`: whether an attempt before may have acted; `spent`: how many there were."""

    def __init__(self, halts: tuple[Halt, ...], applied: Applied = "no", spent: int = 0, resume: str = "") -> None:
        super().__init__("; ".join(map(str, halts)))
        self.halts = halts
        self.applied = applied
        self.spent = spent
        self.resume = resume


@dataclass(frozen=True)
class Waiting:
    """Where halts are noted, and how their lifting is waited for: false says that the run is to hand over first."""

    journal: Journal
    now: Callable[[], datetime]
    changed: Callable[[], None]
    lifted: Callable[[HaltNote], Awaitable[bool]]


async def unhalted(path: str, effort: Effort, once: Callable[[Effort], Awaitable[T]], waiting: Waiting) -> T:
    """Return what comes of a call once nothing that it needs is halted."""
    while True:
        note = _note(path, waiting.journal)
        try:
            answer = await once(_left(effort, note))
        except Halted as halted:
            await _wait(_noted(path, halted, waiting), waiting)
        except EffectFailed as failed:
            _close(path, waiting)
            if note is None or note.applied == "no" or failed.applied != "no":
                raise
            left: dict[str, Any] = {"observations": failed.observations, "usage": failed.usage}
            raise EffectFailed(failed.code, failed.cause, tried=failed.tried, applied=note.applied, **left) from failed
        else:
            _close(path, waiting, spent=0, applied="no", resume="")
            return answer


async def _wait(note: HaltNote, waiting: Waiting) -> None:
    try:
        lifted = await waiting.lifted(note)
        halt_if_cancelled()
    except (asyncio.CancelledError, EffectFailed):
        _nothing_done(note, waiting.journal)
        _close(note.path, waiting)
        raise
    if not lifted:
        _nothing_done(note, waiting.journal)
        raise Suspended
    _close(note.path, waiting)


def _left(effort: Effort, note: HaltNote | None) -> Effort:
    if note is None:
        return effort
    attempts = max(1, effort.retry.attempts - note.spent)
    return replace(effort, retry=effort.retry.model_copy(update={"attempts": attempts}), resume=note.resume)


def _noted(path: str, halted: Halted, waiting: Waiting) -> HaltNote:
    """Note a halt with the record, for whoever looks at the mission and for the next run."""
    known = _note(path, waiting.journal) or HaltNote(path=path, since=waiting.now())
    since = known.since if known.state == "waiting" else waiting.now()
    note = HaltNote(
        path=path,
        halts=halted.halts,
        since=since,
        applied=halted.applied if known.applied == "no" else known.applied,
        spent=known.spent + halted.spent,
        resume=halted.resume or known.resume,
    )
    _keep(note, waiting)
    return note


def _close(path: str, waiting: Waiting, **fields: object) -> None:
    note = _note(path, waiting.journal)
    if note is None:
        return
    over = {"state": "over", "until": note.until or waiting.now(), **fields}
    if note.model_copy(update=over) != note:
        _keep(note.model_copy(update=over), waiting)


def _keep(note: HaltNote, waiting: Waiting) -> None:
    record = _record(note.path, waiting.journal)
    if record is not None:
        waiting.journal.update(record.path, halted=note)
        waiting.changed()


def _note(path: str, journal: Journal) -> HaltNote | None:
    record = _record(path, journal)
    return record.halted if record is not None and record.halted and record.halted.path == path else None


def _record(path: str, journal: Journal) -> Record | None:
    """Return the record of a call: its path's own, or that of the step that it is a part of."""
    while path:
        if (record := journal.get(path)) is not None:
            return record
        path = path.rpartition("/")[0]
    return None


def _nothing_done(note: HaltNote, journal: Journal) -> None:
    """Leave nothing to be undone of a call that never began. The next run registers it anew."""
    record = journal.get(note.path)
    if note.applied == "no" and record is not None and record.effect is not None:
        journal.update(note.path, effect=record.effect.model_copy(update={"applied": "no", "undo_status": "none"}))
