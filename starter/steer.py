"""`gonogo pause`, `resume`, `skip`, `retry`, `redirect`, `rollback`, `amend`, `note`, `interrupt`, `escalate`, `abort`.

Each is signed with the operator's own key and judged by the mission, as a decision is. The law: who steers says why.
"""

import asyncio
import time
import uuid
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import described, operate
from starter.many import Where as Many
from starter.many import Yes, to_each
from starter.options import Json, MissionId, Person
from starter.output import console, document
from starter.problem import DONE, REFUSED, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.command import CommandNote
    from contracts.decision import Claims, CommandVerb, Receipt

Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the record.")]
Where = Annotated[str, typer.Argument(metavar="STEP", help="The step: its path, or its name.", show_default=False)]
To = Annotated[str, typer.Option("--to", metavar="STEP", help="The step: its path, or its name.")]
Interrupt = Annotated[bool, typer.Option("--interrupt", help="End the agents that run; they begin anew afterwards.")]
Output = Annotated[str, typer.Option("--output", metavar="FILE", help="JSON that stands for its output. - is stdin.")]
Input = Annotated[str, typer.Option("--input", metavar="FILE", help="JSON laid over its input. - is stdin.")]
Value = Annotated[str, typer.Option("--value", metavar="FILE", help="JSON that it becomes. - is stdin.")]
Variable = Annotated[str, typer.Argument(metavar="NAME", help="An input, or a step's output.", show_default=False)]
AnyMission = Annotated[str, typer.Argument(metavar="[ID]", help="Id of the mission; or --where.")]
Failed = Annotated[str, typer.Argument(metavar="[STEP]", help="The step: its path, or its name.")]
Text = Annotated[str, typer.Argument(metavar="TEXT", help="What the agent is to know.", show_default=False)]
VALID_SECONDS = 300
PATIENCE = 30.0
"""Seconds to wait for a command to be carried out: what runs reports first."""


@dataclass(frozen=True)
class Order:
    """What an operator wants: of which mission, at which step, why, and what comes with it."""

    verb: "CommandVerb"
    mission: str
    step: str
    reason: str
    changes: dict[str, Any] | None = None
    where: str = ""
    """A query for many missions, in place of one."""


def pause(
    mission: AnyMission = "",
    *,
    reason: Reason,
    interrupt: Interrupt = False,
    where: Many = "",
    yes: Yes = False,
    person: Person = "",
    as_json: Json = False,
) -> int:
    """Start nothing new in a mission until it is resumed; its children follow."""
    changes = {"interrupt": True} if interrupt else None
    return command(Order("pause", mission, "", reason, changes, where), person, yes=yes, as_json=as_json)


def resume(
    mission: AnyMission = "",
    *,
    reason: Reason = "it may go on",
    where: Many = "",
    yes: Yes = False,
    person: Person = "",
    as_json: Json = False,
) -> int:
    """Let a paused mission go on exactly where it was."""
    return command(Order("resume", mission, "", reason, where=where), person, yes=yes, as_json=as_json)


def skip(
    mission: MissionId, step: Where, *, reason: Reason, output: Output = "", person: Person = "", as_json: Json = False
) -> int:
    """Go on without a step; past a gate only with that gate's own quorum."""
    changes = {"output": _read(output)} if output else None
    return command(Order("skip", mission, step, reason, changes), person, as_json=as_json)


def retry(
    mission: AnyMission = "",
    step: Failed = "",
    *,
    reason: Reason,
    input_: Input = "",
    where: Many = "",
    yes: Yes = False,
    person: Person = "",
    as_json: Json = False,
) -> int:
    """Begin a step anew, and what comes after it; what they did is undone first.

    Without STEP it is the one that failed, of a mission in the dead letter.
    """
    changes = {"input": _read(input_)} if input_ else None
    return command(Order("retry", mission, step, reason, changes, where), person, yes=yes, as_json=as_json)


def redirect(mission: MissionId, *, to: To, reason: Reason, person: Person = "", as_json: Json = False) -> int:
    """Go on at another step; what lies between is skipped."""
    return command(Order("redirect", mission, to, reason), person, as_json=as_json)


def rollback(mission: MissionId, *, to: To, reason: Reason, person: Person = "", as_json: Json = False) -> int:
    """Undo what was done from a step on, the last first, and go on from there."""
    return command(Order("rollback", mission, to, reason), person, as_json=as_json)


def amend(
    mission: MissionId, name: Variable, *, value: Value, reason: Reason, person: Person = "", as_json: Json = False
) -> int:
    """Change what later steps see in a variable."""
    changes = {"name": name, "value": _read(value)}
    return command(Order("amend", mission, "", reason, changes), person, as_json=as_json)


def note(mission: MissionId, step: Where, text: Text, *, person: Person = "", as_json: Json = False) -> int:
    """Tell an agent something: it sees that when it runs again."""
    return command(Order("note", mission, step, text), person, as_json=as_json)


def interrupt(mission: MissionId, step: Where, *, reason: Reason, person: Person = "", as_json: Json = False) -> int:
    """End the agent that runs at a step; the step fails."""
    return command(Order("interrupt", mission, step, reason), person, as_json=as_json)


def escalate(mission: MissionId, step: Where, *, reason: Reason, person: Person = "", as_json: Json = False) -> int:
    """Let the people of the escalation say how a failed step is to be taken."""
    return command(Order("escalate", mission, step, reason), person, as_json=as_json)


