"""What a decision signs, as the person sees it: all of it, or what is cut and how much.

The law: nothing here is believed that the digest does not cover, and what others wrote stands behind the bar of
`starter/quoted.py`. `starter/sign.py` computes the digests again; `starter/seen.py` demands that it was seen.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from contracts.decision import Action, Claims, Opening, Subject
from contracts.planning import SHOWN
from contracts.risk import Facts
from starter.beside import Told
from starter.beside import rows as about
from starter.escape import visible
from starter.quoted import Quoted, taken
from starter.render import deadline, pairs
from starter.terms import deciders

PLANNED = re.compile(r"/plan\[\d+\](/@admission(\[\d+\])?)?$")
"""The path at which people are asked for a plan."""
ROOM = 40_000
"""Characters of a gate's context, and of its question and arguments, that are shown at once."""


def context(gate: Opening, room: int | None = ROOM, told: Told | None = None) -> RenderableType:
    """Return what is shown beside a gate's question, each part with whose words it may hold."""
    shown: list[RenderableType] = []
    for name, texts in _context(gate, room):
        whose = told.source(name) if told is not None else ""
        title = Text(visible(name), "bold").append(f"  ❝ {visible(whose)}" if whose else "", "dim")
        shown += [title, *texts, ""]
    return Group(*shown)


def opening(
    gate: Opening, now: datetime | None = None, room: int | None = ROOM, told: Told | None = None
) -> RenderableType:
    """Return exactly what a decision on this opening would sign, but for the context: that is `context`."""
    subject, (question, arguments) = gate.subject, _asked(gate, room)
    rows: list[tuple[str, RenderableType]] = [
        ("question", question),
        ("mission", Text(visible(f"{subject.name} · {subject.mission}"))),
        ("asked for by", Text(visible(subject.requested_by))),
    ]
    if subject.tool:
        rows.append(("action", Text(visible(subject.tool), "bold")))
    if subject.arguments is not None:
        rows.append(("arguments", arguments))
    if subject.compensation:
        rows.append(("undone by", _undone(subject, room)))
    for number, (action, given) in enumerate(_together(gate, room), 1):
        rows.append((f"action {number}", _line(action, given, gate, room)))
    if subject.kind == "task":
        rows.append(("answer fits", data(gate.input_schema)))
    rows += list(risk(gate))
    rows += about(gate, told) if told is not None else ()
    if gate.context:
        rows.append(("context", Text(visible(f"{', '.join(gate.context)}; {subject.context_digest}"), "dim")))
    rows.append(("deciders", Text(visible(deciders(gate)))))
    rows.append(("deadline", Text(deadline(gate.deadline, now))))
    rows += [("rules", Text(visible(subject.governance), "dim"))] if subject.governance else []
    rows.append(("digest", Text(visible(gate.digest), "dim")))
    special = {
        "review": "goes on at the deadline unless somebody objects",
        "facilitation": "talks",
        "task": "waits for an answer",
    }
    waits = special.get(subject.kind, f"waits: {subject.kind}")
    title = Text(" ").append(visible(subject.step), "bold").append(f" {waits} ")
    return Panel(pairs(rows), title=title, title_align="left", border_style="yellow", padding=(1, 2))


def short(gate: Opening, told: Told) -> RenderableType:
    """Return all that a decision on one small action would sign, in a few lines."""
    subject, (question, arguments) = gate.subject, _asked(gate, None)
    about_it = f"  {subject.name} · {subject.mission} · {subject.step}, asked for by {subject.requested_by}"
    title = Text(visible(subject.tool or subject.kind), "bold").append(visible(about_it), "dim")
    rows: list[tuple[str, RenderableType]] = [("question", question), ("arguments", arguments)]
    rows += [("undone by", _undone(subject, None))] if subject.compensation else []
    rows += [*risk(gate), *about(gate, told)]
    rows += [("rules", Text(visible(subject.governance), "dim"))] if subject.governance else []
    rows += [("deadline", Text(deadline(gate.deadline))), ("digest", Text(visible(gate.digest), "dim"))]
    return Group(title, context(gate, None, told), pairs(rows))


def risk(gate: Opening) -> Iterator[tuple[str, RenderableType]]:
    """Yield how risky an action was found, of what that is made, and by which facts: all of it is signed."""
    reading = gate.subject.risk
    if reading is None:
        return
    asks = f"asks for {reading.people}" if reading.people else "asks for nobody more"
    style = "bold red" if reading.errors else "bold"
    lines = [Text(visible(f"{reading.score} of 100, {reading.level}"), style).append(f": {asks}", "not bold default")]
    lines += [Text(visible(f"cannot be weighed: {error}"), "bold red") for error in reading.errors]
    lines += [Text(visible(", ".join(f"{name} {points}" for name, points in reading.points.items())))]
    lines += [Text(visible("weighed by " + ", ".join(_facts(reading.facts))), "dim")]
    yield "score", Group(*lines)


