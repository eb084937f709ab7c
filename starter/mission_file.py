"""Load the mission that a person names by its file or its folder, or say what is wrong with it."""

from pathlib import Path
from typing import TYPE_CHECKING

from starter.lint import workspace_of
from starter.problem import Refused

if TYPE_CHECKING:
    from contracts.definition import Definition
    from contracts.workspace import Workspace


def read_mission(path: Path) -> "tuple[Definition, Workspace]":
    """Return a mission and its workspace. One with findings is `Refused`, with its first finding."""
    from language.finding import Rejected
    from language.lint import MISSION
    from language.loader import load_mission
    from language.workspace import load_workspace

    root = workspace_of(path)
    try:
        workspace = load_workspace(root)
        return load_mission(path / MISSION if path.is_dir() else path, workspace), workspace
    except Rejected as rejected:
        more = f"; `gonogo lint {path}` shows all {len(rejected.findings)}" if len(rejected.findings) > 1 else ""
        raise Refused(f"{rejected.findings[0]}{more}") from None
