"""Which alert the demo sends: the default one, or what ALERT names."""

import os
from pathlib import Path

from starter.problem import Usage

MISSION = "incident_triage"
DEFAULT = "beaconing_workstation"


def chosen(workspace: Path) -> Path:
    """Return the file of the alert: ALERT is a file, or the name of one that the workspace ships."""
    folder = workspace / MISSION / "alerts"
    asked = os.environ.get("ALERT") or DEFAULT
    for file in (Path(asked), folder / asked, folder / f"{asked}.json"):
        if file.is_file():
            return file
    known = ", ".join(sorted(file.stem for file in folder.glob("*.json"))) or f"none in {folder}"
    raise Usage(f"there is no alert {asked!r}: ALERT names a file, or one of {known}")
