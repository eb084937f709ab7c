"""`gonogo explain`: what the agents of a mission noticed on the way to their answers, and how risky its actions are.

What is live comes from heartbeats, the rest from the records; `starter/follow.py` shows the same as it happens.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import operate
from starter.options import Json, MissionId, Reveal
from starter.output import console, document
from starter.problem import DONE, Refused

if TYPE_CHECKING:
    from rich.console import RenderableType
    from temporalio.client import Client

    from contracts.observation import Observation
    from contracts.plan import Plan
    from contracts.record import Record
    from contracts.view import MissionView
    from language.forecast import Forecast

    Thought = tuple[Record, Sequence[Observation]]

Explained = Annotated[str, typer.Argument(metavar="[STEP]", help="A step: its path, or its last part; else all.")]


def explain(mission: MissionId, step: Explained = "", *, reveal: Reveal = False, as_json: Json = False) -> int:
    """Tell what agents noticed, their sources, what tools they asked, how sure they were; how risky actions are."""
    return operate(lambda client: _explain(client, mission, step, reveal=reveal, as_json=as_json))


async def _explain(client: "Client", mission: str, step: str, *, reveal: bool, as_json: bool) -> int:
    from starter.connect import described
    from starter.discretion import discretion
    from starter.reading import demand_reading
    from starter.state import live_observations, read_state

    _demand_no_code(mission)
    await demand_reading(client, mission, "read_outputs")
    description = await described(client, mission)
    known = await discretion(client, mission, reveal=reveal)
    view = known.view(await read_state(client, mission))
    live = known.live(await live_observations(client, mission, description.raw_description.pending_activities))
    thoughts = list(_thoughts(view, live, step))
    weighed = list(_weighed(known.plan, step))
    if step and not thoughts and not weighed:
        where = f"at a step {step!r}, and no action is weighed there"
        raise Refused(f"no agent of {mission} has worked {where}; `gonogo show {mission}` has the steps")
    if as_json:
        risks = [{"step": one.step, "risk": one} for one in weighed]
        document([*(_plain(record, noticed) for record, noticed in thoughts), *risks])
        return DONE
    out = console()
    for record, noticed in thoughts:
        for line in _lines(record, noticed):
            out.print(line)
    for line in _risks(weighed, view):
        out.print(line)
    return DONE


def _weighed(plan: "Plan | None", step: str) -> "Iterator[Forecast]":
    """Yield what each action may come to, or each action of one step."""
    from language.forecast import forecasts

    named = step.rpartition("/")[2].partition("[")[0]
    for one in forecasts(plan) if plan is not None else ():
        parts = {part.partition("[")[0] for part in one.step.split("/")}
        if not step or step == one.step or named in parts:
            yield one


def _risks(weighed: "Iterable[Forecast]", view: "MissionView") -> "Iterator[RenderableType]":
    """Yield a line for each action: how risky it may come to be, and how risky it was found where people were asked."""
    from rich.text import Text

    from language.forecast import brief
    from starter.escape import visible

    found = {record.path.rpartition("/")[2]: record.risk for record in view.records if record.risk is not None}
    for one in weighed:
        known = found.get(one.step.rpartition("/")[2])
        was = f"; found {known.score} ({known.level})" if known is not None else ""
        yield Text(visible(one.step), "bold").append(f"  {brief(one)}{visible(was)}", "dim")


def _demand_no_code(mission: str) -> None:
    from language.codes import codes

    if mission.upper() in codes():
        raise Refused(f"{mission} is the code of a finding: `gonogo finding {mission}` says what it means")


def _thoughts(
    view: "MissionView", live: "Iterable[tuple[str, Observation]]", step: str
) -> "Iterator[tuple[Record, Sequence[Observation]]]":
    """Yield each step at which an agent works or has worked, with what it noticed."""
    running: dict[str, list[Observation]] = {}
    for name, observation in live:
        running.setdefault(name.partition("~")[0], []).append(observation)
    for record in view.records:
        named = not step or step in {record.path, record.path.rpartition("/")[2]}
        noticed = record.observations or running.get(record.path, ())
        if named and (noticed or (step and record.kind in {"agent", "turn", "planning"})):
            yield record, noticed


def _lines(record: "Record", noticed: "Sequence[Observation]") -> "Iterator[RenderableType]":
    from rich.text import Text

    from starter import render
    from starter.escape import visible
    from starter.timeline import noticed as told

    head = Text(visible(record.path), "bold").append(f"  {visible(record.actor)}  {record.status}", "default")
    yield head.append(f"  {render.cost(record.cost())}", "dim")
    attempt = 1
    for observation in noticed:
        if observation.attempt != attempt:
            attempt = observation.attempt
            yield Text(f"{'':8} attempt {attempt}", "dim")
        line = told(record.path, observation, most=None)
        yield render.line(line, record.started_at, 0)
    if record.failure is not None:
        yield Text(f"{'':8} failed: {visible(record.failure.cause)}", "red")
    if record.sources:
        yield Text(f"{'':8} sources: {visible(', '.join(one.source for one in record.sources))}", "dim")
    yield Text("")


def _plain(record: "Record", noticed: "Sequence[Observation]") -> dict[str, Any]:
    return {
        "step": record.path,
        "agent": record.actor,
        "status": record.status,
        "usage": record.cost(),
        "observations": list(noticed),
        "sources": list(record.sources),
        "artifacts": list(record.artifacts),
    }
