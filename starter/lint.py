"""`gonogo lint`: every finding of every definition, one a line. The checks themselves are `language/`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, REFUSED, Usage

if TYPE_CHECKING:
    from contracts.workspace import PeopleFile
    from language.finding import Finding

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH...", help="Workspaces or mission files.", show_default=False)
]


def lint(paths: Paths, *, as_json: Json = False) -> int:
    """Check definitions and say what is wrong, where."""
    files = [file for path in paths for file in missions(path)]
    findings = list(dict.fromkeys(finding for root, file in files for finding in check(root, file)))
    if as_json:
        document([_plain(finding) for finding in findings])
    elif findings:
        sys.stdout.write("".join(f"{finding}\n" for finding in findings))
    else:
        console().print(f"{len(files)} mission{'s' if len(files) != 1 else ''}, no findings", style="dim")
    return REFUSED if findings else DONE


def missions(path: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each mission file that a path means, after the workspace that it is read in."""
    if not path.exists():
        raise Usage(f"there is no {path}")
    if path.is_file():
        yield _workspace_of(path), path
        return
    if (path / "mission.yaml").is_file():
        yield _workspace_of(path / "mission.yaml"), path / "mission.yaml"
        return
    found = sorted(path.glob("*/mission.yaml"))
    if not found:
        raise Usage(f"there is no mission in {path}: a mission is a folder with a mission.yaml")
    for file in found:
        yield path, file


def _workspace_of(file: Path) -> Path:
    """Return the nearest folder above a mission that has agents.yaml, else the workspace of the environment."""
    above = (folder for folder in file.absolute().parents if (folder / "agents.yaml").is_file())
    return next(above, settings().workspace)


def check(root: Path, file: Path) -> "tuple[Finding, ...]":
    """Return the findings of a mission in its workspace; those of the workspace itself come first and alone."""
    from language.workspace import load_workspace

    from language.finding import Rejected
    from language.loader import load_mission

    try:
        load_mission(file, load_workspace(root, _nobody()))
    except Rejected as rejected:
        return rejected.findings
    return ()


def _nobody() -> "PeopleFile":
    """Whether a definition is right does not depend on who has a key here."""
    from contracts.workspace import PeopleFile

    return PeopleFile()


def _plain(finding: "Finding") -> dict[str, object]:
    place = finding.place
    where = {"file": place.file, "line": place.line, "column": place.column}
    return {**where, "code": finding.code, "message": finding.message, "mend": finding.mend}
