"""The UX researcher: how grave each need is in the words of those who have it.

Law: severity goes from 0 to 4, grows with how badly people were stopped and with how many were, and taking a finding
away never raises it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.create_prd.words import likeness, stems, vector

STOPPED = {"failed": 4.0, "workaround": 2.0, "done": 1.0}
LONG = 15
"""Minutes lost from which on a finding counts one grade more."""
GRAVEST = 4.0
HEARD = 0.15
"""A finding that is at least this like a need, 0 to 1, is about it."""
MOST_QUOTES = 3


async def listen(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Sort the findings by need and grade each need."""
    del tools
    interviews, needs = call.context["interviews"], call.context["needs"]["needs"]
    rows, unheard = graded(needs, interviews)
    for row in rows:
        observe(f"{row['id']}: severity {row['severity']:.1f} by {row['people']} people", source="interviews")
    for said in unheard:
        observe(f"No ticket tells of this: {said}", source="interviews", kind="question")
    return {"grades": rows, "unheard": unheard, "people": len(interviews)}


def graded(
    needs: Sequence[Mapping[str, Any]], interviews: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return a grade for each need, and what was said about none of them."""
    heard: dict[str | None, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = defaultdict(list)
    for interview in interviews:
        for finding in interview["findings"]:
            heard[about(finding["said"], needs)].append((interview, finding))
    rows = [_graded(need["id"], heard[need["id"]], len(interviews)) for need in needs]
    return rows, sorted(finding["said"] for _, finding in heard[None])


def _graded(need: str, heard: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], asked: int) -> dict[str, Any]:
    """Grade one need: 4 x the root of the mean, over everybody who was asked, of how badly it stopped them."""
    worst: dict[str, float] = {}
    quotes: list[tuple[float, str]] = []
    for interview, finding in heard:
        grade = _grade(finding)
        worst[interview["participant"]] = max(worst.get(interview["participant"], 0.0), grade)
        quotes.append((-grade, f"{interview['role']}: {finding['said']}"))
    mean = sum(worst.values()) / asked / GRAVEST if asked else 0.0
    said = [quote for _, quote in sorted(quotes)[:MOST_QUOTES]]
    return {"id": need, "severity": round(GRAVEST * sqrt(mean), 2), "people": len(worst), "quotes": said}


def about(said: str, needs: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the id of the need that a text is about, or None."""
    words = stems(said)
    spoken = vector(words, dict.fromkeys(words, 1.0))
    near = [(likeness(spoken, need["terms"]), need["id"]) for need in needs]
    best = max(near, key=lambda pair: (round(pair[0], 9), pair[1]), default=(0.0, ""))
    return best[1] if best[0] >= HEARD else None


def _grade(finding: Mapping[str, Any]) -> float:
    return min(GRAVEST, STOPPED[finding["outcome"]] + (1.0 if finding["lost_minutes"] >= LONG else 0.0))
