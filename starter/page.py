"""One mission on one page, as `gonogo show` prints it: its steps, what it waits for, what it cost."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.text import Text

from contracts.call import Observation
from contracts.view import OVER, MissionView, Waiting
from starter import render
from starter.escape import command, visible
from starter.timeline import Timeline


def page(view: MissionView, live: Iterable[tuple[str, Observation]], booked: str = "") -> RenderableType:
    """Return the page: the story so far, then what is open."""
    lines = Timeline().news(view, live)
    began = view.started_at or (lines[0].at if lines else datetime.now(UTC))
    width = max((len(record.path) for record in view.records), default=0)
    story = [render.line(line, began, width) for line in lines]
    end = render.ending(view) if _over(view) else _cost(view)
    return Group(render.header(view), *story, *_open(view), end, *render.booked(booked))


def _over(view: MissionView) -> bool:
    return view.state in OVER


def _cost(view: MissionView) -> RenderableType:
    return Group("", render.spent(view))


def _open(view: MissionView) -> list[RenderableType]:
    if _over(view):
        return []
    gates = [f"{_verb(gate)} at {visible(gate.step)}: {_asked(gate, view.id)}" for gate in view.waiting]
    notes = [record.halted for record in view.records if record.halted and record.halted.state == "waiting"]
    halts = [f"waits at {visible(note.path)}: {visible(str(halt))}" for note in notes for halt in note.halts]
    letter = [_failed(view)] if view.letter is not None else []
    return [*letter, *(Text(f"\n{line}", "yellow") for line in (*_paused(view), *gates, *halts))]


def _failed(view: MissionView) -> RenderableType:
    if view.letter is None:
        raise AssertionError
    who, left = visible(" or ".join(view.operators)), render.deadline(view.letter.deadline)
    told = Text(f"\nfailed at {visible(view.letter.failure.step)}: {visible(str(view.letter.failure))}", "red")
    told.append(f"\nwaits for {who} to say how it goes on, {left}; ", "yellow")
    return told.append(command("deadletter", view.id), "yellow").append(" shows the ways on", "yellow")


def _paused(view: MissionView) -> Iterator[str]:
    """Yield who paused it, and how it goes on."""
    if view.paused is not None:
        said = f"paused by {visible(view.paused.by)}: {visible(view.paused.reason)}"
        yield f"{said}; {command('resume', view.id)}"


def _verb(gate: Waiting) -> str:
    return "talks" if gate.kind == "facilitation" else "waits"


def _asked(gate: Waiting, view_id: str) -> str:
    who = visible(" or ".join(gate.approvers))
    if gate.kind == "review":
        objecting = f"{command('reject', view_id, gate.step)} --comment 'why'"
        return f"it goes on unless {who} objects, {render.deadline(gate.deadline)}; {objecting}"
    if gate.kind == "facilitation":
        return f"{who} may speak; {command('facilitate', view_id, gate.step, 'interject')} --comment 'what'"
    if gate.kind == "task":
        return f"{who} to answer, {render.deadline(gate.deadline)}; {command('answer', view_id, gate.step)} --file FILE"
    tools = ", ".join(gate.tools) or gate.tool
    what = f" to allow {visible(tools)}" if tools else ""
    return f"{who}{what}, {render.deadline(gate.deadline)}; {command('approve', view_id, gate.step)}"
