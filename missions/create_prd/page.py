"""The formatter: makes one Markdown page of the last draft, headed by what was decided on it.

Law: it adds nothing, leaves nothing of the draft out, and a stranger's words cannot become its markup.
"""

import re
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall

MARKUP = re.compile(r"[\\`*_\[\]<>#|~!]")
PLACES = {"now": "In this release", "later": "Later", "out": "Out of scope"}


async def write(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return the page."""
    del tools
    draft = call.context["draft"]
    decided = _decided(call.context["answer"], call.context["further"], call.context["settled"])
    parts = [f"# {plain(draft['title'])}", plain(decided), plain(draft["problem"])]
    for heading, rows in _sections(draft).items():
        parts.append(f"## {heading}\n\n" + "\n".join(f"- {plain(row)}" for row in rows or ["Nothing"]))
    markdown = "\n\n".join(parts) + "\n"
    observe(f"{len(markdown.split())} words. {decided}", source="formatter", kind="progress")
    return {"title": draft["title"], "decided": decided, "markdown": markdown, "words": len(markdown.split())}


def _decided(answer: dict[str, Any], further: dict[str, Any], settled: dict[str, Any]) -> str:
    """Say how the last question came out: the one of those that were asked that ended it."""
    if answer["approved"] or settled["approved"]:
        return f"Approved by {_names(settled if settled['approved'] else answer)}."
    for one in (settled, further):
        if one["decision"] == "rejected":
            return f"Rejected by {_names(one)}: {one['comment'] or 'no reason given'}."
    return "Not decided: nobody who was asked answered in time."


def _names(said: dict[str, Any]) -> str:
    return ", ".join(said["by"]) or "nobody"


def _sections(draft: dict[str, Any]) -> dict[str, list[str]]:
    places = {
        heading: [_need(row) for row in draft["scope"] if row["place"] == place] for place, heading in PLACES.items()
    }
    changes = [
        f"{change['by']}, round {change['round']}: {change['said']} ({change['done']})" for change in draft["changes"]
    ]
    said = [quote for row in draft["scope"] if row["place"] == "now" for quote in row["quotes"]]
    return {
        "Goals": draft["goals"],
        **places,
        "In their words": said,
        "Market": _market(draft["market"]),
        "Risks": draft["risks"],
        "Asked for": changes,
        "Open questions": draft["open_questions"],
    }


def _need(row: dict[str, Any]) -> str:
    return f"{row['id']} {row['title']}: {row['weeks']} weeks, severity {row['severity']:.1f}. {row['why']}"


def _market(market: dict[str, Any] | None) -> list[str]:
    if market is None:
        return []
    found = market["answer"]
    return [
        f"Within reach: {found['reachable']:,} EUR a year, of {found['total']:,} in all",
        f"Growth: {found['growth']:.1%} a year, so {found['forecast']:,} in three years",
        f"Ours today: {found['ours']:,} EUR a year",
        f"By {found['source']}, confidence {found['confidence']:.2f}",
    ]


def plain(text: str) -> str:
    """Return text on one line that Markdown shows as it is."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
