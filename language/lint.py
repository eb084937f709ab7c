"""Check files and folders of missions and return what is wrong with them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from contracts.step import Place
from contracts.workspace import PeopleFile, Workspace
from language.finding import Finding, Rejected, in_order
from language.loader import load_mission
from language.workspace import load_workspace

MISSION = "mission.yaml"


def lint(paths: Iterable[Path], root: Path, registered: PeopleFile | None = None) -> list[Finding]:
    """Return the findings of all missions in some files and folders, read in the workspace at `root`.

    A workspace that cannot be used has its own findings, and those of missions have to wait.
    """
    try:
        workspace = load_workspace(root, registered)
    except Rejected as rejected:
        return list(rejected.findings)
    return list(in_order(finding for path in paths for finding in lint_path(path, workspace)))


def lint_path(path: Path, workspace: Workspace) -> Iterator[Finding]:
    """Yield the findings of a mission's file, or of each one below a folder."""
    if not path.is_dir():
        yield from lint_file(path, workspace)
        return
    files = sorted(path.rglob(MISSION))
    if not files:
        place = Place(file=str(path), line=1, column=1)
        yield Finding("FILE", f"there is no {MISSION} below {path}", place, "name a mission's file or its folder")
    for file in files:
        yield from lint_file(file, workspace)


def lint_file(path: Path, workspace: Workspace) -> tuple[Finding, ...]:
    try:
        load_mission(path, workspace)
    except Rejected as rejected:
        return rejected.findings
    return ()
