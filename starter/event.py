"""`gonogo event`: tell a mission that something happened which a step of it waits for."""

import uuid
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import PATIENCE, described, operate, understood
from starter.options import MissionId
from starter.output import console
from starter.problem import DONE, Refused

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.event import Event

Name = Annotated[str, typer.Argument(metavar="EVENT", help="Name of the event.", show_default=False)]
Key = Annotated[str, typer.Option("--key", metavar="TEXT", help="Which of its kind, where the step asks for one.")]
Payload = Annotated[
    str, typer.Option("--payload", metavar="FILE", help="JSON that comes with it. - is stdin.", show_default=False)
]
Id = Annotated[str, typer.Option("--id", metavar="TEXT", help="The same id twice is one event.", show_default=False)]


def event(mission: MissionId, name: Name, *, key: Key = "", payload: Payload = "", id_: Id = "") -> int:
    """Tell a mission that something happened which it waits for."""
    from contracts.event import Event
    from starter.document import read_document

    happened = Event(
        event=name, key=key, payload=read_document(payload) if payload else None, id=id_ or uuid.uuid4().hex
    )
    return operate(lambda client: _send(client, mission, happened))


async def _send(client: "Client", mission: str, happened: "Event") -> int:
    from contracts.event import EVENT

    description: Any = await described(client, mission)
    if description.close_time is not None:
        raise Refused(f"mission {mission} has ended: it waits for no event any more")
    with understood(mission):
        await client.get_workflow_handle(mission).signal(EVENT, happened, rpc_timeout=PATIENCE)
    about = f" ({happened.key})" if happened.key else ""
    console().print(f"told {mission} of {happened.event}{about}; it is kept until a step waits for it", markup=False)
    return DONE
