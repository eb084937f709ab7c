"""Where a step stands in its mission: the lists on the way to it, what lies behind it, what lies before.

Pure, from the definition and the journal alone. Steps inside a race, a canary, a plan or a party are parts of that
step: whoever means them names it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from contracts.definition import (
    ActionStep,
    AgentStep,
    ConditionStep,
    GateStep,
    GroupStep,
    LoopStep,
    MapStep,
    ParallelStep,
    ReviewStep,
    Step,
    Target,
)
from contracts.record import STANDING, inside
from language.name import nearest
from language.steps import failure_targets, kind_targets
from workflows.interpreter.journal import Journal
from workflows.interpreter.scope import Scope

SEGMENT = re.compile(r"(?P<name>[^\[#/]+)(?P<rest>(?:\[[^\]/]*\]|#\d+)*)")
PART = re.compile(r"\[([^\]]*)\]|#(\d+)")
BOUNDARY = re.compile(r"[/\[#]")
FAILED = {"failed", "cancelled"}
WAYS = {"on_failure", "on_max", "on_stall"}
"""Parts of a path that name no step but a way out of one."""


class Unknown(Exception):
    """A path that names no step which a command can be about, with the reason."""


@dataclass(frozen=True)
class Level:
    """One list on the way to a step: the path that it is run below, its steps, and the one that leads on.

    `apart`: its steps are branches, which do not follow on each other. `rest` is what the path says of rounds, items
    and attempts, such as `[3]` or `#2`.
    """

    parent: str
    steps: tuple[Step, ...]
    step: Step
    rest: str = ""
    apart: bool = False

    @property
    def path(self) -> str:
        return _joined(self.parent, self.step.step)

    def behind(self) -> Iterator[Step]:
        """Yield the steps of the list that come only after this one."""
        if any(step.needs is not None for step in self.steps):
            yield from self._dependents()
        elif not self.apart:
            yield from self.steps[self.steps.index(self.step) + 1 :]

    def before(self) -> Iterator[Step]:
        """Yield the steps of the list that come before this one."""
        if any(step.needs is not None for step in self.steps):
            yield from self._needed()
        elif not self.apart:
            yield from self.steps[: self.steps.index(self.step)]

    def _dependents(self) -> Iterator[Step]:
        found = {self.step.step}
        for _ in self.steps:
            found |= {step.step for step in self.steps if found & set(step.needs or ())}
        yield from (step for step in self.steps if step.step in found and step is not self.step)

    def _needed(self) -> Iterator[Step]:
        by_name, wanted = {step.step: step for step in self.steps}, list(self.step.needs or ())
        found: set[str] = set()
        while wanted:
            name = wanted.pop()
            if name in by_name and name not in found:
                found.add(name)
                wanted += by_name[name].needs or ()
        yield from (step for step in self.steps if step.step in found)


@dataclass(frozen=True)
class Spot:
    """A step's place: its path, and the levels that lead there, the outermost first."""

    path: str
    levels: tuple[Level, ...]

    @property
    def step(self) -> Step:
        return self.levels[-1].step

    def around(self) -> Iterator[str]:
        """Yield the paths around the step, the innermost first: steps, attempts, rounds, items."""
        found = []
        for level in self.levels:
            found.append(level.path)
            found += [level.path + level.rest[: part.end()] for part in PART.finditer(level.rest)]
        yield from reversed([path for path in found if path != self.path])

    def behind(self, journal: Journal) -> list[str]:
        """Return the paths of records that are of the step itself or come only after it, in the journal's order."""
        records = [record.path for record in journal.records()]
        own = self.path
        gone = {path for path in records if path == own or path.startswith(inside(own))}
        for level in self.levels:
            for step in level.behind():
                later = _joined(level.parent, step.step)
                gone |= {path for path in records if path == later or path.startswith(inside(later))}
            gone |= {path for path in records if _later_round(path, level)}
        return [path for path in records if path in gone or self._abandoned(path, journal)]

    def _abandoned(self, path: str, journal: Journal) -> bool:
        """Whether a record is of a branch beside the way here that was cancelled with it, or of a way out of it."""
        beside = [one for level in self.levels for one in _beside(level, journal)]
        cancelled = [one.path for one in map(journal.get, beside) if one is not None and one.status == "cancelled"]
        heads = [level.path + rest for level in self.levels for rest in ("", *_attempts(level.rest))]
        ways = [f"{head}/{word}" for head in heads for word in WAYS]
        gone = (*cancelled, *(way for way in ways if not _within(self.path, way)))
        return any(_within(path, one) for one in gone)


def left_behind(journal: Journal) -> list[str]:
    """Return the paths of steps that failed or were stopped, may have acted, and will be walked again."""
    records = journal.records()
    stands = [one.path for one in records if one.status in FAILED and one.effect and one.effect.undo_status in STANDING]
    return [path for path in stands if not any(journal.settled(around) for around in _around(path))]


def _around(path: str) -> Iterator[str]:
    """Yield the paths around a path: every part of it."""
    yield from (path[: found.start()] for found in BOUNDARY.finditer(path))


def _attempts(rest: str) -> Iterator[str]:
    """Yield what a path says up to each of its attempts."""
    yield from (rest[: part.end()] for part in PART.finditer(rest) if part[2])