def abort(
    mission: AnyMission = "",
    *,
    reason: Reason,
    where: Many = "",
    yes: Yes = False,
    person: Person = "",
    as_json: Json = False,
) -> int:
    """End a mission for good; it undoes what it did first."""
    return command(Order("abort", mission, "", reason, where=where), person, yes=yes, as_json=as_json)


def _read(file: str) -> Any:
    from starter.document import read_document

    return read_document(file)


def command(order: Order, person: str, *, yes: bool = False, as_json: bool = False) -> int:
    """Sign a command, send it, and tell what came of it."""
    if not person:
        raise Usage(f"who steers? add --as PERSON to gonogo {order.verb}, or set GONOGO_PERSON")
    if not order.reason.strip():
        raise Usage("a note needs its words" if order.verb == "note" else "say why: --reason 'what happened'")

    if bool(order.mission) == bool(order.where):
        raise Usage(f"name one mission by its ID or many by --where: `gonogo {order.verb} --help` shows how")

    async def work(client: "Client") -> int:
        if order.where:
            give = partial(_given, client, order, person)
            return await to_each(client, order.where, order.verb, give, yes=yes, as_json=as_json)
        claims, receipt, noted = await steer(client, await _placed(client, order), person)
        return _tell(claims, receipt, noted, as_json=as_json)

    return operate(work)


async def _given(client: "Client", order: Order, person: str, mission: str) -> str:
    """Give an order that is for many missions to one of them; return what came of it."""
    mine = await _placed(client, replace(order, mission=mission))
    claims, receipt, noted = await steer(client, mine, person)
    if not _accepted(receipt, noted):
        raise Refused(receipt.reason or (noted.refused if noted is not None else ""))
    return noted.after if noted is not None else _still(claims)


async def _placed(client: "Client", order: Order) -> Order:
    """Return an order with its step: what is tried again without one is what failed."""
    from starter.state import read_state

    if order.verb != "retry" or order.step:
        return order
    await described(client, order.mission)
    letter = (await read_state(client, order.mission, since=MOST_RECENT)).letter
    if letter is None:
        raise Refused(f"mission {order.mission} waits with no failure: name the STEP to begin anew")
    return replace(order, step=letter.failure.step)


async def steer(client: "Client", order: Order, person: str) -> "tuple[Claims, Receipt, CommandNote | None]":
    """Sign and send a command; return its receipt, and what became of it as far as that is known in time."""
    from starter.sign import send, signed

    claims = await _claims(client, order, person)
    receipt = await send(client, claims, signed(person, claims))
    waits = receipt.accepted and order.verb != "abort"
    return claims, receipt, await _carried_out(client, order.mission, claims.jti) if waits else None


async def _claims(client: "Client", order: Order, person: str) -> "Claims":
    from contracts.decision import Claims

    description = await described(client, order.mission)
    if description.close_time is not None and description.status:
        ended = description.status.name.lower().replace("_", " ")
        begin = f"; `gonogo rerun {order.mission} --from STEP` begins it anew"
        again = begin if order.verb in {"retry", "redirect", "rollback"} else ""
        raise Refused(f"mission {order.mission} has ended ({ended}): it takes no command any more{again}")
    now = int(time.time())
    return Claims(
        iss=person,
        jti=str(uuid.uuid4()),
        iat=now,
        exp=now + VALID_SECONDS,
        mission=order.mission,
        run=description.raw_description.workflow_execution_info.first_run_id,
        step=order.step,
        nonce="",
        digest="",
        verb=order.verb,
        comment=order.reason,
        changes=order.changes,
    )


async def _carried_out(client: "Client", mission: str, jti: str) -> "CommandNote | None":
    """Wait until a command that was accepted has been carried out; what runs may have to report first."""
    from starter.state import read_state

    clock, pause_ = asyncio.get_running_loop(), 0.02
    until = clock.time() + PATIENCE
    while clock.time() < until:
        view = await read_state(client, mission, since=MOST_RECENT)
        found = next((one for one in view.commands if one.jti == jti), None)
        if found is not None:
            return found
        await asyncio.sleep(pause_)
        pause_ = min(2 * pause_, 1.0)
    return None


MOST_RECENT = 2**40
"""Only how the mission stands is asked for, none of its records."""


def _tell(claims: "Claims", receipt: "Receipt", noted: "CommandNote | None", *, as_json: bool) -> int:
    from starter.escape import visible

    accepted = _accepted(receipt, noted)
    if as_json:
        about = {"mission": claims.mission, "verb": claims.verb, "by": claims.iss, "jti": claims.jti}
        step = noted.step if noted is not None else receipt.step
        said = {"before": noted.before, "after": noted.after, "reason": noted.refused} if noted is not None else {}
        document({"reason": receipt.reason, **about, "accepted": accepted, "step": step, **said})
        return DONE if accepted else REFUSED
    if not accepted:
        raise Refused(f"refused: {receipt.reason or (noted.refused if noted is not None else '')}")
    where = f" at {visible(receipt.step)}" if receipt.step else ""
    what = visible(noted.after) if noted is not None else _still(claims)
    console().print(f"[green]●[/green] {claims.verb}{where}: {what}")
    return DONE


def _accepted(receipt: "Receipt", noted: "CommandNote | None") -> bool:
    return receipt.accepted and not (noted is not None and noted.refused)


def _still(claims: "Claims") -> str:
    if claims.verb == "abort":
        return f"it undoes what it did, then ends; see `gonogo follow {claims.mission}`"
    return f"accepted, and not carried out yet; see `gonogo show {claims.mission}`"
