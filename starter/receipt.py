"""`gonogo receipt`: what executors vouch for, read from the history, and held against their public keys.

The law: a receipt counts by its signature alone; what the history says beside it has to agree with it.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from starter.connect import operate, settings
from starter.options import Json
from starter.output import console, document
from starter.problem import DONE, Refused, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.call import ToolCall
    from contracts.receipt import Deed, Envelope, Statement
    from starter.history import Reader

Mission = Annotated[str, typer.Argument(metavar="[ID]", help="Id of the mission.", show_default=False)]
Step = Annotated[
    str, typer.Argument(metavar="[STEP]", help="Path of its step; with /undo behind it, of what undid it.")
]
Verify = Annotated[bool, typer.Option("--verify", help="Check signature, arguments and result; exit 1 otherwise.")]
File = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Check a receipt on file (`-` is standard input): no server."),
]
Services = Annotated[
    Path | None, typer.Option("--services", metavar="FILE", help="Public keys of services; else those of the home.")
]


class Kept(NamedTuple):
    """A receipt as the history has it: with the call that it is of, and what came of that."""

    envelope: "Envelope"
    call: "ToolCall"
    output: Any
    applied: str = ""
    """Where it failed: whether the world was changed, as the history says."""


def receipt(
    mission: Mission = "",
    step: Step = "",
    *,
    verify: Verify = False,
    file: File = None,
    services: Services = None,
    as_json: Json = False,
) -> int:
    """Show what the executor vouches for: what was done or failed, on whose approval, why, with what result."""
    if file is not None:
        _show([_checked(one, services) for one in _on_file(file)], [], as_json=as_json)
        return DONE
    if not (mission and step):
        raise Usage("name a mission and a step, or a receipt with --file")
    found = operate(lambda client: _read(client, mission, step))
    if not found:
        raise Refused(
            f"no executor has signed a receipt for {step} of {mission}; `gonogo show {mission}` names its steps"
        )
    if verify:
        _show([_agreed(_checked(one.envelope, services), one) for one in found], [], as_json=as_json)
    else:
        _show([_unchecked(one.envelope) for one in found], [one.envelope for one in found], as_json=as_json)
    return DONE


async def _read(client: "Client", mission: str, step: str) -> list[Kept]:
    from starter.reading import demand_reading

    await demand_reading(client, mission, "read_audit")
    return await kept_at(client, mission, step)


async def kept_at(client: "Client", mission: str, step: str) -> list[Kept]:
    """Return the receipts of a step, the first first: begun anew by operators, it has several."""
    from activities.mission_payloads import converter
    from contracts.call import EXECUTE_ACTION, ToolCall
    from starter.history import Reader, lineage

    reader, found = Reader(converter(client, mission)), []
    for part in await lineage(client, mission):
        calls: dict[int, ToolCall] = {}
        for event in part.history.events:
            asked = event.activity_task_scheduled_event_attributes
            if asked.activity_type.name == EXECUTE_ACTION:
                call = await reader.one(asked.input.payloads, ToolCall)
                if call is not None and f"/{call.path}".endswith(f"/{step}"):
                    calls[event.event_id] = call
            elif event.event_id >= part.since and (one := await _came_to(reader, event, calls)) is not None:
                found.append(one)
    return found


async def _came_to(reader: "Reader", event: Any, calls: "Mapping[int, ToolCall]") -> Kept | None:
    """Return the receipt of what came of a call, where an event is that and has one."""
    from contracts.call import ToolResult
    from contracts.receipt import RECEIPT

    done, failed = event.activity_task_completed_event_attributes, event.activity_task_failed_event_attributes
    if call := calls.get(done.scheduled_event_id):
        result = await reader.one(done.result.payloads, ToolResult)
        return Kept(result.receipt, call, result.output) if result and result.receipt else None
    if call := calls.get(failed.scheduled_event_id):
        cause, details = await reader.failure(failed.failure)
        receipt = details.get(RECEIPT)
        return Kept(receipt, call, cause, str(details.get("applied", "unknown"))) if receipt else None
    return None


def _on_file(file: Path) -> "list[Envelope]":
    """Return the receipts in a file, as `--json` prints them, or a single one."""
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
        value = json.loads(text)
    except (OSError, ValueError, RecursionError):
        value = None
    found = value if isinstance(value, list) else [value]
    if not found or not all(isinstance(one, dict) for one in found):
        raise Usage(f"{file} cannot be read as a receipt")
    return found


def _checked(envelope: "Envelope", services: Path | None) -> "Statement":
    from activities import service_keys
    from activities.envelope import NotSigned
    from activities.public_key import KeyRefused
    from activities.receipt import read

    path = services or settings().home / service_keys.FILE
    try:
        keys = service_keys.read(path).get("executor", ())
    except KeyRefused as error:
        raise Usage(str(error)) from None
    if not keys:
        raise Usage(f"{path} has no public key of the executor: name its file with --services")
    try:
        return read(envelope, keys)
    except NotSigned as error:
        raise Refused(f"the receipt does not count: {error}") from None


def _agreed(statement: "Statement", kept: Kept) -> "Statement":
    from activities.receipt import differences

    if wrong := list(differences(statement, kept.call, kept.output, kept.applied)):
        raise Refused(f"the receipt is signed, and the history beside it says otherwise: {', '.join(wrong)}")
    return statement


def _unchecked(envelope: "Envelope") -> "Statement":
    """Return what a receipt says, believed or not."""
    import base64

    from contracts.receipt import Statement

    try:
        return Statement.model_validate_json(base64.b64decode(str(envelope.get("payload", ""))))
    except ValueError:
        raise Refused("what is kept in the place of a receipt is none") from None


def _show(statements: "list[Statement]", envelopes: "list[Envelope]", *, as_json: bool) -> None:
    """Tell what receipts say: those whose envelopes are shown were not checked."""
    if as_json:
        document(envelopes or [one.model_dump(mode="json", by_alias=True) for one in statements])
        return
    from language.visible import visible

    for statement in statements:
        for name, text in _told(statement).items():
            console().print(f"{name:>10}  {visible(text)}", markup=False, soft_wrap=True)
        said = "not checked: --verify does" if envelopes else "verified: signed by an executor"
        console().print(f"{'signature':>10}  {said}", markup=False)


def _before(deed: "Deed") -> "Iterator[str]":
    """Yield what is known of each attempt before."""
    known = {one.attempt: one for one in deed.before}
    for number in range(1, deed.attempt):
        one = known.get(number)
        told = (
            f"failed at {one.ended_at.isoformat(timespec='milliseconds')}, {one.code}; {APPLIED[one.applied]}"
            if one
            else LOST
        )
        yield f"attempt {number} {told}"


LOST = "left no word; it may have been done"
APPLIED = {"no": "the world was not changed", "yes": "the world was changed", "unknown": "it may have been done"}


def _told(statement: "Statement") -> Mapping[str, str]:
    deed = statement.predicate
    by = ", ".join(f"{one.who} ({one.jti})" for one in deed.approvals)
    policies = f" by {', '.join(deed.policy.policies)}" if deed.policy.policies else ""
    told = {
        "did" if deed.outcome == "executed" else "tried": f"{deed.tool} ({deed.effect})"
        + (f", to undo {deed.undoes}" if deed.undoes else ""),
        "failed": f"{deed.code}; {APPLIED[deed.applied]}" if deed.outcome == "failed" else "",
        "before": "; ".join(_before(deed)),
        "at": f"{deed.step} of {deed.mission}, first run {deed.first_run_id}",
        "from": " to ".join(moment.isoformat(timespec="milliseconds") for moment in (deed.started_at, deed.ended_at)),
        "key": deed.key,
        "arguments": f"sha256:{deed.arguments.get('sha256', '')}",
        "result": f"sha256:{statement.subject[0].digest.get('sha256', '')}",
        "approved": f"by {by}, as {deed.approved}" if by else "",
        "policy": f"{deed.policy.outcome}{policies}, {deed.policy.version}" if deed.policy.outcome else "",
        "executor": deed.executor,
    }
    return {name: text for name, text in told.items() if text}
