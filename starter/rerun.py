"""`gonogo rerun`: begin a mission that has ended anew, from one of its steps; what was good before that is kept."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import described, operate, settings
from starter.options import Json, MissionId, Person
from starter.output import console, document
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.plan import MissionInput

From = Annotated[str, typer.Option("--from", metavar="STEP", help="The step: its path, or its name.")]
NewId = Annotated[str, typer.Option("--id", metavar="ID", help="Id of the new mission; else ID-rerun.")]


def rerun(mission: MissionId, *, from_: From, id_: NewId = "", person: Person = "", as_json: Json = False) -> int:
    """Begin a mission that has ended anew, from a step; what was done before it stays done."""
    if not person:
        raise Usage("who asks for it? add --as PERSON to gonogo rerun, or set GONOGO_PERSON")
    return operate(lambda client: _rerun(client, (mission, from_), id_ or f"{mission}-rerun", person, as_json=as_json))


async def _rerun(client: "Client", what: tuple[str, str], new: str, person: str, *, as_json: bool) -> int:
    from starter.launch import launch, signed
    from starter.people import demand_known
    from starter.start import demand_id

    mission, step = what
    demand_id(new)
    demand_known(person)
    description = await described(client, mission)
    if description.close_time is None:
        raise Refused(f"mission {mission} still runs: `gonogo retry {mission} {step}` begins that step anew in it")
    started = await launch(client, signed(settings().home, await _given(client, mission, step, person), new), new)
    if not started.new:
        raise Refused(f"mission {new} runs already: nothing was started; choose another --id")
    if as_json:
        document({"id": started.id, "run": started.run, "rerun_of": mission, "from": step})
        return DONE
    console().print(f"{started.id} started: {mission} anew from {step}\nnext: gonogo follow {started.id}", markup=False)
    return DONE


async def _given(client: "Client", mission: str, step: str, person: str) -> "MissionInput":
    """Return the input of the new mission: the same plan and inputs, and what was good."""
    from activities.mission_payloads import converter
    from contracts.plan import CURRENT, MissionInput
    from starter.history import Reader, runs_of
    from starter.state import read_state
    from workflows.interpreter.again import kept
    from workflows.interpreter.sense import Senseless
    from workflows.interpreter.spot import Unknown

    newest = (await runs_of(client, mission))[-1]
    payloads = newest.events[0].workflow_execution_started_event_attributes.input.payloads
    before = await Reader(converter(client, mission)).one(payloads, MissionInput)
    if before is None:
        raise Refused(f"{mission} is no mission")
    view = await read_state(client, mission)
    try:
        carried = kept(view.records, before.plan, step, datetime.now(UTC))
    except (Senseless, Unknown) as no:
        raise Refused(str(no)) from None
    more = {
        "carried": carried,
        "requested_by": person,
        "limits": CURRENT,
        "parent": None,
        "rerun_of": f"{mission} from {step}",
    }
    return before.model_copy(update=more)
