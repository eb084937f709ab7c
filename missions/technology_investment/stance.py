"""What the four members share: how they read a turn, and how they take a stance."""

import math
from dataclasses import dataclass
from typing import Any

from contracts.call import AgentCall
from missions.technology_investment.case import Case, read_case
from missions.technology_investment.terms import Terms, terms

INVEST, DEFER, REJECT = "invest", "defer", "reject"
LEAST, MOST = 0.5, 0.95
STEEP = 3.0


@dataclass(frozen=True)
class Turn:
    """What a member knows when it speaks: the case, the terms so far, and who the others are."""

    case: Case
    terms: Terms
    others: frozenset[str]


def read_turn(call: AgentCall) -> Turn:
    """Return what an agent's call tells of the case and of what was said."""
    party = call.context["party"]
    others = frozenset(party["members"]) - {party["you"]}
    return Turn(read_case(call.context["case"]), terms(party["transcript"]), others)


def take(
    turn: Turn, position: str, reasons: list[str], margin: float, answers: str = "", *, agrees: bool = True
) -> dict[str, Any]:
    """Return a stance. `margin` is how far the figure that decides lies from where it would decide otherwise."""
    stance: dict[str, Any] = {"position": position, "reasons": reasons, "confidence": sure(margin)}
    if answers in turn.others:
        stance |= {"answers": answers, "stand": "agree" if agrees else "object"}
    return stance


def give_way(turn: Turn, reasons: list[str], margin: float) -> dict[str, Any]:
    """Reject with whoever finds nothing in it: what protects an investment is not worth having without one."""
    by = turn.terms.closed_by
    return take(turn, REJECT, [*reasons, f"I give way to {by}: nothing is left to protect"], margin, by)


def sure(margin: float) -> float:
    """Return a confidence from a margin: a hair's breadth is an even chance, and nothing is certain."""
    return round(LEAST + (MOST - LEAST) * (1 - math.exp(-STEEP * abs(margin))), 2)


def money(amount: float, case: Case) -> str:
    return f"{amount:,.0f} {case.currency}"


def no(what: str) -> str:
    return f"[no {what}]"


def need(kind: str, name: object) -> str:
    return f"[need {kind}:{name}]"


def offer(kind: str, name: object) -> str:
    return f"[offer {kind}:{name}]"
