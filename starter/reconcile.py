"""`gonogo reconcile`: find missions that no code of theirs can save any more, and open a dead letter for each.

A mission that was terminated from outside, ran out of its time on the server, cannot get through a workflow task, or
failed by a bug before it had undone what it did, is reset to its last good task. It keeps its id and first run, and so
its approvals and keys; by itself it begins nothing new then (`workflows/reset.py`). The law: whatever is found is told
with what was done about it, and found twice it is reset once.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import PATIENCE, operate
from starter.options import Json
from starter.output import console, document, print_rows, problem
from starter.problem import DONE, REFUSED, Usage

if TYPE_CHECKING:
    from temporalio.client import Client, WorkflowExecution, WorkflowExecutionDescription

Every = Annotated[str, typer.Option("--every", metavar="SPAN", help="Go on, and look again so often: 10m.")]
Since = Annotated[str, typer.Option("--since", metavar="SPAN", help="How far back to look for what has ended.")]
StuckAfter = Annotated[str, typer.Option("--stuck-after", metavar="SPAN", help="How long a task must have failed.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what there is; do nothing about it.")]
ATTEMPTS = 3
"""Failures of one workflow task: a worker that was just replaced has fewer."""
AT_ONCE = 20
OPENED, WOULD = "opened a dead letter", "would open a dead letter"
ENDED = "ExecutionStatus IN ('Terminated', 'TimedOut', 'Failed')"
UNFINISHED = "unfinished"
"""What a mission is found as that ended by itself, and left standing what it was to undo."""
OURS = "MissionName IS NOT NULL"


@dataclass(frozen=True)
class Bounds:
    """How far to look, and whether to act."""

    since: timedelta
    stuck_after: timedelta
    dry_run: bool = False


@dataclass(frozen=True)
class Found:
    """A mission that was found, why, and what was done about it."""

    id: str
    run: str
    what: str
    why: str
    did: str = ""
    good: bool = True


def reconcile(
    *,
    every: Every = "",
    since: Since = "7d",
    stuck_after: StuckAfter = "5m",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> int:
    """Open a dead letter for each mission that was terminated from outside, is stuck, or did not undo what it did.

    Missions that go on are left alone; a second time finds nothing more. Exit code 1: something needs you by hand.
    """
    bounds = Bounds(_span(since), _span(stuck_after), dry_run)
    pause = _span(every) if every else None
    return operate(lambda client: _rounds(client, bounds, pause, as_json=as_json))


def _span(text: str) -> timedelta:
    from contracts.duration import parse_duration

    try:
        span = parse_duration(text)
    except ValueError as error:
        raise Usage(f"{text!r} is no span of time: {error}") from None
    if not isinstance(span, timedelta):
        raise Usage(f"{text!r} is no span of time: write a duration such as '30m'")
    return span


async def _rounds(client: "Client", bounds: Bounds, pause: timedelta | None, *, as_json: bool) -> int:
    from temporalio.service import RPCError

    while True:
        try:
            found = await sweep(client, bounds)
        except RPCError as error:
            if pause is None:
                raise
            found = []
            problem(f"the server does not answer now: {error.message}")
        if found or pause is None:
            _tell(found, as_json=as_json)
        if pause is None:
            return DONE if all(one.good for one in found) else REFUSED
        await asyncio.sleep(pause.total_seconds())


async def sweep(client: "Client", bounds: Bounds) -> list[Found]:
    """Look once, and do about each mission what there is to be done."""
    few = asyncio.Semaphore(AT_ONCE)

    async def one(execution: "WorkflowExecution") -> Found | None:
        async with few:
            return await _settled(client, execution, bounds)

    seen = [execution async for execution in _suspects(client, bounds)]
    return [found for found in await asyncio.gather(*map(one, seen)) if found is not None]


async def _suspects(client: "Client", bounds: Bounds) -> "AsyncIterator[WorkflowExecution]":
    after = (datetime.now(UTC) - bounds.since).isoformat(timespec="seconds")
    for wanted in (f"{ENDED} AND CloseTime > '{after}'", "ExecutionStatus = 'Running'"):
        async for execution in client.list_workflows(f"{OURS} AND {wanted}"):
            yield execution


async def _settled(client: "Client", execution: "WorkflowExecution", bounds: Bounds) -> Found | None:
    """Look at one mission as it is now: a run that is not its latest is nobody's business any more."""
    from temporalio.service import RPCError

    handle = client.get_workflow_handle(execution.id)
    try:
        described = await handle.describe(rpc_timeout=PATIENCE)
        found = await _diagnosed(client, described, bounds) if described.run_id == execution.run_id else None
        if found is None or bounds.dry_run:
            return replace(found, did=WOULD) if found else None
        return await reset(client, found)
    except RPCError as error:
        return Found(execution.id, execution.run_id, "unknown", error.message, "nothing", good=False)


