"""`gonogo follow`, `gonogo show`: how a mission goes and how it stands."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from starter.connect import operate
from starter.options import Gate, Json, MissionId, Reveal
from starter.output import console, document
from starter.problem import DONE, REFUSED

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.view import MissionView
    from starter.watch import News


def follow(mission: MissionId, *, reveal: Reveal = False, as_json: Json = False) -> int:
    """Follow a mission until it ends. Ctrl-C stops only the following.

    With --json: wait for the end, then print the whole mission.
    """
    return operate(lambda client: follow_mission(client, mission, reveal=reveal, as_json=as_json))


def show(mission: MissionId, step: Gate = "", *, reveal: Reveal = False, as_json: Json = False) -> int:
    """Show how a mission stands and what it waits for.

    With STEP: all that a decision at this open gate would sign, nothing cut.
    """
    work = _show_gate if step else _show
    return operate(lambda client: work(client, mission, step, reveal=reveal, as_json=as_json))


async def follow_mission(client: "Client", mission: str, *, reveal: bool = False, as_json: bool = False) -> int:
    """Print a mission's story as it happens; say by the exit code whether it completed."""
    from starter.reading import demand_reading
    from starter.watch import watch

    await demand_reading(client, mission, "read_outputs")
    tell = _silent if as_json else teller(mission)
    async for news in watch(client, mission, reveal=reveal):
        tell(news)
    if as_json:
        document(news.view)
    else:
        from starter.costs import booked
        from starter.render import booked as shown

        for line in shown(await booked(mission, news.view.spent)):
            console().print(line)
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


async def _show_gate(client: "Client", mission: str, step: str, *, reveal: bool, as_json: bool) -> int:
    from starter import shown
    from starter.beside import tell
    from starter.sign import demand_honest, find_opening
    from starter.unsaid import learned

    gate = await find_opening(client, mission, step)
    demand_honest(gate)
    gate = (await learned(client, mission, reveal=reveal)).opening(gate)
    if as_json:
        document(gate)
        return DONE
    console().print(shown.whole(gate, await tell(client, gate)))
    return DONE


async def _show(client: "Client", mission: str, step: str, *, reveal: bool, as_json: bool) -> int:
    del step
    from starter.connect import described
    from starter.costs import booked
    from starter.discretion import discretion
    from starter.reading import demand_reading
    from starter.state import live_observations, read_state

    await demand_reading(client, mission, "read_outputs")
    description = await described(client, mission)
    known = await discretion(client, mission, reveal=reveal)
    view = known.view(await read_state(client, mission))
    if as_json:
        document(view)
        return DONE
    live = known.live(await live_observations(client, mission, description.raw_description.pending_activities))
    from starter.page import page

    console().print(page(view, live, await booked(view.id, view.spent)))
    return DONE
