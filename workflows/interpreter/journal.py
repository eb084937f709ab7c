"""The journal: step path → record. The cursor of the mission.

A step that has settled answers from its record, so resuming, continuing as new and retrying are one thing:
walk again. Pure; the timeline, the audit and the queries are views of it.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from contracts.halt import Halt
from contracts.planning import ASSENT, PLANNING
from contracts.record import STANDING, Record, Status, inside
from contracts.usage import Usage

SETTLED: frozenset[Status] = frozenset({"succeeded", "recovered", "skipped"})
CLAIMING = frozenset({"held", "waiting"})


class Journal:
    """Records by path. `revision` counts changes, `order` completions, `generation` new beginnings; all only grow.

    `done` counts the records that have settled. What lies directly below a path is kept at hand, since a long map
    asks for it at each of its items.
    """

    def __init__(self, records: Iterable[Record] = (), revision: int = 0, order: int = 0, generation: int = 0) -> None:
        self._records: dict[str, Record] = {}
        self._below: dict[str, dict[str, None]] = {}
        self._claiming: dict[str, None] = {}
        self._halted: dict[str, None] = {}
        self.done = 0
        for record in records:
            self._keep(record)
        self.revision = revision
        self.order = order
        self.generation = generation

    def get(self, path: str) -> Record | None:
        return self._records.get(path)

    def settled(self, path: str) -> Record | None:
        """Return the record of a step that need not run again, if it is one."""
        record = self._records.get(path)
        return record if record is not None and record.status in SETTLED else None

    def start(self, path: str, kind: str, actor: str, now: datetime) -> None:
        """Note that a step runs. A record left open by the run before this one stays as it is.

        One that failed and is only walked again is of the generation that it was: its effects have the same keys.
        """
        known = self._records.get(path)
        if known is not None and known.status in {"running", "waiting"}:
            return
        record = Record(path=path, kind=kind, actor=actor, status="running", started_at=now, generation=self.generation)
        if known is not None:
            same: dict[str, Any] = {"attempt": known.attempt + 1, "generation": known.generation, "locks": known.locks}
            same["lost"] = known.cost() if known.cost() != Usage() else None
            record = record.model_copy(update=same)
        self._put(record)

    def update(self, path: str, **fields: Any) -> None:
        """Change fields of a record that stands."""
        self._put(self._records[path].model_copy(update=fields))

    def finish(self, path: str, status: Status, now: datetime, **fields: Any) -> None:
        """Close a record, and give it its place in the order of completion."""
        self.order += 1
        self.update(path, status=status, ended_at=now, order=self.order, **fields)

    def fold(self, path: str, into: str) -> None:
        """Forget what lies below a path, but for effects that may have to be undone; the costs become another's.

        What people approved of a plan stays with its effects: by that they are undone.
        """
        usage = self._records[into].usage
        found = [self._records[one] for one in self._beneath(path)]
        standing = [one.path for one in found if one.effect is not None and one.effect.undo_status in STANDING]
        kept = {*standing, *_approved(found, standing)}
        for record in found:
            if record.path not in kept:
                usage = usage.plus(record.cost())
                self._forget(record.path)
        self.update(into, usage=usage)

    def _beneath(self, path: str) -> list[str]:
        found, waiting = list[str](), list(self._below.get(path, ()))
        while waiting:
            found.append(waiting.pop())
            waiting += self._below.get(found[-1], ())
        return found

    def drop(self, path: str, into: str) -> None:
        """Forget a path and what lies below it, as `fold` does."""
        self.fold(path, into)
        self.update(into, usage=self._records[into].usage.plus(self._records[path].cost()))
        self._forget(path)

    def begin_anew(self, paths: Iterable[str]) -> None:
        """Forget these paths. What begins after this is of another generation."""
        self.generation += 1
        for path in paths:
            if path in self._records:
                self._forget(path)

    def last(self, number: int) -> list[Record]:
        """Return the records written last, in the order in which they were first written."""
        return list(islice(reversed(self._records.values()), number))[::-1]

    def __len__(self) -> int:
        return len(self._records)

    def records(self) -> tuple[Record, ...]:
        """Return all records in the order in which they were first written."""
        return tuple(self._records.values())

    def below(self, path: str) -> list[Record]:
        """Return what lies below a path that has a record, in the order in which it was first written: all after it."""
        found: list[Record] = []
        for record in reversed(self._records.values()):
            if record.path == path:
                break
            if record.path.startswith(inside(path)):
                found.append(record)
        return found[::-1]

    def since(self, revision: int) -> list[Record]:
        """Return the records changed after a revision, the oldest change first."""
        changed = (record for record in self._records.values() if record.revision > revision)
        return sorted(changed, key=lambda record: record.revision)

    def claiming(self) -> list[Record]:
        """Return the records of steps that hold locks or wait for them."""
        return [self._records[path] for path in self._claiming]

    def halts(self) -> list[tuple[str, Halt]]:
        """Return the halts that calls wait for to be lifted, each with the call's path."""
        notes = (self._records[path].halted for path in self._halted)
        return [(note.path, halt) for note in notes if note is not None for halt in note.halts]

    def _put(self, record: Record) -> None:
        self.revision += 1
        self._keep(record.model_copy(update={"revision": self.revision}))

    def _keep(self, record: Record) -> None:
        known = self._records.get(record.path)
        if known is None:
            self._below.setdefault(_parent(record.path), {})[record.path] = None
        self.done += (record.status in SETTLED) - (known is not None and known.status in SETTLED)
        self._records[record.path] = record
        if record.locks is not None and record.locks.state in CLAIMING:
            self._claiming[record.path] = None
        else:
            self._claiming.pop(record.path, None)
        if record.halted is not None and record.halted.state == "waiting":
            self._halted[record.path] = None
        else:
            self._halted.pop(record.path, None)

    def _forget(self, path: str) -> None:
        self.done -= self._records.pop(path).status in SETTLED
        del self._below[_parent(path)][path]
        self._claiming.pop(path, None)
        self._halted.pop(path, None)


def _approved(records: Iterable[Record], standing: Iterable[str]) -> Iterator[str]:
    """Yield the paths of the plans that these effects are of, and where people approved them."""
    for record in records:
        around = inside(_parent(record.path))
        if record.kind == PLANNING and ASSENT in (record.output or {}):
            yield from (record.path, record.output[ASSENT]) if any(one.startswith(around) for one in standing) else ()


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
