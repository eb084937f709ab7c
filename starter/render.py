"""How missions look in a terminal: signs, colours, panels. No decision is made here, and nothing is shown unescaped."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from contracts.decision import Action, Claims, Opening
from contracts.planning import SHOWN
from contracts.view import MissionState, MissionView
from starter.escape import visible
from starter.timeline import CONTAINERS, Line, brief

PLANNED = re.compile(r"/plan\[\d+\]$")
"""The path at which people are asked for a plan."""
SIGNS = {
    "start": ("○", "cyan"),
    "done": ("●", "green"),
    "agreed": ("◆", "green"),
    "failed": ("✖", "bold red"),
    "skipped": ("◌", "dim"),
    "cancelled": ("◌", "yellow"),
    "waiting": ("◆", "bold yellow"),
    "refused": ("✖", "red"),
    "undo": ("↶", "magenta"),
    "finding": ("·", "cyan"),
    "progress": ("·", "dim"),
    "thought": ("~", "dim"),
    "question": ("?", "yellow"),
}
BAR = 40
"""Characters of the longest bar."""
STATES = {
    MissionState.RUNNING: "cyan",
    MissionState.WAITING: "bold yellow",
    MissionState.COMPENSATING: "magenta",
    MissionState.HELD: "cyan",
    MissionState.COMPLETED: "green",
    MissionState.REFUSED: "yellow",
    MissionState.CANCELLED: "yellow",
    MissionState.ABORTED: "yellow",
    MissionState.FAILED: "bold red",
    MissionState.DEAD_LETTER: "bold red",
}


def line(entry: Line, began: datetime, width: int) -> RenderableType:
    """Return one line of the timeline: when, a sign, the step, what happened, and a note in grey."""
    sign, style = SIGNS.get(entry.sign, ("·", ""))
    when = Text(f"+{brief((entry.at - began).total_seconds())}".rjust(8), "dim")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    if entry.inner:
        grid.add_column(ratio=1)
        grid.add_row(when, Text(f"  {sign}", style), _noted(entry.text, "", entry.note))
        return grid
    grid.add_column(no_wrap=True, min_width=min(width, 40))
    grid.add_column(ratio=1)
    grid.add_row(when, Text(sign, style), Text(visible(entry.step), "bold"), _noted(entry.text, style, entry.note))
    return grid


def _noted(text: str, style: str, note: str) -> Text:
    told = Text(visible(text), style if style not in {"cyan", "green"} else "")
    return told.append(f"  {visible(note)}", "dim") if note else told


def state(value: str) -> Text:
    """Return a mission's state in its colour."""
    style = STATES.get(MissionState(value), "") if value in set(MissionState) else "dim"
    return Text(visible(value.replace("_", " ")), style)


def header(view: MissionView) -> RenderableType:
    """Return who the mission is, in two lines."""
    title = Text(visible(view.name), "bold").append(f" {visible(view.version)}", "dim")
    title.append("  ").append_text(state(view.state))
    if view.verdict:
        title.append(f"  {visible(view.verdict)}", "bold")
    facts = Text(visible(view.id), "dim")
    if view.requested_by:
        facts.append(f" · asked for by {visible(view.requested_by)}", "dim")
    if view.runs > 1:
        facts.append(f" · run {view.runs}", "dim")
    return Group(title, facts, "")


def ending(view: MissionView) -> RenderableType:
    """Return what it came to: the state, the verdict, the reason, what it cost."""
    told = Text("verdict  ", "dim") if view.verdict else Text("ended  ", "dim")
    told.append_text(Text(visible(view.verdict), "bold green") if view.verdict else state(view.state))
    if view.reason:
        told.append(f"  {visible(view.reason)}")
    return Group("", told, spent(view))


