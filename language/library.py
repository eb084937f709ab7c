"""The missions that a mission starts: found by name in its workspace, loaded with all their own checks, each once.

The law: what cannot run by itself is no child; a mission never comes round to itself; and what a mission may use,
counted with everything that it starts, is known before it runs. The other halves: `checks/missions.py`, `freeze.py`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from contracts.definition import Definition, MissionStep
from contracts.workspace import Workspace
from language.finding import Finding, Rejected
from language.name import MISSION, nearest
from language.named import used
from language.steps import every_step

FILE = "mission.yaml"
DEEPEST = 5
"""Missions below each other."""


@dataclass(frozen=True)
class Unusable:
    """Why a name stands for no mission that could be started: a code, a sentence, what to do instead."""

    code: str
    message: str
    mend: str


class Uses(NamedTuple):
    """The agents and the tools that something names."""

    agents: frozenset[str]
    tools: frozenset[str]


Load = Callable[[Path, Workspace, "Library"], Definition]


class Library:
    """Loads missions of a workspace for those that start them."""

    def __init__(self, workspace: Workspace, load: Load) -> None:
        self._workspace = workspace
        self._load = load
        self._known: dict[str, Definition | Unusable] = {}
        self._open: list[str] = []

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """Know, while a mission is read, that it may not be started from within."""
        self._open.append(name)
        try:
            yield
        finally:
            self._open.pop()

    def find(self, name: str) -> Definition | Unusable:
        """Return a mission by its name, or why it cannot be had."""
        if name in self._open:
            way = " → ".join([*self._open[self._open.index(name) :], name])
            return Unusable("CYCLE", f"the mission comes round to itself: {way}", "let none of them start one above it")
        if len(self._open) > DEEPEST:
            message = f"more than {DEEPEST} missions start each other: {' → '.join(self._open)}"
            return Unusable("MISSION_REFUSED", message, "let one of them do the work itself")
        if name not in self._known:
            self._known[name] = self._found(name)
        return self._known[name]

    def _found(self, name: str) -> Definition | Unusable:
        root = Path(self._workspace.root)
        if not MISSION.fullmatch(name) or not (root / name / FILE).is_file():
            known = sorted(file.parent.name for file in root.glob(f"*/{FILE}"))
            meant = nearest(name, known)
            mend = f"did you mean '{meant}'?" if meant else f"known here: {', '.join(known) or 'none'}"
            return Unusable("UNKNOWN_MISSION", f"unknown mission '{name[:80]}'", mend)
        try:
            return self._load(root / name / FILE, self._workspace, self)
        except Rejected as rejected:
            return _refused(name, rejected.findings)

    def started(self, definition: Definition) -> dict[str, "Family | Unusable"]:
        """Return the missions that a mission's own steps start, each with those that it starts in turn."""
        with self.reading(definition.mission):
            found = {step.mission: self.find(step.mission) for step in starts(definition) if step.mission}
            return {name: one if isinstance(one, Unusable) else self.family(one) for name, one in found.items()}

    def family(self, definition: Definition) -> "Family":
        """Return a mission and those that it starts in turn, each once."""
        seen = {definition.mission: definition}
        waiting = [definition]
        while waiting:
            for step in starts(waiting.pop()):
                child = self.find(step.mission)
                if isinstance(child, Definition) and child.mission not in seen:
                    seen[child.mission] = child
                    waiting.append(child)
        return tuple(seen.values())


Family = tuple[Definition, ...]
"""A mission first, and after it those that it starts in turn."""


def excess(step: MissionStep, family: Family, parent: Definition, workspace: Workspace) -> Uses:
    """Return what the child of a step uses, counted with all that it starts, and its parent does not allow."""
    allowed = used(parent, workspace) if step.allow is None else (step.allow.agents, step.allow.tools)
    child = [used(one, workspace) for one in family]
    agents, tools = (frozenset().union(*(one[kind] for one in child)) - set(allowed[kind]) for kind in (0, 1))
    return Uses(agents, tools)


def starts(definition: Definition) -> Iterator[MissionStep]:
    """Yield the steps that start missions."""
    return (step for step in every_step(definition) if isinstance(step, MissionStep))


def _refused(name: str, findings: tuple[Finding, ...]) -> Unusable:
    more = f", and {len(findings) - 1} more" if len(findings) > 1 else ""
    first = findings[0]
    at = f"line {first.place.line}"
    message = f"the mission '{name}' is refused itself: {first.code} in {at} ({first.message}){more}"
    return Unusable("MISSION_REFUSED", message, f"mend it first: gonogo lint shows all of '{name}'")
