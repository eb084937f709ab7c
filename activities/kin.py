"""Look at the missions that belong to a mission: the child that it started, the parent that started it.

The law: what is told here is what the server says of that very chain of runs; another mission under the same id is
nobody's kin. Each look is short: one that finds the other still under way fails and is tried again later, which holds
no worker and writes no history. `workflows/kin.py` asks.
"""

from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
)
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.service import RPCError, RPCStatusCode

from activities.failure import explained, failure
from activities.lineage import Lineage
from activities.statement import show
from contracts.attributes import MISSION_STATE
from contracts.child import (
    FIND_CHILD,
    STOP_CHILD,
    UNDO_CHILD,
    WATCH_CHILD,
    WATCH_PARENT,
    Child,
    Claim,
    Parent,
    ParentEnd,
    Report,
)
from contracts.plan import MissionResult
from contracts.view import STATE, MissionState, MissionView, StateQuery

PATIENCE = timedelta(seconds=5)
UNFINISHED = "unfinished"
NO_RECORDS = 2**53
"""A revision that no journal reaches: the answer has no records."""


class Kin:
    """The activities that look at other missions, and the one that cancels a child."""

    def __init__(self, client: Client, lineage: Lineage) -> None:
        self._client = client
        self._lineage = lineage

    @activity.defn(name=FIND_CHILD)
    async def find(self, claim: Claim) -> Child:
        """Return the child that a step has started before, if the mission with its id is that one.

        Whose child a mission is the server knows: whoever starts a workflow by hand cannot say it.
        """
        found = await self._any(claim.child)
        info = found.raw_description.workflow_execution_info
        parent = info.parent_execution
        mine = parent.workflow_id == claim.parent.id and info.type.name == claim.mission
        try:
            mine = mine and await self._lineage(parent.workflow_id, parent.run_id) == claim.parent.run
        except RPCError as error:
            raise unreachable(claim.parent.id, error) from None
        if not mine:
            raise failure("refused", f"there is or was a mission with the id {show(claim.child)}")
        return Child(id=claim.child, run=info.first_run_id, mission=claim.mission)

    @activity.defn(name=WATCH_CHILD)
    async def watch(self, child: Child) -> Report:
        """Return how a child ended, or that it is held."""
        found = await self._described(child.id, child.run)
        if not under_way(found):
            return await self._left_by(found, child)
        if said(found) == MissionState.HELD:
            return await self._held(child)
        raise unfinished(f"{child.id} is under way")

    @activity.defn(name=STOP_CHILD)
    async def stop(self, child: Child) -> None:
        """Cancel a child that is under way."""
        found = await self._described(child.id, child.run)
        if under_way(found):
            await self._cancel(child)

    @activity.defn(name=UNDO_CHILD)
    async def undo(self, child: Child) -> Report:
        """Return how a child ended, once it has undone what it did; fail for good where it ended without that."""
        found = await self._described(child.id, child.run)
        if under_way(found):
            await self._cancel(child)
            dead = said(found) == MissionState.DEAD_LETTER
            raise unfinished(f"{child.id} {'waits for people to undo it' if dead else 'is being undone'}")
        report = await self._ended(found)
        # One that completed while it was asked holds nothing: with effects to undo it would have stayed.
        if report.state in {*BY_FORCE, "internal"}:
            sentence = f"{child.id} ended {report.state.replace('_', ' ')}: what it did stands as it is"
            raise failure("refused", sentence, "unknown")
        return report.model_copy(update={"not_undone": await self._not_undone(child)})

    @activity.defn(name=WATCH_PARENT)
    async def parent(self, parent: Parent) -> ParentEnd:
        """Return how a parent ended."""
        found = await self._described(parent.id, parent.run)
        if under_way(found):
            raise unfinished(f"{parent.id} is under way")
        report = await self._ended(found)
        words = f"{parent.id} ended {report.state.replace('_', ' ')}"
        return ParentEnd(completed=report.state == MissionState.COMPLETED, reason=words)

    async def _described(self, mission: str, first_run: str) -> WorkflowExecutionDescription:
        """Return the latest run of a chain, as the server knows it."""
        found = await self._any(mission)
        if found.raw_description.workflow_execution_info.first_run_id != first_run:
            raise failure("not_found", f"another mission has the id {show(mission)} now")
        return found

    async def _any(self, mission: str) -> WorkflowExecutionDescription:
        try:
            return await self._client.get_workflow_handle(mission).describe(rpc_timeout=PATIENCE)
        except RPCError as error:
            raise unreachable(mission, error) from None

    async def _ended(self, found: WorkflowExecutionDescription) -> Report:
        """Return what a mission that is over came to."""
        handle = self._client.get_workflow_handle(found.id, run_id=found.run_id, result_type=MissionResult)
        try:
            result = await handle.result(follow_runs=False, rpc_timeout=PATIENCE)
        except WorkflowFailureError as error:
            return failed(error.cause, found.status)
        except RPCError as error:
            raise unreachable(found.id, error) from None
        return Report(state=result.state, verdict=result.verdict, reason=result.reason, spent=result.spent)

    async def _left_by(self, found: WorkflowExecutionDescription, child: Child) -> Report:
        """Return what a child that is over came to, and what of it stands."""
        report = await self._ended(found)
        if report.state == MissionState.COMPLETED:
            return report
        if report.state in BY_FORCE:
            return report.model_copy(update={"unsure": True})
        try:
            view = await self._view(child)
            # Who was cancelled ends without a word on what that cost.
            return report.model_copy(update={"not_undone": view.not_undone, "spent": view.spent})
        except WorkflowQueryFailedError:
            return report.model_copy(update={"unsure": True})

    async def _not_undone(self, child: Child) -> tuple[str, ...]:
        """Return what a child that was undone has left as it is. One that cannot say so may have left anything."""
        try:
            return (await self._view(child)).not_undone
        except WorkflowQueryFailedError as error:
            sentence = f"{child.id} cannot say whether it has undone everything: {explained(error)}"
            raise failure("refused", sentence, "unknown") from None

    async def _view(self, child: Child) -> MissionView:
        handle = self._client.get_workflow_handle(child.id)
        try:
            query = StateQuery(since=NO_RECORDS)
            view: MissionView = await handle.query(STATE, query, result_type=MissionView, rpc_timeout=PATIENCE)
        except RPCError as error:
            raise unreachable(child.id, error) from None
        return view

    async def _held(self, child: Child) -> Report:
        view = await self._view(child)
        if view.state != MissionState.HELD:
            raise unfinished(f"{child.id} is under way")
        return Report(state=MissionState.COMPLETED, verdict=view.verdict, spent=view.spent, held=True)

    async def _cancel(self, child: Child) -> None:
        handle = self._client.get_workflow_handle(child.id, first_execution_run_id=child.run)
        try:
            await handle.cancel(reason="its parent wants it undone", rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise unreachable(child.id, error) from None


BY_FORCE = ("terminated", "timed_out")
"""Ways to end in which a mission runs no code, and so undoes nothing."""


def failed(cause: BaseException | None, status: WorkflowExecutionStatus | None) -> Report:
    """Return what a mission came to that ended without a result; a bug of ours is `internal`."""
    if isinstance(cause, ApplicationError):
        details: Any = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        state = "internal" if cause.type == "internal" else MissionState.FAILED
        spent = MissionResult.model_validate({"state": state, **details}).spent
        return Report(state=state, reason=cause.message, spent=spent)
    if status is not None and status.name.lower() in BY_FORCE:
        return Report(state=status.name.lower(), reason=explained(cause) if cause else "")
    return Report(state=MissionState.CANCELLED, reason=str(cause or ""))


def under_way(found: WorkflowExecutionDescription) -> bool:
    """Whether a chain goes on: its latest run is open, or has just handed over."""
    return found.close_time is None or found.status == WorkflowExecutionStatus.CONTINUED_AS_NEW


def said(found: WorkflowExecutionDescription) -> str:
    """Return how a mission says that it stands."""
    values: Any = found.search_attributes.get(MISSION_STATE) or [""]
    return str(values[0])


def unfinished(sentence: str) -> ApplicationError:
    """Return what a look raises that came too early: no fault, and so no alarm."""
    return ApplicationError(sentence, type=UNFINISHED, category=ApplicationErrorCategory.BENIGN)


def unreachable(mission: str, error: RPCError) -> ApplicationError:
    sentence = f"{show(mission)} cannot be looked up: {explained(error)}"
    return failure("not_found" if error.status == RPCStatusCode.NOT_FOUND else "unavailable", sentence)
