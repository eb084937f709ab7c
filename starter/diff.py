"""`gonogo diff`: what changes in meaning between two missions. What it finds is `language/difference.py`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from starter.mission_file import read_mission
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, REFUSED

if TYPE_CHECKING:
    from pydantic import JsonValue

    from language.difference import Change

Before = Annotated[Path, typer.Argument(metavar="BEFORE", help="A mission's file or folder.", show_default=False)]
After = Annotated[Path, typer.Argument(metavar="AFTER", help="Another one.", show_default=False)]
TITLES = {
    "authority": "Who is asked",
    "effect": "What happens to the world",
    "flow": "Where control goes",
    "work": "What is done",
    "words": "Words",
}
SIGNS = {"added": "+", "removed": "-", "moved": ">", "changed": "~"}
LONGEST = 300


def diff(before: Before, after: After, *, as_json: Json = False) -> int:
    """Say what changes in meaning from one mission to another."""
    from language.difference import contracts, difference, risks

    old, here = read_mission(before)
    new, there = read_mission(after)
    found = (*difference(old, new), *contracts(old, here, new, there), *risks(old, here, new, there))
    if as_json:
        document(found)
    elif found:
        sys.stdout.write(worded(found))
    else:
        console().print("no difference in meaning", style="dim")
    return REFUSED if found else DONE


def worded(changes: "tuple[Change, ...]") -> str:
    """Return changes as lines, the gravest first."""
    lines = []
    for about, title in TITLES.items():
        own = [line for change in changes if change.about == about for line in told(change)]
        lines += [title, *(f"  {line}" for line in own)] if own else []
    return "\n".join(lines) + "\n"


def told(change: "Change") -> list[str]:
    """Return one change as lines: a step that comes or goes with its keys, a key with both its values."""
    sign = SIGNS[change.happened]
    subject = f"step {shown(change.step)}" if change.step else "the mission"
    match change.happened:
        case "moved":
            return [f"{sign} {subject} moved: {shown(change.before)} → {shown(change.after)}"]
        case "changed":
            return [f"{sign} {subject}: {shown(change.key)}: {shown(change.before)} → {shown(change.after)}"]
        case _:
            keys = change.before if change.happened == "removed" else change.after
            rest = (
                [f"    {shown(key)}: {shown(value)}" for key, value in keys.items()] if isinstance(keys, dict) else []
            )
            return [f"{sign} {subject} {change.happened}", *rest]


def shown(value: "JsonValue") -> str:
    """Return a value in one line."""
    from starter.escape import visible

    text = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = visible(" ".join(text.split()))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text) - LONGEST:,} more characters)"
