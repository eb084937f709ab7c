"""`gonogo list`: a visibility query, so that it shows every mission of the namespace at once, ended ones too."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import operate
from starter.options import Json
from starter.output import console, document, print_rows
from starter.problem import DONE, Usage

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowExecution

State = Annotated[str, typer.Option("--state", metavar="STATE", help="Only missions in this state.")]
Most = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many, the newest first.")]


def list_missions(*, state: State = "", limit: Most = 100, as_json: Json = False) -> int:
    """List missions, the newest first."""
    from contracts.view import MissionState

    if state and state not in set(MissionState):
        raise Usage(f"there is no state {state!r}: choose one of {', '.join(MissionState)}")
    return operate(lambda client: _list(client, state, limit, as_json=as_json))


async def _list(client: "Client", state: str, limit: int, *, as_json: bool) -> int:
    wanted = "MissionName IS NOT NULL AND ExecutionStatus != 'ContinuedAsNew'"
    if state:
        wanted += f" AND MissionState = '{state}'"
    found = [summary(execution) async for execution in client.list_workflows(wanted, limit=limit)]
    if as_json:
        document(found)
    else:
        print_missions(found)
    return DONE


def summary(execution: "WorkflowExecution") -> dict[str, Any]:
    """Return a mission in short."""
    from contracts import attributes as names

    known = {pair.key.name: pair.value for pair in execution.typed_search_attributes}
    return {
        "id": execution.id,
        "mission": known.get(names.MISSION_NAME),
        "state": _state(execution, str(known.get(names.MISSION_STATE, "running"))),
        "verdict": known.get(names.MISSION_VERDICT),
        "team": known.get(names.MISSION_TEAM),
        "awaiting": known.get(names.AWAITING_ROLE) or [],
        "halted_by": known.get(names.HALTED_BY) or [],
        "started_at": iso(execution.start_time),
        "ended_at": iso(execution.close_time),
    }


def _state(execution: "WorkflowExecution", said: str) -> str:
    """Return what the mission says of itself, unless it was stopped before it could say so."""
    from temporalio.client import WorkflowExecutionStatus as Status

    from contracts.view import MissionState

    stopped = execution.status in {Status.TERMINATED, Status.TIMED_OUT, Status.FAILED, Status.CANCELED}
    begun = {MissionState.RUNNING, MissionState.WAITING, MissionState.HELD}
    unaware = said in {*begun, MissionState.COMPENSATING, MissionState.DEAD_LETTER}
    return execution.status.name.lower() if stopped and unaware and execution.status else said


def iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds") if at else None


def print_missions(found: list[dict[str, Any]]) -> None:
    """Print missions as a table."""
    from starter.render import state
    from starter.table import table

    out = console()
    if not found:
        out.print("no missions; start one with `gonogo start MISSION --input FILE`", style="dim", markup=False)
        return
    rows = [
        (
            item["id"],
            item["mission"] or "",
            state(item["state"]).append(" (halted)" if item["halted_by"] and not item["ended_at"] else ""),
            item["verdict"] or "",
            item["team"] or "",
            _when(item),
        )
        for item in found
    ]
    print_rows(table(("id", "mission", "state", "verdict", "team", "started"), rows))


def _when(item: dict[str, Any]) -> str:
    from starter.timeline import brief

    began = datetime.fromisoformat(item["started_at"])
    ended = datetime.fromisoformat(item["ended_at"]) if item["ended_at"] else None
    ago = f"{brief((datetime.now(UTC) - began).total_seconds())} ago"
    return f"{ago}, took {brief((ended - began).total_seconds())}" if ended else ago
