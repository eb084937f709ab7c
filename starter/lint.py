"""`gonogo lint`: every finding of every definition, one a line. The checks themselves are `language/`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import settings
from starter.escape import visible
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, REFUSED, Refused, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from contracts.workspace import PeopleFile
    from language.finding import Finding

Paths = Annotated[
    list[Path], typer.Argument(metavar="PATH...", help="Workspaces or mission files.", show_default=False)
]


def lint(paths: Paths, *, as_json: Json = False) -> int:
    """Check definitions and say what is wrong, where."""
    from language.lint import lint as check

    hosts = settings().allow_hosts
    findings = list(
        dict.fromkeys(one for path in paths for one in check([path], workspace_of(path), hosts, _why_unsigned))
    )
    if as_json:
        document([plain_finding(finding) for finding in findings])
    elif findings:
        sys.stdout.write("".join(f"{visible(str(finding))}\n" for finding in findings))
        console(error=True).print("`gonogo finding CODE` says more", style="dim")
    else:
        console().print("no findings", style="dim")
    if not as_json:
        for folder in dict.fromkeys(workspace_of(path) for path in paths):
            _warn(folder)
    return REFUSED if findings else DONE


def _why_unsigned(
    required: "Sequence[str]", given: "Iterable[Mapping[str, Any]]", what: str, digest: str, people: "PeopleFile"
) -> str:
    """Return why something may not run that has to be signed, by the people here with the keys that are registered."""
    from activities.keys import KeyRefused, registered
    from activities.signature import why_unsigned

    try:
        return why_unsigned(required, given, what, digest, people.merged(registered(settings().home)))
    except KeyRefused as error:
        raise Refused(str(error)) from None


def _warn(workspace: Path) -> None:
    """Say that a tool may change unnoticed."""
    if (workspace / "tools.yaml").is_file() and not (workspace / "pins.yaml").is_file():
        told = (
            f"{visible(str(workspace))} has no pins.yaml: a tool that its server describes otherwise is not noticed; "
        )
        console(error=True).print(f"{told}`gonogo admit` pins what tools are", style="yellow", markup=False)


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
