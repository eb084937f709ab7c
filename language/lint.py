"""Check files and folders of missions and return what is wrong with them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from contracts.step import Place
from contracts.workspace import Workspace
from language.finding import Finding, Rejected, in_order
from language.freeze import freeze
from language.inside import check_addresses
from language.loader import load_mission
from language.signatures import WhyUnsigned, check_mission, check_policies
from language.workspace import load_workspace

MISSION = "mission.yaml"


def lint(
    paths: Iterable[Path], root: Path, hosts: Iterable[str] = (), why_unsigned: WhyUnsigned | None = None
) -> list[Finding]:
    """Return the findings of all missions in some files and folders, read in the workspace at `root`.

    A workspace that cannot be used has its own findings, and those of missions have to wait. `hosts` may be called
    beside those that it allows; `why_unsigned` says what lacks a signature, where the workspace wants any.
    """
    try:
        workspace = load_workspace(root).allowing(hosts)
        judge = why_unsigned if workspace.security.require_signed else None
        found = [*check_addresses(root, workspace), *(check_policies(root, workspace, judge) if judge else ())]
    except Rejected as rejected:
        return list(rejected.findings)
    return list(in_order([*found, *(one for path in paths for one in lint_path(path, workspace, judge))]))


def lint_path(path: Path, workspace: Workspace, judge: WhyUnsigned | None) -> Iterator[Finding]:
    """Yield the findings of a mission's file, or of each one below a folder."""
    if not path.is_dir():
        yield from lint_file(path, workspace, judge)
        return
    files = sorted(path.rglob(MISSION))
    if not files:
        place = Place(file=str(path), line=1, column=1)
        yield Finding("FILE", f"there is no {MISSION} below {path}", place, "name a mission's file or its folder")
    for file in files:
        yield from lint_file(file, workspace, judge)


def lint_file(path: Path, workspace: Workspace, judge: WhyUnsigned | None) -> tuple[Finding, ...]:
    try:
        definition = load_mission(path, workspace)
        return tuple(check_mission(path, freeze(definition, workspace), workspace, judge)) if judge else ()
    except Rejected as rejected:
        return rejected.findings
