"""Ask for locks, and give them back: a mission's way to the table of its namespace.

Law: short, so that those who wait hold no worker up; a mission asks for itself alone; what the table says is asked of
the table, and what has been asked twice counts once. Whoever stands in the way and runs no more is found here.
`workflows/locks.py` is the table, `workflows/interpreter/hold.py` the waiting.
"""

import asyncio
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.failure import explained, failure
from activities.statement import show
from contracts.lock import (
    ASK,
    ASK_LOCKS,
    GONE,
    LOCKS,
    RELEASE,
    RELEASE_LOCKS,
    STANDING,
    Blocker,
    Claim,
    Holder,
    LocksInput,
    Standing,
)
from contracts.workspace import MISSION_QUEUE

PATIENCE = timedelta(seconds=8)
TRIES = 20
PAUSE = 0.05


class Locksmith:
    """The activities that reach the table. It is started where it is not there."""

    def __init__(self, client: Client, *, id: str = LOCKS, queue: str = MISSION_QUEUE) -> None:  # noqa: A002 (Temporal's word)
        self._client = client
        self._id = id
        self._queue = queue

    @activity.defn(name=ASK_LOCKS)
    async def ask(self, claim: Claim) -> Standing:
        """Take a place in the queue for all the locks of a step, or say how it stands there."""
        _own(claim.holder)
        try:
            table = await self._client.start_workflow(
                LOCKS,
                LocksInput(),
                id=self._id,
                task_queue=self._queue,
                start_signal=ASK,
                start_signal_args=[claim],
                rpc_timeout=PATIENCE,
            )
            standing = await self._standing(table, claim)
            if await self._free_the_dead(table, standing):
                standing = await self._standing(table, claim)
        except (RPCError, WorkflowQueryFailedError) as error:
            raise failure("unavailable", f"the locks cannot be asked for: {explained(error)}") from None
        return standing

    @activity.defn(name=RELEASE_LOCKS)
    async def release(self, holder: Holder) -> None:
        """Give locks back, or withdraw the claim. Where there is no table, there is nothing to give back."""
        _own(holder)
        try:
            await self._client.get_workflow_handle(self._id).signal(RELEASE, holder, rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise failure("unavailable", f"the locks cannot be given back: {explained(error)}") from None

    async def _standing(self, table: WorkflowHandle[object, object], claim: Claim) -> Standing:
        """Ask how a claim stands. Between two runs of the table a claim is not known for a moment."""
        handle = self._client.get_workflow_handle(table.id)
        for _ in range(TRIES):
            standing: Standing = await handle.query(STANDING, claim.holder, result_type=Standing, rpc_timeout=PATIENCE)
            if standing.state != "unknown":
                return standing
            await asyncio.sleep(PAUSE)
        raise failure("unavailable", "the locks were asked for, and their table does not know of it: it may be full")

    async def _free_the_dead(self, table: WorkflowHandle[object, object], standing: Standing) -> bool:
        """Tell the table of those in the way who run no more; return whether there were any."""
        missions = {(one.mission, one.first_run_id): one for one in standing.behind}
        found = [one for one in missions.values() if not await self._runs(one)]
        for one in found:
            holder = Holder(mission=one.mission, first_run_id=one.first_run_id, path=one.path)
            await self._client.get_workflow_handle(table.id).signal(GONE, holder, rpc_timeout=PATIENCE)
        return bool(found)

    async def _runs(self, blocker: Blocker) -> bool:
        """Whether a mission runs, in whatever run of its chain."""
        try:
            described = await self._client.get_workflow_handle(blocker.mission).describe(rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return False
            raise
        first = described.raw_description.workflow_execution_info.first_run_id
        return described.status == WorkflowExecutionStatus.RUNNING and first == blocker.first_run_id


def _own(holder: Holder) -> None:
    if holder.mission != activity.info().workflow_id:
        sentence = f"the locks are asked for in the name of {show(holder.mission)}, but another mission asks"
        raise failure("refused", sentence)
