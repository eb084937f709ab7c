"""A notice in words: what waits, for whom, until when, where to decide.

Law: nothing that is decided on stands in it, and nothing that is hidden: names and paths are data of the mission, so
whatever is no printable character is spelt out before it comes near a header, a terminal or a page.
"""

import shlex
from dataclasses import dataclass
from datetime import UTC
from typing import Any
from urllib.parse import quote

from contracts.duration import show_duration
from contracts.notice import FAILURE, LINE, STOPPED, WITHDRAWN, Notice
from contracts.workspace import AtMost

LONGEST = 300
LOOK = "show"
VERBS = {"review": "reject", "task": "answer"}


@dataclass(frozen=True)
class Words:
    """`title` for a subject, `text` for a page, `line` for a terminal, `facts` for a machine."""

    id: str
    title: str
    text: str
    line: str
    facts: dict[str, Any]


def worded(notice: Notice, web: str, namespace: str) -> Words:
    """Return a notice in words, with the command that decides, and the page where an address of the Web UI is known."""
    clean = _clean(notice.model_dump(mode="json"))
    asks = notice.about != "settled" and notice.kind not in {FAILURE, STOPPED}
    verb = VERBS.get(notice.kind, "approve") if asks else LOOK
    parts = ("gonogo", verb, clean["mission"], *((clean["step"],) if asks else ()))
    command = shlex.join(parts)
    page = f"{web.rstrip('/')}/namespaces/{quote(namespace, safe='')}/workflows/{quote(notice.mission, safe='')}"
    link = page if web else ""
    told = f"{clean['name']}: {clean['step'] or 'the mission'} {_said(notice, clean)}"
    where = {"Mission": clean["mission"], "Decide" if asks else "Look": command, "Web UI": link}
    text = f"{told}.\n\n" + "".join(f"{label:8}{value}\n" for label, value in where.items() if value)
    return Words(
        id=notice.id,
        title=f"[gonogo] {told}"[:LONGEST],
        text=text,
        line=f"{LINE}{told}; {command}",
        facts={**clean, "text": told, "command": command, "link": link},
    )


def said(at_most: AtMost) -> str:
    """Say what approvers are told of one by one."""
    return f"{at_most.requests} requests within {show_duration(at_most.per)}"


def summed(notice: Notice, most: str) -> Words:
    """Return the one notice that stands for all that come while approvers have been told of so many."""
    to = _clean(list(notice.to))
    command = shlex.join(("gonogo", "queue", *(("--role", to[0]) if len(to) == 1 else ())))
    told = f"more than {most} wait for {' or '.join(to)}"
    return Words(
        id=notice.id,
        title=f"[gonogo] {told}"[:LONGEST],
        text=f"{told}. No more of them are told one by one for now.\n\nLook    {command}\n",
        line=f"{LINE}{told}; {command}",
        facts={"id": notice.id, "about": "summary", "to": to, "text": told, "command": command},
    )


def _said(notice: Notice, clean: dict[str, Any]) -> str:
    who = " or ".join(clean["to"])
    until = f", until {notice.deadline.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if notice.deadline else ""
    allow = f" to allow {clean['tool']}" if clean["tool"] else ""
    match notice.about:
        case "settled" if notice.decision == WITHDRAWN:
            return f"no longer waits for {who}{allow}"
        case "settled":
            by = f" by {', '.join(clean['by'])}" if clean["by"] else ""
            return f"was {clean['decision'].replace('_', ' ')}{by}"
        case "dead_letter" if clean["kind"] == FAILURE:
            return f"failed and waits for {who} to say how to go on{until}"
        case "dead_letter" if clean["kind"] == STOPPED:
            return f"was stopped from outside and waits for {who} to say how to go on{until}"
        case "dead_letter":
            return f"could not be undone and waits for {who}{until}"
        case "budget":
            return "has spent much of what may be spent"
        case "reminded":
            return f"still waits for {who}{allow}{until}"
        case "escalated":
            return f"was not answered and now waits for {who}{allow}{until}"
        case _:
            return f"waits for {who}{allow}{until}"


def _clean(value: Any) -> Any:
    """Return data whose texts have no hidden character and an end."""
    match value:
        case str():
            return "".join(one if one.isprintable() else f"<U+{ord(one):04X}>" for one in value[:LONGEST])
        case list():
            return [_clean(item) for item in value]
        case dict():
            return {key: _clean(item) for key, item in value.items()}
        case _:
            return value