def _facts(facts: Facts) -> Iterator[str]:
    sure = "no confidence that agents told" if facts.confidence is None else f"confidence {facts.confidence:g}"
    yield sure
    for tool, times in facts.before.items():
        yield f"{tool} {times} times before in this mission"
    if facts.at is not None:
        yield facts.at.strftime("%A %H:%M UTC")


def whole(gate: Opening, told: Told) -> RenderableType:
    """Return all of it, nothing cut."""
    return Group(context(gate, None, told), opening(gate, None, None, told))


def cut(gate: Opening, room: int | None = ROOM) -> int:
    """Return how many characters of a gate are not shown."""
    texts = [*_asked(gate, room), *(given for _, given in _together(gate, room))]
    texts += [data(one.undo, _share(gate, room)) for one in gate.subject.acts() if one.undo]
    texts += [text for _, some in _context(gate, room) for text in some]
    return sum(text.kept()[1] for text in texts)


def claims(said: Claims) -> RenderableType:
    """Return what the signature says beyond what the gate asks."""
    rows: list[tuple[str, RenderableType]] = [
        ("you sign", Text(f"{said.verb.replace('_', ' ')} as {visible(said.iss)}", "bold"))
    ]
    if said.to:
        rows.append(("decides instead", Text(visible(said.to), "bold")))
    if said.comment:
        rows.append(("comment", Quoted(said.comment)))
    if said.changes is not None:
        rows.append(("new arguments", data(said.changes)))
    if said.verb == "answer":
        rows.append(("your answer", data(said.answer)))
    rows.append(("bound to", Text(f"{visible(said.digest)}, opening {visible(said.nonce)}", "dim")))
    return pairs(rows)


def data(value: Any, room: int | None = None) -> Quoted:
    """Return a JSON value as people read it, with everything hidden in it spelt out."""
    return Quoted(readable(value), room)


def readable(value: Any, indent: str = "") -> str:
    """Spell a value like YAML without its traps: strings stay quoted, so nothing can pose as a key."""
    if isinstance(value, Mapping) and value:
        return "\n".join(_entry(f"{key}:", item, indent) for key, item in value.items())
    if isinstance(value, list | tuple) and value:
        return "\n".join(f"{indent}- {readable(item, indent + '  ').lstrip()}" for item in value)
    return json.dumps(value, ensure_ascii=False)


def _entry(label: str, item: Any, indent: str) -> str:
    label = json.dumps(label, ensure_ascii=False)[1:-1]
    if isinstance(item, Mapping | list | tuple) and item:
        return f"{indent}{label}\n{readable(item, indent + '  ')}"
    return f"{indent}{label} {readable(item)}"


def _asked(gate: Opening, room: int | None) -> tuple[Quoted, Quoted]:
    """Return the question and the arguments."""
    subject = gate.subject
    arguments = data(subject.arguments, room) if subject.arguments is not None else Quoted("")
    return Quoted(subject.message or f"an {subject.kind}", room), arguments


def _together(gate: Opening, room: int | None) -> list[tuple[Action, Quoted]]:
    """Return the actions that are approved together, each with its arguments; the room is for all of them."""
    return [(action, data(action.arguments, _share(gate, room))) for action in gate.subject.actions]


def _share(gate: Opening, room: int | None) -> int | None:
    return room // max(1, len(gate.subject.actions)) if room is not None else None


def _line(action: Action, given: Quoted, gate: Opening, room: int | None) -> RenderableType:
    """Return one of several actions: what acts where, with what, and what would undo it."""
    head = Text(visible(action.tool), "bold").append(f"  at {visible(action.step)}", "dim")
    if action.compensation is None:
        return Group(head, given)
    return Group(head, given, Group(Text("undone by", "dim"), _undone(action, _share(gate, room))))


def _undone(action: Action | Subject, room: int | None) -> RenderableType:
    """Return what would undo an action, and with what as far as that is signed."""
    name = Text(visible(action.compensation or ""))
    if not action.undo:
        what = "any arguments: nothing of them is signed" if action.undo is None else "what the action returns"
        name.append(f" with {what}", "dim")
    return Group(name, data(action.undo, room)) if action.undo else name


def _context(gate: Opening, room: int | None) -> Iterator[tuple[str, list[Quoted]]]:
    """Yield each part of the context with its texts: what a plan changes, and the value itself."""
    for name, value in gate.context.items():
        texts = []
        for text in _texts(gate, name, value):
            quoted = Quoted(text, room)
            shown, _ = quoted.kept()
            room = None if room is None else max(room - taken(shown), 0)
            texts.append(quoted)
        yield name, texts


def _texts(gate: Opening, name: str, value: Any) -> Iterator[str]:
    if name == SHOWN and PLANNED.search(gate.subject.step) and (told := _changes(value)):
        yield told
        value = {key: part for key, part in value.items() if key != "changes"}
    yield readable(value)


def _changes(plan: Any) -> str:
    """Return in words what a plan changes; where it changes nothing, or what is hidden in it left no change, none."""
    from language.difference import Change
    from starter.diff import worded

    try:
        return worded(tuple(Change.model_validate(change) for change in plan["changes"])).rstrip()
    except (KeyError, TypeError, ValidationError):
        return ""
