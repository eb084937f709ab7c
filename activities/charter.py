"""Under which plan a mission was started, as the server tells it, and whether people have signed that.

Law: the mission is not asked. Its first run was started with a plan, which nobody can change afterwards; where
signatures are required, that plan has to be signed by somebody who may sign now, and has to name the tool that is
called. What a workflow worker does with a signed plan is not seen from here: gates and contracts bind that.
"""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.lineage import Lineage
from activities.mission_payloads import converter
from activities.people import Directory, Unreadable
from activities.signature import why_plan_unsigned
from activities.statement import Refusal, show
from contracts.call import ToolCall
from contracts.plan import MissionInput, Plan

MOST = 1_000
PATIENCE = timedelta(seconds=5)


class Charters:
    """Reads each mission's plan once."""

    def __init__(self, client: Client, directory: Directory, lineage: Lineage, required: Sequence[str]) -> None:
        self._client = client
        self._directory = directory
        self._lineage = lineage
        self._required = tuple(required)
        self._known: dict[tuple[str, str], Plan] = {}

    async def demand(self, call: ToolCall) -> None:
        """Raise `Refusal` where a call is of a mission whose plan has to be signed, and is not."""
        if not self._required:
            return
        info = activity.info()
        mission = info.workflow_id or ""
        plan = await self._plan(mission, await self._lineage(mission, info.workflow_run_id or ""))
        try:
            why = why_plan_unsigned(self._required, plan, self._directory.people())
        except Unreadable as error:
            raise Refusal(f"no signature can be checked now: {error}") from None
        if why:
            raise Refusal(why)
        if call.tool not in plan.tools:
            raise Refusal(f"the plan that was signed does not use {show(call.tool)}")

    async def _plan(self, mission: str, first: str) -> Plan:
        known = self._known.get((mission, first))
        if known is not None:
            return known
        plan = await self._read(mission, first)
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[mission, first] = plan
        return plan

    async def _read(self, mission: str, first: str) -> Plan:
        handle = self._client.get_workflow_handle(mission, run_id=first)
        try:
            event = await anext(handle.fetch_history_events(page_size=1, rpc_timeout=PATIENCE))
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            raise Refusal("the server keeps the mission's first run no longer: nobody knows what was signed") from None
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        try:
            given: MissionInput
            [given] = await converter(self._client, mission).decode(list(payloads), [MissionInput])
        except Exception:
            raise Refusal("the plan that the mission was started with cannot be read") from None
        return given.plan