def _beside(level: Level, journal: Journal) -> Iterator[str]:
    """Yield the paths of other steps of a list, and of other items of a map."""
    yield from (_joined(level.parent, step.step) for step in level.steps if step is not level.step)
    head, bracket, _ = level.rest.rpartition("[")
    if bracket and isinstance(level.step, MapStep):
        items, here = f"{level.path}{head}[", level.path + level.rest
        paths = (record.path for record in journal.records() if record.kind == "item")
        yield from (path for path in paths if path.startswith(items) and path != here)


def spot(named: str, scope: Scope) -> Spot:
    """Return the place of a step, by its path or, where that is clear, by its name."""
    definition, called = scope.plan.definition, scope.called
    if "/" not in named and named in scope.by_name and scope.journal.get(named) is None:
        named = _only(named, scope)
    own = tuple(step for step in definition.steps if step.step not in called)
    levels: list[Level] = []
    lists: list[tuple[tuple[Step, ...], bool]] = [(own, False)]
    parent = ""
    for segment in named.split("/"):
        if segment in WAYS and levels:
            parent = _joined(parent, segment)
            continue
        found = SEGMENT.fullmatch(segment)
        level = _level(found["name"], found["rest"], parent, lists) if found else None
        if level is None:
            raise Unknown(_nothing(named, levels, scope))
        levels.append(level)
        parent = _joined(parent, segment)
        lists = list(_lists(level.step, scope))
    return Spot(named, tuple(levels))


def _level(name: str, rest: str, parent: str, lists: Iterable[tuple[tuple[Step, ...], bool]]) -> Level | None:
    for steps, apart in lists:
        for step in steps:
            if step.step == name:
                return Level(parent, steps, step, rest, apart)
    return None


def _lists(step: Step, scope: Scope) -> Iterator[tuple[tuple[Step, ...], bool]]:
    """Yield the lists that a step runs below its own path, and whether their steps are branches."""
    match step:
        case ParallelStep():
            yield tuple(one for one in step.parallel if one.step not in scope.called), True
        case GroupStep():
            yield tuple(one for one in step.steps if one.step not in scope.called), False
        case AgentStep() | ActionStep() | GateStep() | ReviewStep() | ConditionStep() | LoopStep() | MapStep():
            yield from (_target(target, scope) for target in kind_targets(step).values())
        case _:
            pass
    yield from (_target(target, scope) for target in failure_targets(step).values())


def _target(target: Target, scope: Scope) -> tuple[tuple[Step, ...], bool]:
    if isinstance(target, str):
        return ((scope.by_name[target],) if target in scope.by_name else ()), False
    return tuple(one for one in target if one.step not in scope.called), False


def _only(name: str, scope: Scope) -> str:
    """Return the one path that a step has, or will have."""
    records = [record.path for record in scope.journal.records() if not record.path.startswith("override[")]
    alike = [path for path in records if _last(path) == name]
    paths = alike or sorted(set(_written(scope.plan.definition.steps, "", scope, name)))
    if len(paths) == 1:
        return paths[0]
    if not paths:
        raise Unknown(f"{name} is inside a step that has no path yet; name that step")
    raise Unknown(f"{name} may be {' or '.join(paths[:5])}: write the whole path")


def _written(steps: tuple[Step, ...], parent: str, scope: Scope, name: str) -> Iterator[str]:
    """Yield the paths below which a name is written, where no round, item or attempt stands between."""
    for step in steps:
        path = _joined(parent, step.step)
        if step.step == name and (step.step not in scope.called or parent):
            yield path
        if not isinstance(step, LoopStep | MapStep) and step.retry is None:
            for inner, _ in _lists(step, scope):
                yield from _written(inner, path, scope, name)


def _later_round(path: str, level: Level) -> bool:
    """Whether a path is of a later round of a loop, or a later attempt, than the one that leads on."""
    parts = list(PART.finditer(level.rest))
    for part in parts:
        head = level.path + level.rest[: part.start()]
        if not path.startswith(head):
            continue
        other = PART.match(path, len(head))
        if other is None or other[0][0] != part[0][0]:
            continue
        number, mine = other[1] or other[2], part[1] or part[2]
        counted = part[0][0] == "#" or isinstance(level.step, LoopStep)
        if counted and number.isdigit() and mine.isdigit() and int(number) > int(mine):
            return True
    return False


def _nothing(named: str, levels: list[Level], scope: Scope) -> str:
    if levels:
        return f"{named[:200]} names no step that a command can be about; name {levels[-1].path} as a whole"
    meant = nearest(named, scope.by_name)
    if meant:
        return f"this mission has no step {named[:200]!r}; did you mean {meant!r}?"
    known = ", ".join(step.step for step in scope.plan.definition.steps[:20])
    return f"this mission has no step {named[:200]!r}; it has {known}"


def _within(path: str, around: str) -> bool:
    return path == around or path.startswith(inside(around))


def _last(path: str) -> str:
    found = SEGMENT.match(path.rsplit("/", 1)[-1])
    return path.rsplit("/", 1)[-1] if found is None or found["rest"] else found["name"]


def _joined(parent: str, name: str) -> str:
    return f"{parent}/{name}" if parent else name
