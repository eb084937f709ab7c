"""The five steps as an engineer would write them straight on Temporal: same activities, same gate, same saga.

Nothing is left out that the mission does for its author's promises (policy is asked of every step before the first, the
gate is signed, judged under these rules and has a deadline, the action is undone when a later step fails); everything
is left out that makes it general, or visible to operators.
"""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from bench.five_steps import ADMIT_BY_HAND, AGENTS, DRIVER_QUEUE, Admitted
    from contracts.base import digest
    from contracts.call import EXECUTE_ACTION, JUDGE_DECISION, RUN_AGENT, AgentCall, AgentResult, ToolCall, ToolResult
    from contracts.decision import DECIDE, Hearing, Opening, Ruling, Subject
    from contracts.view import GATES, GatesQuery, GatesView

THREE = RetryPolicy(maximum_attempts=3)


@workflow.defn(name="bench_by_hand")
class ByHand:
    """Enrich, correlate, approve, isolate, report."""

    def __init__(self) -> None:
        self._opening: Opening | None = None
        self._tokens: list[str] = []
        self._approved = False

    @workflow.run
    async def run(self, given: dict[str, Any]) -> str:
        alert = given["alert"]
        rules = await self._admitted(given["requested_by"])
        facts = await self._agent("retriever", "enrich", {"alert": alert})
        triage = await self._agent("correlator", "correlate", {"alert": alert, "facts": facts})
        if not await self._approval(triage, rules):
            return "dismiss"
        arguments = {"host": alert["host"]}
        isolation = await self._tool("isolate_host", "isolate", arguments)
        try:
            for number in range(1 + given["more"]):
                await self._agent("reporter", f"report_{number}", {"triage": triage, "isolation": isolation})
        except (ActivityError, asyncio.CancelledError):
            await asyncio.shield(self._tool("release_host", "isolate/undo", arguments))
            raise
        return str(triage["verdict"])

    @workflow.signal(name=DECIDE)
    def decide(self, token: str) -> None:
        self._tokens.append(token)

    @workflow.query(name=GATES)
    def gates(self, query: GatesQuery) -> GatesView:
        del query
        return GatesView(gates=(self._opening,) if self._opening else ())

    async def _agent(self, name: str, path: str, context: dict[str, Any]) -> Any:
        call = AgentCall(
            mission=workflow.info().workflow_id, path=path, name=name, agent=AGENTS[name], task=path, context=context
        )
        result = await workflow.execute_activity(
            RUN_AGENT,
            call,
            result_type=AgentResult,
            task_queue=DRIVER_QUEUE if AGENTS[name].queue == DRIVER_QUEUE else None,
            start_to_close_timeout=timedelta(minutes=2),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=THREE,
        )
        if result.errors:
            raise ApplicationError("output invalid", non_retryable=True)
        return result.output

    async def _tool(self, name: str, path: str, arguments: dict[str, Any]) -> Any:
        info = workflow.info()
        key = digest([info.workflow_id, info.first_execution_run_id, path, digest(arguments)])
        result = await workflow.execute_activity(
            EXECUTE_ACTION,
            ToolCall(mission=info.workflow_id, path=path, tool=name, arguments=arguments, key=key),
            result_type=ToolResult,
            start_to_close_timeout=timedelta(seconds=30),
            heartbeat_timeout=timedelta(seconds=10),
            retry_policy=THREE,
        )
        return result.output

    async def _admitted(self, requester: str) -> str:
        admitted = await workflow.execute_activity(
            ADMIT_BY_HAND, requester, result_type=Admitted, start_to_close_timeout=timedelta(seconds=30)
        )
        if not admitted.allowed:
            raise ApplicationError("policy does not allow it", non_retryable=True)
        return str(admitted.governance)

    async def _approval(self, triage: Any, rules: str) -> bool:
        info = workflow.info()
        subject = Subject(
            mission=info.workflow_id,
            first_run_id=info.first_execution_run_id,
            name="bench",
            step="approve",
            approvers=("lead",),
            context_digest=digest(triage),
            governance=rules,
        )
        deadline = workflow.now() + timedelta(minutes=30)
        self._opening = Opening(
            subject=subject,
            digest=subject.digest(),
            nonce=workflow.uuid4().hex,
            opened_at=workflow.now(),
            deadline=deadline,
        )
        judging = asyncio.create_task(self._judge())
        try:
            await workflow.wait_condition(lambda: self._approved, timeout=timedelta(minutes=30))
        except TimeoutError:
            return False
        finally:
            judging.cancel()
            self._opening = None
        return True

    async def _judge(self) -> None:
        while True:
            await workflow.wait_condition(lambda: bool(self._tokens))
            info = workflow.info()
            hearing = Hearing(
                token=self._tokens.pop(0),
                received_at=workflow.now(),
                mission=info.workflow_id,
                first_run_id=info.first_execution_run_id,
                openings=(self._opening,) if self._opening else (),
            )
            ruling = await workflow.execute_activity(
                JUDGE_DECISION, hearing, result_type=Ruling, start_to_close_timeout=timedelta(seconds=5)
            )
            self._approved = ruling.accepted and ruling.verb == "approve"
