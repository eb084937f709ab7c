"""`gonogo new`: a folder with a mission that lints clean. What stands in it is `language/scaffold.py`."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from contracts.workspace import Workspace

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Its name: small letters, digits, _ and -.", show_default=False)
]
SHIPPED = Path("docs") / "language" / "mission.schema.json"
COPY = "mission.schema.json"


def new(name: Name) -> int:
    """Write a mission to start from, which lints clean."""
    from language.name import MISSION
    from language.scaffold import scaffold

    if not MISSION.fullmatch(name):
        raise Usage(
            f"{name!r} is no name for a mission; use small letters, digits, '_' and '-', a letter first, at most 64"
        )
    root = settings().workspace
    begun = begin_policies(root)
    workspace = known(root)
    folder = root / name
    files = scaffold(name, workspace, schema_from(root, folder))
    try:
        folder.mkdir()
    except FileExistsError:
        raise Refused(f"there is a {folder} already; choose another name") from None
    except OSError as error:
        raise Refused(f"cannot make {folder}: {error.strerror}") from None
    for file, text in files.items():
        (folder / file).write_text(text, encoding="utf-8")
    keep_schema(root)
    sys.stdout.write("".join(f"{file}\n" for file in (*begun, *(folder / file for file in files))))
    return DONE


def begin_policies(root: Path) -> list[Path]:
    """Write the first policies of a workspace that has none, since without them nothing is permitted."""
    from language.policies import FOLDER
    from language.scaffold import policies

    if not (root / "agents.yaml").is_file() or (root / FOLDER).exists():
        return []
    try:
        (root / FOLDER).mkdir()
        for file, text in policies().items():
            (root / FOLDER / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"cannot write {root / FOLDER}: {error.strerror}") from None
    return [root / FOLDER / file for file in policies()]


def known(root: Path) -> "Workspace":
    """Return a workspace in which a mission can be made: one that can be used, with an agent."""
    from language.finding import Rejected
    from language.workspace import load_workspace

    try:
        workspace = load_workspace(root)
    except Rejected as rejected:
        raise Refused(f"{rejected.findings[0]}; a mission needs a workspace, see GONOGO_WORKSPACE") from None
    if not workspace.agents:
        raise Refused(f"{root / 'agents.yaml'} names no agent that a mission could use; add one")
    return workspace


def schema_from(root: Path, folder: Path) -> str:
    """Return where a mission's editor finds the schema: the shipped one, or a copy in a workspace of one's own."""
    schema = shipped(root)
    return Path(os.path.relpath(schema if schema.is_file() else root.absolute() / COPY, folder.absolute())).as_posix()


def shipped(root: Path) -> Path:
    return root.absolute().parent / SHIPPED


def keep_schema(root: Path) -> None:
    """Write the copy that missions of a workspace of one's own lead to."""
    from language.mission_schema import as_text

    if not shipped(root).is_file():
        (root / COPY).write_text(as_text(), encoding="utf-8")
