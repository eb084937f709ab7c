"""`gonogo lint`: every finding of every definition, one a line. The checks themselves are `language/`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.options import Json
from starter.output import document
from starter.problem import DONE, REFUSED, Usage

if TYPE_CHECKING:
    from language.finding import Finding

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH...", help="Workspaces or mission files.", show_default=False)
]


def lint(paths: Paths, *, as_json: Json = False) -> int:
    """Check definitions: file:line:column: CODE what is wrong and what to write instead."""
    findings = [finding for path in paths for finding in check(path)]
    if as_json:
        document([_plain(finding) for finding in findings])
    else:
        _tell(findings, paths)
    return REFUSED if findings else DONE


def check(path: Path) -> "list[Finding]":
    """Return the findings of a workspace with all its missions, or of one mission file in its workspace."""
    from language.loader import load_mission
    from language.workspace import load_workspace

    if not path.exists():
        raise Usage(f"there is no {path}")
    files, root = _missions(path)
    workspace, findings = load_workspace(root, None)
    found = list(findings)
    for file in files:
        found += load_mission(file, workspace)[1]
    return found