async def _diagnosed(client: "Client", described: "WorkflowExecutionDescription", bounds: Bounds) -> Found | None:
    from temporalio.client import WorkflowExecutionStatus as Status

    if described.status in {Status.TERMINATED, Status.TIMED_OUT}:
        what = described.status.name.lower().replace("_", " ")
        return Found(described.id, described.run_id, what, "")
    if described.status == Status.FAILED:
        return await _unfinished(client, described)
    task = described.raw_description.pending_workflow_task
    if described.status != Status.RUNNING or task.attempt < ATTEMPTS:
        return None
    since = (task.original_scheduled_time or task.scheduled_time).ToDatetime(UTC)
    if datetime.now(UTC) - since < bounds.stuck_after:
        return None
    return Found(described.id, described.run_id, "stuck", f"its workflow task has failed {task.attempt - 1} times")


async def _unfinished(client: "Client", described: "WorkflowExecutionDescription") -> Found | None:
    """Return a mission that failed in its saga. A saga that came to its end leaves another failure, or none."""
    from temporalio.client import WorkflowHistoryEventFilterType as Filter

    from activities.mission_payloads import converter
    from contracts.record import UNDOING
    from starter.history import Reader

    handle = client.get_workflow_handle(described.id, run_id=described.run_id)
    only = Filter.CLOSE_EVENT
    async for event in handle.fetch_history_events(event_filter_type=only, rpc_timeout=PATIENCE):
        failure = event.workflow_execution_failed_event_attributes.failure
        if failure.application_failure_info.type != "internal":
            continue
        said, _ = await Reader(converter(client, described.id)).failure(failure)
        if f", {UNDOING}: " in said:
            return Found(described.id, described.run_id, UNFINISHED, said.removeprefix("internal: ")[:400])
    return None


async def reset(client: "Client", found: Found) -> Found:
    """Reset a mission to the last workflow task that it got through, in this run or the one before."""
    from temporalio.api.common.v1 import WorkflowExecution
    from temporalio.api.enums.v1 import ResetReapplyType
    from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

    run, history = found.run, await _events(client, found.id, found.run)
    found = replace(found, why=await _why(client, found, history))
    if found.what == "stuck" and _was_reset(history):
        did = "nothing: it was reset before, and fails again; run the release that it began with, or a mended one"
        return replace(found, did=did, good=False)
    if found.what == UNFINISHED and _was_reset_for(UNFINISHED, history):
        did = "nothing: it was reset before, and fails again; undo by hand what `gonogo show` says is not undone"
        return replace(found, did=did, good=False)
    while (task := _last_good_task(history)) == 0:
        run = history[0].workflow_execution_started_event_attributes.continued_execution_run_id
        if not run:
            return replace(found, did="nothing: it had not begun, and did nothing; start it again")
        history = await _events(client, found.id, run)
    request = ResetWorkflowExecutionRequest(
        namespace=client.namespace,
        workflow_execution=WorkflowExecution(workflow_id=found.id, run_id=run),
        reason=_reason(client, found),
        workflow_task_finish_event_id=task,
        request_id=f"gonogo-reconcile-{found.run}",
        reset_reapply_type=ResetReapplyType.RESET_REAPPLY_TYPE_ALL_ELIGIBLE,
        identity="gonogo reconcile",
    )
    await client.workflow_service.reset_workflow_execution(request, timeout=PATIENCE)
    return replace(found, did=OPENED)


async def _events(client: "Client", mission: str, run: str) -> Any:
    return (await client.get_workflow_handle(mission, run_id=run).fetch_history(rpc_timeout=PATIENCE)).events


def _reason(client: "Client", found: Found) -> str:
    """Return what the server writes down as the reason. It keeps that in the clear: what was encrypted is left out."""
    hidden = client.data_converter.payload_codec is not None and found.what in {"stuck", UNFINISHED}
    return f"{found.what}: {'`gonogo audit` tells why' if hidden else found.why}"[:500]


async def _why(client: "Client", found: Found, history: Any) -> str:
    """Return why a mission was found: who ended it and what for, or how its task fails."""
    from activities.mission_payloads import converter
    from activities.past import cause
    from starter.history import Reader

    if found.what == UNFINISHED:
        return found.why
    if found.what != "stuck":
        return cause(history, "")
    failures = [event.workflow_task_failed_event_attributes.failure for event in history]
    last = [failure for failure in failures if failure.message][-1:]
    said = [(await Reader(converter(client, found.id)).failure(failure))[0] for failure in last]
    return f"{found.why}{f': {said[-1]}' if said else ''}"[:500]


def _was_reset(history: Any) -> bool:
    """Whether a run was reset and has got through no workflow task since."""
    from activities.past import reset_in

    at, _ = reset_in(history)
    return at > _last_good_task(history)


def _was_reset_for(what: str, history: Any) -> bool:
    """Whether a run was reset by a reconciler that had found it so."""
    from activities.past import reset_in

    _, facts = reset_in(history)
    return facts is not None and facts.failure.message.startswith(f"{what}: ")


def _last_good_task(history: Any) -> int:
    from temporalio.api.enums.v1 import EventType

    good = EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED
    return max((event.event_id for event in history if event.event_type == good), default=0)


def _tell(found: list[Found], *, as_json: bool) -> None:
    from starter.table import table

    if as_json:
        document([asdict(one) for one in found])
    elif not found:
        console().print(
            "no mission was terminated, is stuck, or left undone what it was to undo", style="dim", markup=False
        )
    else:
        rows = [(one.id, one.what, one.why, one.did) for one in found]
        print_rows(table(("id", "found", "why", "done"), rows))
