"""The secretary: writes down what the party came to, the terms of it, and what its dissenters said.

Law: the figures are computed again from the case and the terms, and dissent stands in its own words.
"""

from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.technology_investment.case import Case, read_case
from missions.technology_investment.exposure import exposure
from missions.technology_investment.finance import worth
from missions.technology_investment.fit import gain
from missions.technology_investment.stance import money
from missions.technology_investment.terms import Terms, terms

Data = dict[str, Any]


async def write(call: AgentCall, tools: Toolbox, observe: Observe) -> Data:
    """Return the minutes of a party."""
    del tools
    case, advice = read_case(call.context["case"]), call.context["advice"]
    agreed = _terms(advice)
    figures = _figures(case, agreed)
    dissent = [f"{one['agent']} would {one['position']}: {'; '.join(one['reasons'])}" for one in advice["dissent"]]
    observe(f"{len(advice['agreed'])} agree, {len(dissent)} do not", source="advice")
    summary = _summary(case, advice)
    return {
        "summary": summary,
        "question": f"{summary}. Approve to invest on these terms: {_told(agreed)}",
        "terms": {"mitigations": sorted(agreed.offered), "delay_months": agreed.delay_offered},
        "figures": figures,
        "dissent": dissent,
        "markdown": _page(case, summary, agreed, figures, dissent),
    }


def _terms(advice: Data) -> Terms:
    """Return the terms on which members hold their last stances, and what a facilitator offered."""
    held = [{"by": name, **stance} for name, stance in advice["stances"].items() if stance]
    spoken = [{"by": one["by"], "facilitator": True, "text": one["text"]} for one in advice["interjections"]]
    return terms([*held, *spoken])


def _figures(case: Case, agreed: Terms) -> Data:
    judged = worth(case, agreed.offered, agreed.delay_offered)
    return {
        "net_present_value": round(judged.value, 2),
        "payback_years": None if judged.payback is None else round(judged.payback, 2),
        "residual_loss": round(exposure(case, agreed.offered), 2),
        "fit": round(gain(case), 3),
    }


def _summary(case: Case, advice: Data) -> str:
    if not advice["reached"]:
        return f"{case.title}: the party came to no agreement ({advice['by'].replace('_', ' ')})"
    against = len(advice["dissent"])
    return f"{case.title}: {len(advice['agreed'])} to {against} for '{advice['recommendation']}'"


def _told(agreed: Terms) -> str:
    built = f"with {', '.join(sorted(agreed.offered))}" if agreed.offered else "without mitigations"
    return f"{built}, starting {agreed.delay_offered} months later" if agreed.delay_offered else f"{built}, as planned"


def _page(case: Case, summary: str, agreed: Terms, figures: Data, dissent: list[str]) -> str:
    years = figures["payback_years"]
    lines = [
        f"# {case.title}",
        "",
        summary,
        "",
        f"- Present value: {money(figures['net_present_value'], case)}",
        f"- Payback: {'never' if years is None else f'{years:g} years'}, limit {case.payback_limit:g}",
        f"- Loss to expect a year: {money(figures['residual_loss'], case)}, appetite {money(case.appetite, case)}",
        f"- Terms: {_told(agreed)}",
        "",
        "## Dissent",
        "",
        *(f"- {one}" for one in dissent or ["none"]),
    ]
    return "\n".join(lines)
