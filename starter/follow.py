"""`gonogo follow`, `gonogo show`: how a mission goes and how it stands."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from starter.connect import operate
from starter.options import Gate, Json, MissionId
from starter.output import console, document
from starter.problem import DONE, REFUSED

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.view import MissionView
    from starter.watch import News


def follow(mission: MissionId, *, as_json: Json = False) -> int:
    """Follow a mission until it ends. Ctrl-C stops only the following.

    With --json: wait for the end, then print the whole mission.
    """
    return operate(lambda client: follow_mission(client, mission, as_json=as_json))


def show(mission: MissionId, step: Gate = "", *, as_json: Json = False) -> int:
    """Show how a mission stands and what it waits for.

    With STEP: all that a decision at this open gate would sign, nothing cut.
    """
    return operate(lambda client: (_show_gate if step else _show)(client, mission, step, as_json=as_json))


async def follow_mission(client: "Client", mission: str, *, as_json: bool = False) -> int:
    """Print a mission's story as it happens; say by the exit code whether it completed."""
    from starter.watch import watch

    tell = _silent if as_json else teller(mission)
    async for news in watch(client, mission):
        tell(news)
    if as_json:
        document(news.view)
    return verdict_code(news.view)


def verdict_code(view: "MissionView") -> int:
    """Return 0 for a mission that reached a verdict of its own, else 1."""
    return DONE if view.state == "completed" else REFUSED


def teller(mission: str, *, hints: bool = True) -> "Callable[[News], None]":
    """Return what prints a mission's news: who it is, then each line once, then what it came to."""
    from starter import render
    from starter.escape import command

    out, told = console(), False

    def tell(news: "News") -> None:
        nonlocal told
        if not told:
            out.print(render.header(news.view))
            told = True
        width = max((len(record.path) for record in news.view.records), default=0)
        for line in news.lines:
            out.print(render.line(line, news.began, width))
            if hints and line.sign == "waiting" and any(line.step == gate.step for gate in news.view.waiting):
                hint = command("approve", mission, line.step)
                out.print(f"{'':9}  {hint}", style="dim", markup=False, soft_wrap=True)
        if news.over:
            out.print(render.ending(news.view))

    return tell


def _silent(news: "News") -> None:
    """Say nothing: the document comes at the end."""


async def _show_gate(client: "Client", mission: str, step: str, *, as_json: bool) -> int:
    from starter import shown
    from starter.beside import tell
    from starter.sign import demand_honest, find_opening

    gate = await find_opening(client, mission, step)
    demand_honest(gate)
    if as_json:
        document(gate)
        return DONE
    console().print(shown.whole(gate, await tell(client, gate)))
    return DONE


async def _show(client: "Client", mission: str, step: str, *, as_json: bool) -> int:
    del step
    from starter.connect import described
    from starter.state import live_observations, read_state

    description = await described(client, mission)
    view = await read_state(client, mission)
    if as_json:
        document(view)
        return DONE
    live = await live_observations(client, description.raw_description.pending_activities)
    from starter.page import page

    console().print(page(view, live))
    return DONE
