"""The architect: sizes the parts for the peak, and works the gravest findings into the next draft.

Law: what a draft is follows from the proposal and the measures taken; each measure names the finding that asked for it.
"""

from math import ceil
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.architecture_review.system import loads, read_system

AT_ONCE = 4
"""Measures in one round: more, and nobody could say which of them did what."""


async def design(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return the first draft, or the next one by the last reviews."""
    del tools
    proposal, before = call.context["proposal"], call.context["design"]
    reviews = [call.context[name] for name in ("security", "performance", "cost")]
    if before is None:
        answer = first(proposal)
    else:
        answer = revised(proposal, before, [review for review in reviews if review is not None])
    for measure in answer["measures"]:
        if measure["round"] == answer["round"]:
            observe(f"{spelled(measure)} (because of {measure['because']})", source=measure["because"])
    observe(answer["summary"], source="architect", kind="progress")
    return answer


def first(proposal: dict[str, Any]) -> dict[str, Any]:
    """Return a draft with as many instances as carry the peak, and nothing more."""
    system = read_system(proposal, [])
    needed = loads(system, proposal["targets"]["peak_rps"])
    counts = {name: max(1, ceil(needed[name] / part.capacity)) for name, part in system.items()}
    return _draft(1, counts, [])


def revised(proposal: dict[str, Any], before: dict[str, Any], reviews: list[dict[str, Any]]) -> dict[str, Any]:
    """Take the measures that mend the gravest findings; one of a kind for a part, each at most once but for growing."""
    number, counts, measures = before["round"] + 1, dict(before["instances"]), list(before["measures"])
    for finding in _mendable(reviews):
        measure = finding["mend"]
        new = {**measure, "because": finding["id"], "round": number}
        if sum(one["round"] == number for one in measures) == AT_ONCE or _taken(new, measures):
            continue
        counts[measure["component"]] += {"grow": 1, "shrink": -1}.get(measure["kind"], 0)
        measures.append(new)
    system = read_system(proposal, measures)
    return _draft(number, {name: max(1, counts[name]) for name in system}, measures)


def _mendable(reviews: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [finding for review in reviews for finding in review["findings"] if finding["mend"] is not None]
    return sorted(found, key=lambda finding: (-finding["severity"], finding["id"]))


def _taken(new: dict[str, Any], measures: list[dict[str, Any]]) -> bool:
    """Whether it was taken before; instances may change each round, but not twice in one."""
    sized = ("grow", "shrink")
    for one in measures:
        if new["kind"] in sized:
            same = one["kind"] in sized and one["component"] == new["component"] and one["round"] == new["round"]
        else:
            same = all(one[key] == new[key] for key in ("kind", "component", "to"))
        if same:
            return True
    return False


def _draft(number: int, counts: dict[str, int], measures: list[dict[str, Any]]) -> dict[str, Any]:
    fresh = [spelled(one) for one in measures if one["round"] == number]
    told = f"; new: {', '.join(fresh)}" if fresh else ""
    summary = f"Draft {number}: {len(counts)} parts, {sum(counts.values())} instances, {len(measures)} measures{told}"
    return {"round": number, "instances": counts, "measures": measures, "summary": summary}


def spelled(measure: dict[str, Any]) -> str:
    """Return a measure in words."""
    part = measure["component"]
    return {
        "authenticate": f"{part} checks who asks",
        "encrypt": f"{part} encrypts what it holds",
        "cache": f"{part} remembers answers",
        "defer": f"{part} no longer waits for {measure['to']}",
        "grow": f"one more {part}",
        "shrink": f"one {part} less",
    }[measure["kind"]]
