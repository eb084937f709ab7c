"""`gonogo lint`: every finding of every definition, one a line. The checks themselves are `language/`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.escape import visible
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, REFUSED, Usage

if TYPE_CHECKING:
    from language.finding import Finding

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH...", help="Workspaces or mission files.", show_default=False)
]


def lint(paths: Paths, *, as_json: Json = False) -> int:
    """Check definitions and say what is wrong, where."""
    from language.lint import lint as check

    findings = list(dict.fromkeys(finding for path in paths for finding in check([path], workspace_of(path))))
    if as_json:
        document([plain_finding(finding) for finding in findings])
    elif findings:
        sys.stdout.write("".join(f"{visible(str(finding))}\n" for finding in findings))
        console(error=True).print("`gonogo finding CODE` says more", style="dim")
    else:
        console().print("no findings", style="dim")
    return REFUSED if findings else DONE


def workspace_of(path: Path) -> Path:
    """Return the nearest folder at or above a path that has agents.yaml, else the workspace of the environment."""
    if not path.exists():
        raise Usage(f"there is no {path}")
    above = (folder for folder in (path.absolute(), *path.absolute().parents) if (folder / "agents.yaml").is_file())
    return next(above, settings().workspace)


def plain_finding(finding: "Finding") -> dict[str, object]:
    """Return a finding as programs read it."""
    place = finding.place
    where = {"file": place.file, "line": place.line, "column": place.column}
    return {**where, "code": finding.code, "message": finding.message, "mend": finding.mend}
