"""Read a mission through its queries, page by page, and its running agents' newest observations.

The answers are `contracts/view.py`; the mission that gives them is `workflows/mission.py`.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from temporalio.client import Client, RPCTimeoutOrCancelledError, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode

from activities.mission_payloads import converter
from contracts.decision import Opening, Receipt, token_digest
from contracts.observation import Observation, observed, whose
from contracts.view import (
    GATES,
    OPENING,
    RECEIPT,
    STATE,
    GatesQuery,
    GatesView,
    MissionView,
    OpeningQuery,
    OpeningView,
    ReceiptQuery,
    ReceiptView,
    StateQuery,
)
from starter.connect import PATIENCE, understood

ASKED = 3
"""How often a question is asked within the patience for it."""
AT_LEAST = timedelta(seconds=1)
UNANSWERED = frozenset({RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED})


async def read_state(client: Client, mission: str, since: int = 0, patience: timedelta = PATIENCE) -> MissionView:
    """Return the mission with all records changed after a revision, in one view."""
    handle = client.get_workflow_handle(mission)
    records: list[Any] = []
    with understood(mission):
        while True:
            query = StateQuery(since=since)
            view: MissionView = await asked(handle, STATE, query, MissionView, patience)
            records.extend(view.records)
            if not view.more or view.revision <= since:
                return view.model_copy(update={"records": tuple(records), "more": False})
            since = view.revision


async def read_gates(
    client: Client, mission: str, patience: timedelta = PATIENCE, *, whole: bool = True
) -> list[Opening]:
    """Return a mission's open gates with everything that is signed; large ones only if `whole` with their context."""
    handle = client.get_workflow_handle(mission)
    gates: list[Opening] = []
    with understood(mission):
        while True:
            query = GatesQuery(after=gates[-1].subject.step if gates else "")
            view: GatesView = await asked(handle, GATES, query, GatesView, patience)
            cut = view.cut if whole else ()
            gates += [await _whole(handle, gate, patience) if gate.subject.step in cut else gate for gate in view.gates]
            if not view.more or not view.gates:
                return gates


async def _whole(handle: WorkflowHandle[Any, Any], gate: Opening, patience: timedelta) -> Opening:
    """Return a gate that is too large for one answer; as it came, where it has moved on meanwhile."""
    text = ""
    while True:
        query = OpeningQuery(step=gate.subject.step, nonce=gate.nonce, offset=len(text))
        view: OpeningView = await asked(handle, OPENING, query, OpeningView, patience)
        text += view.text
        if not view.text or len(text) >= view.total:
            break
    whole = len(text) == view.total > 0
    return (
        Opening.model_validate_json(text).model_copy(update={"votes": gate.votes, "risk": gate.risk}) if whole else gate
    )


async def read_receipt(client: Client, mission: str, token: str, patience: timedelta = PATIENCE) -> Receipt | None:
    """Wait for the receipt of a decision that was sent; return none when patience ends first."""
    handle = client.get_workflow_handle(mission)
    clock, query = asyncio.get_running_loop(), ReceiptQuery(token_digest=token_digest(token))
    until, pause = clock.time() + patience.total_seconds(), 0.01
    with understood(mission):
        while clock.time() < until:
            view: ReceiptView = await asked(handle, RECEIPT, query, ReceiptView, patience)
            if view.receipt is not None:
                return view.receipt
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.5)
    return None


async def live_observations(client: Client, mission: str, pending: Iterable[Any]) -> list[tuple[str, Observation]]:
    """Return what running agents have noticed so far, each with its activity's id.

    `pending` are the pending activities of a description: watching them writes nothing into the history.
    """
    found: list[tuple[str, Observation]] = []
    payloads = converter(client, mission)
    for activity in pending:
        if activity.heartbeat_details.payloads:
            details = await payloads.decode(activity.heartbeat_details.payloads)
            path = whose(details) or activity.activity_id
            found.extend((path, noticed) for noticed in observed(details))
    return found


async def asked(handle: WorkflowHandle[Any, Any], name: str, query: Any, kind: type, patience: timedelta) -> Any:
    """Ask a mission. A question is lost where a worker drops the mission meanwhile, so it is asked again."""
    each = max(patience / ASKED, min(patience, AT_LEAST))
    for _ in range(ASKED - 1):
        try:
            return await handle.query(name, query, result_type=kind, rpc_timeout=each)
        except RPCError as error:
            if error.status not in UNANSWERED:
                raise
        except RPCTimeoutOrCancelledError:
            pass
    return await handle.query(name, query, result_type=kind, rpc_timeout=each)
