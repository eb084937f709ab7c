"""The release planner: what must be done before a release takes traffic becomes steps of the mission.

Law: it plans with what it is allowed and nothing else, each part after all that it needs, and it says what it left out.
A plan that people rejected is made again by their words. Loading and checking it is the mission's business.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from contracts.gate import MOST_TOGETHER

Part = Mapping[str, Any]
TOOLS = {"migration": "apply_migration", "announcement": "open_ticket"}
MIGRATIONS = "migrate"
ONE_BY_ONE = re.compile(r"\b(one by one|one after (the other|another)|in order|in sequence)\b", re.IGNORECASE)
LONGER = re.compile(r"\b(\d{1,3}) (minutes|hours)\b", re.IGNORECASE)
WITHOUT = r"\b(?:without|leave out|skip)\b[^.;]*\b{}\b"


async def plan(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Plan the preparation of one release, by what was said of the plan before."""
    del tools
    planning, said = call.context["planning"], " ".join(call.errors)
    parts = call.context["checked"]["release"]["prerequisites"]
    left_out = [part for part in parts if not _may(part, planning) or _unwanted(part, parts, said)]
    kept = [part for part in ordered(parts) if part not in left_out]
    chained = ONE_BY_ONE.search(said) is not None
    steps = _steps(kept, chained, _asked_minutes(said), planning)
    chain = longest(kept)
    words = f"To be done first: {len(kept)}, in the longest chain {len(chain)} ({' → '.join(chain) or 'none'})."
    words += " One after the other." if chained else ""
    words += f" Left out: {', '.join(part['id'] for part in left_out)}." if left_out else ""
    observe(words, source="prerequisites", kind="progress")
    return {"steps": steps, "rationale": words}


def ordered(parts: Sequence[Part]) -> list[Part]:
    """Return parts so that each stands after all that it needs; who has most behind it comes first."""
    left, found = list(parts), list[Part]()
    while left:
        done = {part["id"] for part in found}
        free = [part for part in left if done.issuperset(_needs(part, parts))] or left
        first = min(free, key=lambda part: (-_behind(part["id"], parts), part["id"]))
        found.append(first)
        left.remove(first)
    return found


def longest(parts: Sequence[Part]) -> list[str]:
    """Return the longest chain of parts that need each other."""
    chains: dict[str, list[str]] = {}
    for part in parts:
        before = [chains[need] for need in _needs(part, parts) if need in chains]
        chains[part["id"]] = [*max(before, key=len, default=[]), part["id"]]
    return max(chains.values(), key=len, default=[])


def _needs(part: Part, parts: Sequence[Part]) -> list[str]:
    known = {other["id"] for other in parts}
    return [need for need in part["needs"] if need in known]


def _behind(name: str, parts: Sequence[Part]) -> int:
    """Return how many parts come, directly or not, after one."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        on = waiting.pop()
        fresh = {part["id"] for part in parts if on in part["needs"]} - found
        found |= fresh
        waiting += sorted(fresh)
    return len(found)


def _may(part: Part, planning: Mapping[str, Any]) -> bool:
    if part["kind"] == "soak":
        return "wait" in planning["kinds"]
    return "action" in planning["kinds"] and TOOLS[part["kind"]] in planning["tools"]


def _unwanted(part: Part, parts: Sequence[Part], said: str) -> bool:
    """Whether people said to do without it. What others need, and what changes data, is never left out."""
    named = re.search(WITHOUT.format(re.escape(part["id"])), said, re.IGNORECASE)
    return named is not None and part["kind"] != "migration" and not _behind(part["id"], parts)


def _asked_minutes(said: str) -> int:
    found = LONGER.search(said)
    return int(found[1]) * (60 if found[2].lower() == "hours" else 1) if found else 0


def _steps(kept: Sequence[Part], chained: bool, minutes: int, planning: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a plan: what can be approved at once first, then the others, each after what it needs."""
    first = _together(kept, planning)
    others = [part for part in kept if part not in first]
    names = {part["id"]: MIGRATIONS if part in first else _name(part["id"]) for part in kept}
    steps = [_all_of(first, planning)] if first else []
    for part in others:
        before = [step["step"] for step in steps[-1:]] if chained else [names[need] for need in _needs(part, kept)]
        work = _work(part, minutes, planning)
        steps.append({"step": names[part["id"]], "needs": list(dict.fromkeys(before)), **work})
    return steps


def _together(kept: Sequence[Part], planning: Mapping[str, Any]) -> list[Part]:
    """Return the migrations that wait for nothing but each other: people can see them all before the first one."""
    found: list[Part] = []
    for part in kept if "steps" in planning["kinds"] else ():
        known = {other["id"] for other in found}
        if part["kind"] == "migration" and known.issuperset(_needs(part, kept)) and len(found) < MOST_TOGETHER:
            found.append(part)
    return found if len(found) > 1 else []


def _all_of(parts: Sequence[Part], planning: Mapping[str, Any]) -> dict[str, Any]:
    """Return migrations as one group, which is asked for once, in the order in which they run."""
    works = [{"step": _name(part["id"]), **_work(part, 0, planning)} for part in parts]
    asked = [work.pop("approval") for work in works if "approval" in work]
    group: dict[str, Any] = {"step": MIGRATIONS, "needs": [], "steps": works}
    if asked:
        message = f"{len(parts)} migrations, one after the other: {'; '.join(_plain(part['title']) for part in parts)}?"
        group["approval"] = {**asked[0], "message": message}
    return group


def _name(part: str) -> str:
    return f"prepare_{re.sub('[^A-Za-z0-9_-]', '_', part)}"[:64]


def _work(part: Part, minutes: int, planning: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is done for a part. What needs approval is asked of those who may be asked."""
    if part["kind"] == "soak":
        return {"wait": {"for": f"{max(part['minutes'], minutes, 1)}m"}}
    tool = TOOLS[part["kind"]]
    contract = planning["tools"][tool]
    work = {"action": tool, "with": _arguments(part)}
    if contract["compensated_by"]:
        work["compensate"] = contract["compensated_by"][0]
    if contract["needs_approval"]:
        message = f"{_plain(part['title'])} ({_plain(part['id'])})?"
        work["approval"] = {"approvers": planning["approvers"], "message": message, "timeout": "4h"}
    return work


def _arguments(part: Part) -> dict[str, Any]:
    case = {"case": "${{ mission.id }}"}
    if part["kind"] == "migration":
        return {"service": "${{ service }}", "migration": _plain(part["id"]), **case}
    body = f"${{{{ service }}}} ${{{{ version }}}} is about to be released: {_plain(part['title'])}"
    return {**case, "title": _plain(part["title"]), "body": body, "severity": "low"}


def _plain(text: str) -> str:
    """Return what comes from a build as plain text: it is no expression of the mission."""
    return text.replace("${{", "$ {{")
