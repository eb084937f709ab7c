"""The sample proposals of `architecture_review`, their drafts round by round, and small changes to them."""

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from live_mission import load_input

from missions.architecture_review import cost, performance, security
from missions.architecture_review.architect import first, revised
from missions.architecture_review.judge import score_of

NAMES = ("measurement_hub", "label_printing", "live_twin")
PROPOSALS = {name: load_input("architecture_review", f"proposals/{name}.json")["proposal"] for name in NAMES}
HUB = PROPOSALS["measurement_hub"]
REVIEWERS = (security, performance, cost)
ASKED = {"approved": False, "decision": "not_asked", "by": [], "comment": ""}
proposals = st.sampled_from(NAMES).map(PROPOSALS.__getitem__)
seeds = st.integers(0, 10_000)


def reviews(proposal: dict[str, Any], design: dict[str, Any]) -> list[dict[str, Any]]:
    return [reviewer.reviewed(proposal, design) for reviewer in REVIEWERS]


def rounds(proposal: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Return so many drafts, as the mission makes them."""
    drafts = [first(proposal)]
    while len(drafts) < number:
        drafts.append(revised(proposal, drafts[-1], reviews(proposal, drafts[-1])))
    return drafts


def total(proposal: dict[str, Any], design: dict[str, Any]) -> float:
    return score_of([review["score"] for review in reviews(proposal, design)])


def other(proposal: dict[str, Any], name: str, /, **fields: Any) -> dict[str, Any]:
    told = deepcopy(proposal)
    next(one for one in told["components"] if one["name"] == name).update(fields)
    return told


def chain(*latencies: float, **targets: float) -> dict[str, Any]:
    """Return parts that each call the next one once."""
    names = [f"p{number}" for number in range(len(latencies))]
    alike = {"capacity_rps": 100, "cost_eur": 10, "availability": 0.9, "holds": "nothing"}
    alike |= dict.fromkeys(("exposed", "encrypted", "authenticates", "cacheable"), False)
    components = [
        {
            **alike,
            "name": name,
            "latency_ms": latency,
            "calls": [{"to": to, "times": 1, "deferrable": True} for to in names[number + 1 : number + 2]],
        }
        for number, (name, latency) in enumerate(zip(names, latencies, strict=True))
    ]
    known = {"peak_rps": 50, "response_ms": 1000, "availability": 0, "monthly_eur": 1000, **targets}
    return {"title": "t", "goal": "g", "entry": "p0", "targets": known, "components": components}
