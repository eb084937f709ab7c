"""A policy that permits everything, for tests that are about something else. Nothing in the product has one."""

import shutil
from pathlib import Path

from activities.people import Directory
from activities.policy import Policy

HOUSE = Path(__file__).parent / "open"
OPEN = Policy(HOUSE, Directory(), {}, {})


def permit_all(root: Path) -> Path:
    """Let a small workspace's own policies permit everything."""
    shutil.copytree(HOUSE / "policies", root / "policies", dirs_exist_ok=True)
    return root
