"""`gonogo locks`: what is held, by whom, since when, and who waits for it."""

from typing import TYPE_CHECKING, Any

from starter.connect import PATIENCE, operate, understood
from starter.options import Json
from starter.output import console, document, print_rows
from starter.problem import DONE

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.lock import LockView


def locks(*, as_json: Json = False) -> int:
    """Show the locks that missions hold or wait for."""
    return operate(lambda client: _locks(client, as_json=as_json))


async def _locks(client: "Client", *, as_json: bool) -> int:
    found = [_told(lock, await _runs(client, lock)) for lock in await read_locks(client)]
    if as_json:
        document(found)
    else:
        _print(found)
    return DONE


async def read_locks(client: "Client") -> "list[LockView]":
    """Return all locks. Where nobody ever asked for one, there is no table, and there are none."""
    from temporalio.service import RPCError, RPCStatusCode

    from contracts.lock import LOCKS, TABLE, TableQuery, TableView

    handle = client.get_workflow_handle(LOCKS)
    found: list[LockView] = []
    with understood(LOCKS):
        while True:
            query = TableQuery(after=found[-1].lock if found else "")
            try:
                view: TableView = await handle.query(TABLE, query, result_type=TableView, rpc_timeout=PATIENCE)
            except RPCError as error:
                if error.status == RPCStatusCode.NOT_FOUND:
                    return []
                raise
            found.extend(view.locks)
            if not view.more:
                return found


async def _runs(client: "Client", lock: "LockView") -> bool:
    """Whether the holder runs. One that does not loses the lock as soon as somebody asks for it."""
    from temporalio.service import RPCError, RPCStatusCode

    if not lock.mission:
        return True
    try:
        described = await client.get_workflow_handle(lock.mission).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return False
        raise
    first = described.raw_description.workflow_execution_info.first_run_id
    return described.close_time is None and first == lock.first_run_id


def _told(lock: "LockView", runs: bool) -> dict[str, Any]:
    from starter.browse import iso

    waiting = [{"mission": one.mission, "step": one.path, "since": iso(one.since)} for one in lock.waiting]
    return {
        "lock": lock.lock,
        "holder": lock.mission or None,
        "step": lock.path or None,
        "since": iso(lock.since),
        "holder_runs": runs,
        "waiting": waiting,
    }


def _print(found: list[dict[str, Any]]) -> None:
    from starter.table import table

    if not found:
        console().print("no locks are held", style="dim", markup=False)
        return
    print_rows(table(("lock", "holder", "step", "for", "waiting, in turn"), [_row(one) for one in found]))


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    holder = one["holder"] or ""
    holder += "" if one["holder_runs"] else " (runs no more)"
    waiting = ", ".join(f"{waiter['mission']} ({waiter['step']})" for waiter in one["waiting"])
    return one["lock"], holder, one["step"] or "", _ago(one["since"]), waiting


def _ago(since: str | None) -> str:
    from datetime import UTC, datetime

    from starter.timeline import brief

    return brief((datetime.now(UTC) - datetime.fromisoformat(since)).total_seconds()) if since else ""
