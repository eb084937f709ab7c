"""The terms on which members come together: what one needs of another, and what another offers.

In a reason they stand in square brackets, `[need mitigation:M2]`, `[offer shift:3]`, `[no value]`, so that people read
them and agents do too. The law: an offer counts from whoever can keep it, the CTO for mitigations, the CFO for a later
start, or from the facilitator; whatever else stands in a text is only text.
"""

import re
from dataclasses import dataclass, field
from typing import Any

TERM = re.compile(r"\[(need|offer) (mitigation|shift):([A-Za-z0-9_.-]{1,40})\]")
CLOSED = re.compile(r"\[no (value|gain)\]")
KEEPERS = {"mitigation": "cto", "shift": "cfo"}


@dataclass(frozen=True)
class Terms:
    """What has been said so far: mitigations and months of delay that are needed, and those that are offered."""

    needed: frozenset[str] = frozenset()
    offered: frozenset[str] = frozenset()
    delay_needed: int = 0
    delay_offered: int = 0
    said_by: dict[str, str] = field(default_factory=dict)
    """Who said each term last, for answering them."""
    closed_by: str = ""
    """Who last said, and stands by it, that there is no value or no gain in it at all."""


def terms(transcript: list[dict[str, Any]]) -> Terms:
    """Read the terms out of a transcript. Of the months that one member names, the last word counts."""
    needed: dict[str, set[str]] = {}
    closed: dict[str, bool] = {}
    offered: set[str] = set()
    delays = {"need": 0, "offer": 0}
    said_by: dict[str, str] = {}
    for entry in transcript:
        text = "\n".join([*entry.get("reasons", ()), entry.get("text", "")])
        found = TERM.findall(text)
        needs = {name for verb, kind, name in found if (verb, kind) == ("need", "mitigation")}
        if "position" in entry:
            needed[entry["by"]] = needs
            closed[entry["by"]] = bool(CLOSED.search(text))
        for verb, kind, name in found:
            keeper = entry.get("facilitator") or entry["by"] == KEEPERS[kind]
            if verb == "offer" and not keeper:
                continue
            said_by[f"{verb} {kind}"] = entry["by"]
            if kind == "shift" and name.isdecimal():
                delays[verb] = int(name)
            elif verb == "offer":
                offered.add(name)
    return Terms(
        frozenset().union(*needed.values()),
        frozenset(offered),
        delays["need"],
        delays["offer"],
        said_by,
        next((name for name, no in reversed(closed.items()) if no), ""),
    )
