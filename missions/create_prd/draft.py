"""The product manager: puts what the analysts found into one draft, and works in what stakeholders asked for.

Law: each sentence of each comment is in the draft, with what became of it. `change.py` reads them, `scope.py` decides.
"""

from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.create_prd.change import read_changes
from missions.create_prd.scope import Row, capacity_of, moved, placed, weighed

RISKY = 0.4
BELIEVED = 0.7


async def draft(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Write the first draft, or the next: the one before it with everything that was asked for since."""
    del tools
    known = call.context
    before = known["draft"]
    number = before["round"] + 1 if before else 1
    changes = [*(before["changes"] if before else []), *_new_changes(known, number)]
    rows = [weighed(need, *_told(need["id"], known)) for need in known["needs"]["needs"]]
    capacity = capacity_of(known["brief"], changes)
    scope = placed(rows, capacity, changes)
    answered = [{**change, "done": _done(change)} for change in changes]
    for change in answered:
        if change["round"] == number:
            observe(f"{change['said']} ({change['done']})", source=change["by"])
    weeks = round(sum(row["weeks"] for row in scope if row["place"] == "now"), 1)
    changed = moved(before["scope"], scope) if before else []
    observe(f"Draft {number}: {weeks} of {capacity:g} weeks", source="product manager", kind="progress")
    return {
        "round": number,
        "title": known["brief"]["title"],
        "problem": known["brief"]["problem"],
        "summary": _summary(number, scope, weeks, capacity, changed),
        "goals": [_goal(row) for row in scope if row["place"] == "now"],
        "scope": scope,
        "weeks": weeks,
        "capacity": capacity,
        "market": known["market"],
        "risks": _risks(scope, weeks, capacity),
        "open_questions": _questions(known, answered),
        "changes": answered,
        "changed": changed,
    }


def _new_changes(known: dict[str, Any], number: int) -> list[Row]:
    """Read what was said since the last draft: at the review before the first, at the gate before any other."""
    needs = known["needs"]["needs"]
    said = known["look"] if number == 1 else known["answer"]
    if number == 1 and not said["objected"]:
        return []
    return read_changes(said["comment"], needs, number, said["by"])


def _told(need: str, known: dict[str, Any]) -> tuple[Row, Row]:
    estimate = next(row for row in known["engineering"]["estimates"] if row["id"] == need)
    return estimate, next(row for row in known["experience"]["grades"] if row["id"] == need)


def _done(change: Row) -> str:
    if change["weeks"] is not None:
        return f"planned with {change['weeks']} weeks"
    return f"{change['need']} is {change['place']}" if change["need"] else "left as an open question"


def _goal(row: Row) -> str:
    """Say what must be measurably better: half of the failing sessions, or a grade of severity less."""
    if row["failing"] > 0:
        return f"{row['title']}: failed sessions from {row['failing']:.1%} to at most {row['failing'] / 2:.1%}"
    return f"{row['title']}: severity from {row['severity']:.1f} to at most {max(row['severity'] - 1, 0):.1f}"


def _risks(scope: list[Row], weeks: float, capacity: float) -> list[str]:
    found = [
        f"{row['title']}: risk {row['risk']:.0%} in {', '.join(row['components']) or 'a new component'}"
        for row in scope
        if row["place"] == "now" and row["risk"] >= RISKY
    ]
    if weeks > capacity:
        found.insert(0, f"What was asked for takes {weeks} weeks, and there are {capacity:g}")
    return found


def _questions(known: dict[str, Any], changes: list[Row]) -> list[str]:
    """Gather what nobody has answered: what could not be read, what no ticket told of, a market nobody is sure of."""
    found = [f"{change['by']} asks: {change['said']}" for change in changes if change["done"].startswith("left")]
    found += [f"Heard once, and in no ticket: {said}" for said in known["experience"]["unheard"]]
    market = known["market"]
    if market is None:
        found.append("How large is the market? No source is sure enough")
    elif market["answer"]["confidence"] < BELIEVED:
        found.append(f"Is the market as {market['answer']['source']} says? Its figures are thin")
    return found


def _summary(number: int, scope: list[Row], weeks: float, capacity: float, changed: list[str]) -> str:
    now = [f"{row['id']} {row['title']}" for row in scope if row["place"] == "now"]
    text = f"Draft {number}: {'; '.join(now) or 'nothing'}, in {weeks} of {capacity:g} weeks."
    return f"{text} Changed: {'; '.join(changed)}." if changed else text
