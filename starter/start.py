"""`gonogo start`: start a mission from its definition and one JSON document of inputs."""

import re
import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import operate, settings
from starter.options import Json, Person
from starter.output import console, document
from starter.problem import DONE, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from starter.launch import Started

Mission = Annotated[
    str, typer.Argument(metavar="MISSION", help="Name of the mission in the workspace.", show_default=False)
]
Input = Annotated[
    str, typer.Option("--input", metavar="FILE", help="Inputs as one JSON object; - reads standard input.")
]
Id = Annotated[str, typer.Option("--id", metavar="ID", help="Id of the mission; one is made up without it.")]
Follow = Annotated[bool, typer.Option("--follow", help="Follow it until it ends.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Ask every agent anew, whatever is kept of its answers.")]
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


def start(
    mission: Mission,
    *,
    inputs: Input,
    mission_id: Id = "",
    person: Person = "",
    follow: Follow = False,
    fresh: Fresh = False,
    as_json: Json = False,
) -> int:
    """Start a mission. Twice with one --id starts one mission."""
    from starter.document import read_document
    from starter.people import demand_known, directory

    chosen = mission_id or f"{mission}-{uuid.uuid4().hex[:8]}"
    demand_id(chosen)
    if not person:
        raise Usage(f"who asks for it? gonogo start {mission} … --as PERSON, or set GONOGO_PERSON")
    demand_known(person)
    given = read_document(inputs)

    async def work(client: "Client") -> int:
        from starter.follow import follow_mission
        from starter.launch import demand_permitted, launch, prepare, signed

        order = prepare(settings(), directory(), mission, given, person)
        order = signed(settings().home, order.model_copy(update={"fresh": fresh}), chosen)
        demand_permitted(settings(), order)
        started = await launch(client, order, chosen)
        if follow and as_json:
            return await follow_mission(client, chosen, as_json=True)
        _tell(started, order.plan.digest, as_json=as_json)
        return await follow_mission(client, chosen) if follow else DONE

    return operate(work)


def demand_id(chosen: str) -> None:
    """Refuse what cannot be a mission's id."""
    if not ID.fullmatch(chosen):
        raise Usage(f"{chosen!r} is no id: write up to 200 letters, digits or . _ : -")


def _tell(started: "Started", plan: str, *, as_json: bool) -> None:
    if as_json:
        told: dict[str, Any] = {"id": started.id, "run": started.run, "started": started.new, "plan_digest": plan}
        document(told)
        return
    how = "started" if started.new else "runs already under this id: nothing new was started"
    out = console()
    out.print(f"{started.id} {how}", markup=False)
    if started.new:
        out.print(f"next: gonogo follow {started.id}", style="dim", markup=False)
