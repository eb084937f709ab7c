"""How missions look in a terminal: signs, colours, panels. No decision is made here, and nothing is shown unescaped."""

from collections.abc import Iterable
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from contracts.money import amount, price
from contracts.usage import Usage
from contracts.view import MissionState, MissionView
from starter.escape import visible
from starter.timeline import CONTAINERS, Line, brief

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
    "call": (">", "dim"),
    "answer": ("<", "dim"),
    "confidence": ("%", "dim"),
    "citation": ("»", "dim"),
    "artifact": ("+", "cyan"),
    "question": ("?", "yellow"),
    "command": ("▸", "bold yellow"),
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
    return Text("cost     ", "dim").append(cost(view.spent))


def booked(told: str) -> list[RenderableType]:
    """Return what the books know beside that."""
    return [Text("in all   ", "dim").append(told)] if told else []


def cost(spent: Usage) -> str:
    """Return a cost in words."""
    runs, calls = _count(spent.agent_runs, "agent run"), _count(spent.tool_calls, "tool call")
    tokens = f"{spent.tokens:,} tokens, " if spent.tokens else ""
    saved = f", {amount('usd', spent.saved_usd)} saved" if spent.saved_usd else ""
    models = f"{_count(spent.model_calls, 'model call')}, " if spent.model_calls else ""
    return f"{runs}, {calls}, {spent.seconds:.1f}s of work, {models}{tokens}{price(spent)}{saved}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def pairs(rows: Iterable[tuple[str, RenderableType]], style: str = "dim") -> Table:
    """Return names, in grey, beside what they stand for."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style=style, no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for name, value in rows:
        grid.add_row(name, value)
    return grid


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
