"""`gonogo cancel`: stop a mission. What it did is undone before it ends; nothing here touches the world."""

from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import PATIENCE, described, operate, understood
from starter.options import MissionId
from starter.output import console
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the record.")]


def cancel(mission: MissionId, *, reason: Reason) -> int:
    """Cancel a mission; it undoes what it did, then ends."""
    if not reason.strip():
        raise Usage("say why: --reason 'what happened'")
    return operate(lambda client: _cancel(client, mission, reason))


async def _cancel(client: "Client", mission: str, reason: str) -> int:
    from activities.mission_payloads import converter, spelt

    description = await described(client, mission)
    if description.close_time is not None:
        ended = description.status.name.lower().replace("_", " ") if description.status else "ended"
        raise Refused(f"mission {mission} has already ended ({ended}): nothing to cancel")
    reason = await spelt(converter(client, mission), reason)
    with understood(mission):
        await client.get_workflow_handle(mission).cancel(reason=reason, rpc_timeout=PATIENCE)
    console().print(f"cancelling {mission}: it undoes what it did first; see `gonogo follow {mission}`", markup=False)
    return DONE