def spent(view: MissionView) -> Text:
    """Return what the work cost."""
    cost = view.spent
    runs, calls = _count(cost.agent_runs, "agent run"), _count(cost.tool_calls, "tool call")
    return Text("cost     ", "dim").append(f"{runs}, {calls}, {cost.seconds:.1f}s of work, ${cost.usd:.2f}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def context(gate: Opening) -> RenderableType:
    """Return what is shown beside a gate's question."""
    shown: list[RenderableType] = []
    for name, value in gate.context.items():
        told = _changes(value) if name == SHOWN and PLANNED.search(gate.subject.step) else None
        shown += [Text(visible(name), "bold"), *([Padding(told, (0, 0, 1, 2))] if told else [])]
        rest = {key: part for key, part in value.items() if key != "changes"} if told else value
        shown.append(Padding(data(rest), (0, 0, 1, 2)))
    return Group(*shown)


def _changes(plan: Any) -> Text | None:
    """Return in words what a plan changes; where it changes nothing, there are none."""
    from language.difference import Change
    from starter.diff import worded

    changes = tuple(Change.model_validate(change) for change in plan["changes"])
    return Text(visible(worded(changes).rstrip(), lines=True)) if changes else None


def opening(gate: Opening, now: datetime | None = None) -> RenderableType:
    """Return exactly what a decision on this opening would sign, but for the context: that is `context`."""
    subject = gate.subject
    rows: list[tuple[str, RenderableType]] = [
        ("question", Text(visible(subject.message, lines=True) or f"an {subject.kind}")),
        ("mission", Text(visible(f"{subject.name} · {subject.mission}"))),
        ("asked for by", Text(visible(subject.requested_by))),
    ]
    if subject.tool:
        rows.append(("action", Text(visible(subject.tool), "bold")))
    if subject.arguments is not None:
        rows.append(("arguments", data(subject.arguments)))
    if subject.compensation:
        rows.append(("undone by", Text(visible(subject.compensation))))
    rows += [(f"action {number}", _together(action)) for number, action in enumerate(subject.actions, 1)]
    if gate.context:
        rows.append(("context", Text(visible(f"{', '.join(gate.context)}; {subject.context_digest}"), "dim")))
    rows.append(("deciders", Text(_deciders(gate))))
    rows.append(("deadline", Text(deadline(gate.deadline, now))))
    rows.append(("digest", Text(visible(gate.digest), "dim")))
    special = {"review": "goes on at the deadline unless somebody objects", "facilitation": "talks"}
    waits = special.get(subject.kind, f"waits: {subject.kind}")
    title = Text(" ").append(visible(subject.step), "bold").append(f" {waits} ")
    return Panel(pairs(rows), title=title, title_align="left", border_style="yellow", padding=(1, 2))


def _together(action: Action) -> Text:
    """Return one of the actions that are approved together: what runs where, with what, and what undoes it."""
    told = Text(visible(action.tool), "bold").append(f"  at {visible(action.step)}", "dim")
    if action.arguments:
        told.append("\n").append_text(data(action.arguments))
    return told.append(f"\nundone by {visible(action.compensation)}", "dim") if action.compensation else told


def _deciders(gate: Opening) -> str:
    subject = gate.subject
    who = visible(" or ".join(subject.approvers))
    given = [vote.person for vote in gate.votes if vote.verb == "approve"]
    need = f"{who}; {subject.required} must approve" if subject.required > 1 else who
    return f"{need}, approved so far by {visible(', '.join(given))}" if given else need


def pairs(rows: Iterable[tuple[str, RenderableType]], style: str = "dim") -> Table:
    """Return names, in grey, beside what they stand for."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=style, no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for name, value in rows:
        grid.add_row(name, value)
    return grid


def data(value: Any) -> Text:
    """Return a JSON value as people read it, with everything hidden in it spelt out."""
    return Text(visible(_readable(value), lines=True))


def _readable(value: Any, indent: str = "") -> str:
    """Spell a value like YAML without its traps: strings stay quoted, so nothing can pose as a key."""
    if isinstance(value, Mapping) and value:
        return "\n".join(_entry(f"{key}:", item, indent) for key, item in value.items())
    if isinstance(value, list | tuple) and value:
        return "\n".join(f"{indent}- {_readable(item, indent + '  ').lstrip()}" for item in value)
    return json.dumps(value, ensure_ascii=False)


def _entry(label: str, item: Any, indent: str) -> str:
    label = json.dumps(label, ensure_ascii=False)[1:-1]
    if isinstance(item, Mapping | list | tuple) and item:
        return f"{indent}{label}\n{_readable(item, indent + '  ')}"
    return f"{indent}{label} {_readable(item)}"


def deadline(at: datetime | None, now: datetime | None = None) -> str:
    """Return how long is left."""
    if at is None:
        return "no deadline"
    left = (at - (now or datetime.now(UTC))).total_seconds()
    clock = at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{brief(left)} left ({clock})" if left > 0 else f"passed ({clock})"


def indented(what: RenderableType) -> Padding:
    """Return it, set in a little."""
    return Padding(what, (0, 0, 0, 2))


def claims(said: Claims) -> RenderableType:
    """Return what the signature says beyond what the gate asks."""
    rows: list[tuple[str, RenderableType]] = [("you sign", Text(f"{said.verb} as {visible(said.iss)}", "bold"))]
    if said.comment:
        rows.append(("comment", Text(visible(said.comment))))
    if said.changes is not None:
        rows.append(("new arguments", data(said.changes)))
    rows.append(("bound to", Text(f"{visible(said.digest)}, opening {visible(said.nonce)}", "dim")))
    return pairs(rows)


def bars(view: MissionView) -> RenderableType:
    """Return the timeline as bars: when each step ran, and for how long."""
    records = [record for record in view.records if record.ended_at and record.kind not in CONTAINERS]
    began = min((record.started_at for record in records), default=None)
    if began is None:
        return Text("no step has ended", "dim")
    whole = max((record.ended_at - began).total_seconds() for record in records if record.ended_at) or 1.0
    grid = Table.grid(padding=(0, 2))
    for record in sorted(records, key=lambda record: record.started_at):
        ended = record.ended_at or record.started_at
        start = (record.started_at - began).total_seconds() / whole
        length = (ended - record.started_at).total_seconds() / whole
        bar = " " * round(start * BAR) + "━" * max(1, round(length * BAR))
        style = "green" if record.status == "succeeded" else "red" if record.status == "failed" else "yellow"
        took = brief((ended - record.started_at).total_seconds())
        grid.add_row(
            Text(visible(record.path)),
            Text(bar[: BAR + 1], style),
            Text(took, "dim"),
            Text(visible(record.status), "dim"),
        )
    return grid
