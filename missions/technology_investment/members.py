"""The four members of the party: each computes its own side of the case, and what it hears may move it.

Law: a stance is computed from the case and from the terms that were said, never from a name or a title. They only
read. What moves them is in `terms.py`; the figures are in `fit.py`, `finance.py`, `exposure.py` and `cutover.py`.
"""

from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.technology_investment.cutover import first_window, overload
from missions.technology_investment.exposure import cheapest, exposure
from missions.technology_investment.finance import Worth, worth
from missions.technology_investment.fit import HEAVY, buildable, debt, gain
from missions.technology_investment.stance import (
    DEFER,
    INVEST,
    REJECT,
    Turn,
    give_way,
    money,
    need,
    no,
    offer,
    read_turn,
    take,
)


async def cto(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Judge the technical fit and the upkeep; offer to build the mitigations that others need and that fit in."""
    del tools
    turn = read_turn(call)
    case = turn.case
    better, upkeep = gain(case), debt(case)
    built = buildable(case, turn.terms.needed)
    observe(f"Fit {better:+.2f}, upkeep {upkeep:+.1f} weeks a year, {len(built)} mitigations fit in", source="case")
    heavy = HEAVY * case.weeks_free
    position = REJECT if better <= 0 else DEFER if upkeep > heavy else INVEST
    reasons = [
        f"It fits better than what we have: {better:+.2f}"
        if better > 0
        else f"{no('gain')} It fits no better: {better:+.2f}",
        f"Upkeep changes by {upkeep:+.1f} weeks a year; up to {heavy:.1f} would be bearable",
        *(f"{offer('mitigation', one.id)} built in {one.weeks:g} weeks" for one in built),
    ]
    left = turn.terms.needed - {one.id for one in built}
    if left:
        reasons.append(f"No room for {', '.join(sorted(left))}: {case.weeks_free:g} weeks of engineering are free")
    margin = min(abs(better), abs(upkeep - heavy) / case.weeks_free if case.weeks_free else 0.0)
    return take(turn, position, reasons, margin, turn.terms.said_by.get("need mitigation", ""), agrees=not left)


async def cfo(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Judge the value and the payback, with all measures paid for; offer a later start where the case bears it."""
    del tools
    turn = read_turn(call)
    delay = turn.terms.delay_offered
    asked = turn.terms.delay_needed
    bears = _position(worth(turn.case, turn.terms.offered, asked), turn.case.payback_limit) == INVEST
    if asked and bears:
        delay = asked
    judged = worth(turn.case, turn.terms.offered, delay)
    observe(f"Value {money(judged.value, turn.case)}, payback {_years(judged)}", source="case")
    value = "" if judged.value > 0 else f"{no('value')} "
    reasons = [
        f"{value}Present value {money(judged.value, turn.case)} on costs of {money(judged.costs, turn.case)}",
        f"Payback {_years(judged)}; the limit is {turn.case.payback_limit:g} years",
    ]
    if turn.terms.offered:
        reasons.append(f"Paid for in it: {', '.join(sorted(turn.terms.offered))}")
    if asked and bears:
        reasons.append(f"{offer('shift', asked)} starting {asked} months later still pays")
    elif asked:
        reasons.append(f"Starting {asked} months later would not pay")
    answers = turn.terms.said_by.get("need shift", "")
    return take(
        turn,
        _position(judged, turn.case.payback_limit),
        reasons,
        judged.margin() if judged.value <= 0 else _slack(judged, turn),
        answers,
        agrees=bears,
    )


def _position(judged: Worth, limit: float) -> str:
    if judged.value <= 0:
        return REJECT
    return INVEST if judged.payback is not None and judged.payback <= limit else DEFER


def _slack(judged: Worth, turn: Turn) -> float:
    """Return how far from mattering the figure is that comes nearest: the value, or the payback."""
    late = ((judged.payback or 0.0) - turn.case.payback_limit) / turn.case.payback_limit
    return min(abs(judged.margin()), abs(late))


def _years(judged: Worth) -> str:
    return "never" if judged.payback is None else f"in {judged.payback:.1f} years"


async def ciso(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Judge the loss to expect; concede when the mitigations that are offered bring it under the appetite."""
    del tools
    turn = read_turn(call)
    case = turn.case
    now, after = exposure(case), exposure(case, turn.terms.offered)
    wanted = cheapest(case)
    observe(f"Loss to expect {money(now, case)} a year, {money(after, case)} with what is offered", source="case")
    enough = after <= case.appetite
    position = INVEST if enough else REJECT if wanted is None else DEFER
    reasons = [f"Loss to expect {money(after, case)} a year; the appetite is {money(case.appetite, case)}"]
    if wanted is None:
        reasons.append("No mitigation on the table brings it down to that")
    elif wanted:
        least = money(exposure(case, wanted), case)
        reasons.append(f"{' '.join(need('mitigation', one) for one in wanted)} would leave {least}")
    if enough and now > case.appetite:
        reasons.append(f"I concede: {', '.join(sorted(turn.terms.offered))} will be built")
    margin = abs(after - case.appetite) / case.appetite if case.appetite else 1.0
    if turn.terms.closed_by:
        return give_way(turn, reasons, margin)
    said_by = turn.terms.said_by
    answers = said_by.get("offer mitigation", "cto" if said_by.get("need mitigation") and now > case.appetite else "")
    return take(turn, position, reasons, margin, answers, agrees=enough)


async def coo(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Judge whether operations can carry the cutover; ask for the first months in which they can."""
    del tools
    turn = read_turn(call)
    case, delay = turn.case, turn.terms.delay_offered
    over, window = overload(case, delay), first_window(case)
    fits = over is not None and over <= 0
    observe(_room(over), source="case")
    position = INVEST if fits else REJECT if window is None else DEFER
    reasons = [f"With a start {delay} months later, {_room(over)}" if delay else f"As planned, {_room(over)}"]
    if window:
        reasons.append(f"{need('shift', window)} in {case.months[case.start + window].name} it fits first")
    elif window is None:
        reasons.append("In none of the planned months it fits")
    margin = abs(over or 0.0) / max((month.capacity for month in case.months), default=1.0)
    if turn.terms.closed_by:
        return give_way(turn, reasons, margin)
    return take(turn, position, reasons, margin, turn.terms.said_by.get("offer shift", ""), agrees=fits)


def _room(over: float | None) -> str:
    if over is None:
        return "the cutover reaches beyond the months that are planned"
    return f"the worst month is {over:g} hours over its capacity" if over > 0 else f"{-over:g} hours stay free"
