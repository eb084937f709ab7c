"""`gonogo queue`: the decision queue. Visibility says which missions wait, their gates say for what."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.browse import iso
from starter.connect import operate
from starter.options import Json
from starter.output import console, document, print_rows
from starter.problem import DONE, Problem, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="Only what waits for this role or person.")]
QUICK = timedelta(seconds=5)
WIDEST = 200
AT_ONCE = 20
"""How many missions are asked at the same time."""


def queue(*, role: Role = "", as_json: Json = False) -> int:
    """Show what waits for people, the nearest deadline first."""
    if role and not all(letter.isalnum() or letter in "._@:-" for letter in role):
        raise Usage(f"{role!r} is no name of a role or person")
    return operate(lambda client: _queue(client, role, as_json=as_json))


async def _queue(client: "Client", role: str, *, as_json: bool) -> int:
    asked = f"AwaitingRole = '{role}'" if role else "AwaitingRole IS NOT NULL"
    missions = [one.id async for one in client.list_workflows(f"{asked} AND ExecutionStatus = 'Running'")]
    groups = await asyncio.gather(*(_waiting(client, mission, role) for mission in missions))
    waiting = sorted(
        (one for group in groups for one in group), key=lambda one: (one["deadline"] is None, one["deadline"])
    )
    if as_json:
        document(waiting)
    else:
        _print_queue(waiting)
        await _print_dead_letters(client, role)
    return DONE


async def _print_dead_letters(client: "Client", role: str) -> None:
    from starter.deadletter import count, waiting_line

    if number := await count(client, role):
        console().print(f"\n{waiting_line(number)}", markup=False, soft_wrap=True)


async def _waiting(client: "Client", mission: str, role: str) -> list[dict[str, Any]]:
    """Return the open gates of one mission; one entry that says why, when it cannot answer."""
    from starter.state import read_gates

    try:
        gates = await read_gates(client, mission, QUICK, whole=False)
    except Problem as error:
        return [{**dict.fromkeys(COLUMNS), "id": mission, "problem": str(error)}]
    return [_entry(gate) for gate in gates if not role or role in gate.subject.approvers]


COLUMNS = (
    "id",
    "mission",
    "step",
    "kind",
    "approvers",
    "required",
    "from",
    "approved_by",
    "deadline",
    "tool",
    "arguments",
    "actions",
    "digest",
)


def _entry(gate: Any) -> dict[str, Any]:
    subject = gate.subject
    return {
        "id": subject.mission,
        "mission": subject.name,
        "step": subject.step,
        "kind": subject.kind,
        "message": subject.message,
        "approvers": list(subject.approvers),
        "required": subject.required,
        "from": subject.seats,
        "approved_by": [vote.person for vote in gate.approvals()],
        "deadline": iso(gate.deadline),
        "tool": subject.tool,
        "arguments": subject.arguments,
        "actions": [one.model_dump(mode="json") for one in subject.actions],
        "digest": gate.digest,
    }


def _print_queue(waiting: list[dict[str, Any]]) -> None:
    from starter.table import table

    out = console()
    if not waiting:
        out.print("nothing waits for a decision", style="dim")
        return
    print_rows(table(("id", "step", "waits for", "what", "left"), [_row(one) for one in waiting]))


def _row(one: dict[str, Any]) -> tuple[str, str, str, str, str]:
    if "problem" in one:
        return one["id"], "?", "?", one["problem"], "?"
    return one["id"], one["step"], _asked(one), _what(one), _left(one["deadline"])


def _asked(one: dict[str, Any]) -> str:
    who = " or ".join(one["approvers"])
    seats = ", ".join(f"{count} {role}" for role, count in one["from"].items())
    need = f"{len(one['approved_by'])} of {one['required']}{f', {seats}' if seats else ''}"
    return f"{who} ({need})" if one["required"] > 1 else who


def _what(one: dict[str, Any]) -> str:
    if one["kind"] == "facilitation":
        return f"may speak: {one['message']}"
    actions = one["actions"] or ([one] if one["tool"] else [])
    if not actions:
        return str(one["message"] or one["kind"])
    what = "; ".join(_call(action["tool"], action["arguments"] or {}) for action in actions)
    return what if len(what) <= WIDEST else f"{what[:WIDEST]} … (`gonogo show {one['id']}` shows it whole)"


def _call(tool: str, arguments: dict[str, Any]) -> str:
    return f"{tool}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"


def _left(deadline: str | None) -> str:
    from starter.timeline import brief

    if deadline is None:
        return "no deadline"
    left = (datetime.fromisoformat(deadline) - datetime.now(UTC)).total_seconds()
    return brief(left) if left > 0 else "passed"
