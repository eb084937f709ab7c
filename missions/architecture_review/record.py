"""The recorder: writes the decision record, from the last draft, its reviews, and what people decided.

Law: it says who decided what, and what was known to be wrong when they did; what it leaves out, it says so.
"""

import re
from typing import Any

from contracts.agent import Observe, Toolbox
from contracts.call import AgentCall
from missions.architecture_review.architect import spelled

MOST_ROWS, MOST_LETTERS, MOST_PAGE = 40, 400, 20_000
"""What a page holds; whatever is left out is said to be."""
MARKUP = re.compile(r"[\\`*_\[\]<>#|~!]")


async def write(call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]:
    """Return the record as fields and as one Markdown page."""
    del tools
    known = call.context
    status, decided = _decided(known["exception"], known["lead_word"], known["cto_word"])
    title = f"Decision record: {known['proposal']['title']}"[:200]
    markdown = _cut("\n\n".join([f"# {plain(title)}", *_sections(known, status, decided)]) + "\n")
    observe(f"{title}: {status}", source="recorder", kind="progress")
    return {"title": title, "status": status, "decided": decided, "markdown": markdown}


def _cut(page: str) -> str:
    """Return a page that the register of publications takes."""
    said = "\n\nThis page was cut: the rest is in the mission's record.\n"
    return page if len(page) <= MOST_PAGE else page[: MOST_PAGE - len(said)] + said


def _decided(*words: dict[str, Any]) -> tuple[str, list[str]]:
    """Say who was asked what: not good enough, the lead, the CTO; one who did not approve decides it."""
    asked = zip(("To go on although it is not good enough", "The lead of architecture", "The CTO"), words, strict=True)
    told, status = [], "accepted"
    for question, word in asked:
        if word["decision"] == "not_asked":
            continue
        status = status if word["approved"] else "rejected"
        said = f": {word['comment']}" if word["comment"] else ""
        told.append(f"{question}: {word['decision'].replace('_', ' ')} by {', '.join(word['by']) or 'nobody'}{said}")
    return status, told or ["Good enough and not complex: nobody had to be asked"]


def _sections(known: dict[str, Any], status: str, decided: list[str]) -> list[str]:
    design, assessment = known["design"], known["assessment"]
    figures = {**known["performance"]["figures"], **known["cost"]["figures"]}
    targets = known["proposal"]["targets"]
    sections = {
        "Decision": decided,
        "Design": [f"{name}: {count}" for name, count in design["instances"].items()],
        "Measures": [f"{spelled(one)} (round {one['round']}, {one['because']})" for one in design["measures"]],
        "Figures": [
            f"An answer takes {figures['response_ms']} ms of {targets['response_ms']}",
            f"{figures['availability']:.4%} of the requests are answered, of {targets['availability']:.4%}",
            f"{figures['monthly_eur']:,} EUR a month of {targets['monthly_eur']:,}",
        ],
        "Reviews": [f"{name}: {score}" for name, score in assessment["scores"].items()],
        "Known to be wrong": assessment["left"],
        "Complexity": [f"{assessment['complexity']} of 10", *assessment["why"]],
    }
    parts = [f"Status: {status}", plain(known["proposal"]["goal"])]
    for heading, rows in sections.items():
        parts.append(f"## {heading}\n\n" + "\n".join(f"- {plain(row)}" for row in _fitting(rows)))
    return parts


def _fitting(rows: list[str]) -> list[str]:
    """Return what a section shows of its rows: most of them, the most of each."""
    shown = [row if len(row) <= MOST_LETTERS else f"{row[:MOST_LETTERS]}…" for row in rows[:MOST_ROWS]]
    left = len(rows) - len(shown)
    return [*shown, f"and {left} more"] if left else shown or ["Nothing"]


def plain(text: str) -> str:
    """Return text on one line that Markdown shows as it is."""
    return MARKUP.sub(r"\\\g<0>", " ".join(text.split()))
