"""From a file to what came of it: read the script, hold it against its mission, play it, compare."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from contracts.plan import Plan
from contracts.step import Place
from contracts.workspace import Workspace
from language.admitted import Ask
from language.finding import Finding, Rejected
from language.freeze import freeze
from language.lint import MISSION
from language.loader import load_mission
from rehearsal.check import check
from rehearsal.compare import Difference, compare
from rehearsal.play import Performance, Watch, play
from rehearsal.read import read_rehearsal
from rehearsal.script import Rehearsal

FOLDER = "rehearsals"


@dataclass(frozen=True)
class Result:
    """One rehearsal: what is wrong with its file, or what came of it and how that differs from what was expected."""

    file: Path
    script: Rehearsal | None = None
    findings: tuple[Finding, ...] = ()
    came: Performance | None = None
    differences: tuple[Difference, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.findings and not self.differences


class Rehearser:
    """Rehearses the missions of one workspace; each mission is loaded once.

    `policy` answers what is asked of plans that agents make; without it they are not held against policy.
    """

    def __init__(self, workspace: Workspace, *, invents: bool = False, policy: Ask | None = None) -> None:
        self._policy = policy
        self._workspace = workspace
        self._invents = invents
        self._plan = cache(self._load)

    def rehearse(self, file: Path, watch: Watch | None = None) -> Result:
        """Rehearse one file. `watch` is shown the mission whenever it changes."""
        try:
            script = read_rehearsal(file, Path(self._workspace.root))
            plan = self._plan(mission_of(file))
        except Rejected as rejected:
            return Result(file, findings=rejected.findings)
        findings = tuple(check(script, plan, self._workspace.people))
        if findings:
            return Result(file, script, findings)
        people = self._workspace.people
        came = play(plan, script, people, watch, invents=self._invents, policy=self._policy)
        if came.unanswered:
            return Result(file, script, (came.unanswered,), came)
        return Result(file, script, came=came, differences=tuple(compare(script, came)))

    def _load(self, mission: Path) -> Plan:
        return freeze(load_mission(mission, self._workspace), self._workspace)


def find(path: Path) -> Iterator[Path]:
    """Yield the rehearsals that a path stands for: a file's own, a mission's, or all below a folder."""
    if path.is_dir():
        yield from sorted(path.rglob(f"{FOLDER}/*.yaml"))
        if path.name == FOLDER:
            yield from sorted(path.glob("*.yaml"))
    elif path.name == MISSION:
        yield from sorted((path.parent / FOLDER).glob("*.yaml"))
    else:
        yield path


def mission_of(file: Path) -> Path:
    """Return the mission that a rehearsal belongs to. Raises `Rejected` where none is."""
    mission = file.parent.parent / MISSION
    if file.parent.name != FOLDER or not mission.is_file():
        place = Place(file=str(file), line=1, column=1)
        mend = f"put it at {FOLDER}/NAME.yaml beside the {MISSION}"
        raise Rejected([Finding("FILE", "this rehearsal belongs to no mission", place, mend)])
    return mission
