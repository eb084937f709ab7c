"""Where control goes, in words that people read before they decide."""

from contracts.definition import Target
from contracts.step import ABORT, CONTINUE, ESCALATE


def way(target: Target) -> str:
    """Return what follows a target of a definition."""
    if not isinstance(target, str):
        follows = "follows" if len(target) == 1 else "follow"
        return f"{', '.join(step.step for step in target)} {follows}, and the mission goes on"
    known = {
        CONTINUE: "the mission goes on without it",
        ABORT: "the mission is aborted, and what it did is undone",
        ESCALATE: "people are asked how to go on",
    }
    return known.get(target, f"{target} follows, and the mission goes on")
