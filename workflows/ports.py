"""The interpreter's ports, bound to Temporal. With `lock_ports.py` and `halt_ports.py` all that names an activity.

Agents and tools are activities on the queues of the teams that own them; the judging of a decision and the loading of a
plan are activities on the missions' own. None is a local activity: one that a query overtakes ends in another workflow
task than on replay, and such a history never replays (ADR 16). Missions from before keep theirs.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from opentelemetry.trace import get_tracer, use_span
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, is_cancelled_exception

from contracts.call import (
    EXECUTE_ACTION,
    RUN_AGENT,
    WATCH_AGENT,
    AgentCall,
    AgentResult,
    Assent,
    ToolCall,
    ToolResult,
    idempotency_key,
)
from contracts.child import UNDO_CHILD, WATCH_CHILD, WATCH_PARENT, Child, Parent, ParentEnd, Report
from contracts.notice import Notice
from contracts.plan import Limits, MissionInput, Plan
from contracts.planned import LOAD_PLAN, LoadedPlan, PlanOrder
from contracts.step import Retry
from workflows.beside import beside, demand_sendable, in_force
from workflows.failed import translated
from workflows.halt_ports import HaltPorts
from workflows.interpreter.effort import NEVER_RETRIED
from workflows.interpreter.ending import EffectFailed, Suspended
from workflows.interpreter.journal import Journal
from workflows.interpreter.ports import Effort, Touched
from workflows.kin import PARENT, look, start_child, stop_child, tell_child
from workflows.label import label
from workflows.lock_ports import LockPorts
from workflows.meter import CHILD, EFFECT, TIMER, Meter
from workflows.outbox import Outbox
from workflows.running import activity_id
from workflows.versions import IN_TIME

HEARTBEAT = timedelta(seconds=10)
WATCHING = timedelta(days=1)
LOADING = timedelta(seconds=30)


class Host(Protocol):
    """What the ports need of the workflow that they belong to."""

    @property
    def meter(self) -> Meter: ...

    @property
    def outbox(self) -> Outbox: ...

    def stopping(self) -> bool: ...

    def changed(self) -> None: ...

    def admitted(self) -> bool:
        """Whether policy has admitted the mission."""
        ...

    def assent(self, path: str) -> Assent | None:
        """Return what people approved of what runs at a path, where policy wants that approved."""
        ...

    def full(self) -> bool:
        """Whether the run is to hand over to the next one."""
        ...

    def heard_until(self, moment: datetime, *, at_it: bool = False) -> bool:
        """Whether every decision that was taken in before a moment, or `at_it`, has been ruled on."""
        ...

    def stop(self) -> None: ...


class TemporalPorts(LockPorts, HaltPorts):
    """The world, as Temporal gives it."""

    def __init__(self, plan: Plan, host: Host, limits: Limits, journal: Journal, requested_by: str = "") -> None:
        LockPorts.__init__(self, host.meter)
        HaltPorts.__init__(self, journal, host.meter, host.changed, host.stopping)
        self._plan = plan
        self._data = plan.data()
        self._requested_by = requested_by
        self._host = host
        self._limits = limits
        self._telling: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        return workflow.now()

    def nonce(self) -> str:
        return workflow.uuid4().hex

    def later(self, seconds: float) -> datetime:
        return workflow.now() + timedelta(seconds=seconds)

    def key(self, path: str, arguments_digest: str, generation: int) -> str:
        info = workflow.info()
        first = info.first_execution_run_id
        return idempotency_key(info.namespace, info.workflow_id, first, path, arguments_digest, generation=generation)

    @contextmanager
    def within(self, path: str) -> Iterator[None]:
        with workflow.create_event_group(label(path)).scope():
            yield

    def stopping(self) -> bool:
        return self._host.stopping()

    def changed(self) -> None:
        self._host.changed()

    def holds(self, path: str, generation: int) -> bool:
        return self._running.holds(activity_id(path, generation))

    def override(self, touched: Touched) -> None:
        self._running.suspend(touched)

    async def reported(self, touched: Touched) -> None:
        await self._running.reported(touched)

    def interrupt(self, path: str, generation: int, cause: str) -> bool:
        return self._running.interrupt(activity_id(path, generation), cause)

    def stop(self) -> None:
        self._host.stop()

    def tell_child(self, child: Child, token: str) -> None:
        task = asyncio.create_task(tell_child(child, token))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def notify(self, notice: Notice) -> None:
        self._host.outbox.send(notice)

    async def run_agent(self, call: AgentCall, effort: Effort) -> AgentResult:
        answer: AgentResult = await self._effect(
            RUN_AGENT,
            call,
            AgentResult,
            effort,
            queue=call.agent.served_on(),
            summary=f"{call.name}: {call.task}",
            cancellation=workflow.ActivityCancellationType.TRY_CANCEL,
        )
        return answer

    async def watch_agent(self, call: AgentCall, effort: Effort) -> AgentResult:
        call = call.model_copy(update={"watches": label(activity_id(call.watches, call.generation))})
        answer: AgentResult = await self._effect(
            WATCH_AGENT,
            call,
            AgentResult,
            replace(effort, timeout=WATCHING),
            queue=call.agent.served_on(),
            summary=f"{call.name} watches {call.watches}",
            cancellation=workflow.ActivityCancellationType.TRY_CANCEL,
        )
        return answer

    async def run_tool(self, call: ToolCall, effort: Effort) -> ToolResult:
        verb = f"undo {call.undoes} with {call.tool}" if call.undoes else call.tool
        answer: ToolResult = await self._effect(
            EXECUTE_ACTION,
            call.model_copy(update={"requested_by": self._requested_by}),
            ToolResult,
            effort,
            queue=self._plan.tools[call.tool].served_on(),
            summary=f"{verb}: {_brief(call.arguments)}",
            # What has begun must report, or nobody knows what to undo.
            cancellation=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        return answer

    async def load_plan(self, order: PlanOrder) -> LoadedPlan:
        """Load a plan beside the workflow."""
        path = f"{order.id.partition('/')[2]}/load{f'[{order.again}]' if order.again else ''}"
        if order.defers and (known := self._host.assent(path)) is not None:
            order = order.model_copy(update={"approved": known.findings})
        size = demand_sendable(order, self._limits)
        asked = beside(path, f"load {order.id}", LOADING, exact=self._limits.exact)
        plan: LoadedPlan = await asked(LOAD_PLAN, order, LoadedPlan)
        self._host.meter.count(EFFECT, size, len(plan.model_dump_json()))
        return plan

    async def governance(self, path: str) -> str:
        version = await in_force(path)
        self._host.meter.count(EFFECT)
        return version

    async def start_mission(self, mission_id: str, given: MissionInput) -> Child:
        given = given.model_copy(update={"limits": self._limits})
        size = demand_sendable(given, self._limits)
        child = await start_child(mission_id, given)
        self._host.meter.count(CHILD, size, inline=True)
        return child

    async def watch_mission(self, child: Child, path: str) -> Report | None:
        report: Report | None = await self._look(WATCH_CHILD, child, path, Report)
        return report

    async def undo_mission(self, child: Child, path: str) -> Report | None:
        report: Report | None = await self._look(UNDO_CHILD, child, path, Report)
        return report

    async def stop_mission(self, child: Child, path: str) -> None:
        await stop_child(child, f"{path}/stop")
        self._host.meter.count(EFFECT)

    async def watch_parent(self, parent: Parent) -> ParentEnd | None:
        """Wait until a parent is over; None when the run is to hand over first."""
        end: ParentEnd | None = await self._look(WATCH_PARENT, parent, PARENT, ParentEnd)
        return end

    async def wait(self, ready: Callable[[], bool], until: datetime | None, summary: str) -> bool:
        """Wait; at the deadline, hear first those who spoke before it.

        The timer is a task of ours: `asyncio.wait_for` takes another number of turns in each Python, and with it the
        commands another order, so that a history made under one would not replay under the next.
        """
        if until is None:
            await workflow.wait_condition(lambda: ready() or self.stopping())
            return ready()
        span = max(until - workflow.now(), timedelta())
        timer = asyncio.create_task(workflow.sleep(span, summary=summary[:400]))
        try:
            await workflow.wait_condition(lambda: ready() or self.stopping() or timer.done())
            moment = workflow.now()
            if timer.done():
                await workflow.wait_condition(lambda: ready() or self._host.heard_until(moment))
            # What the deadline's own task took in may have come before it: the judge looks it up.
            heard = self._host.heard_until(moment, at_it=True)
            if moment >= until and not ready() and not heard and workflow.patched(IN_TIME):
                await workflow.wait_condition(lambda: ready() or self._host.heard_until(moment, at_it=True))
        finally:
            timer.cancel()
        self._host.meter.count(TIMER)
        return ready()

    async def _look(self, kind: str, kin: Child | Parent, name: str, answer: type) -> Any:
        # The parent is watched for as long as the run lasts, whatever stops a walk.
        stopping = self._host.full if kind == WATCH_PARENT else self.stopping
        summary = f"{kind.replace('.', ' ')} {kin.id}"
        found = await look(kind, kin, name, answer, stopping=stopping, summary=summary, running=self._running)
        self._host.meter.count(EFFECT)
        return found

    async def _effect(self, name: str, call: AgentCall | ToolCall, answer: type, effort: Effort, **way: Any) -> Any:
        """Have an activity do it; where what it needs is halted, once that is lifted."""
        known: dict[str, Any] = {"team": self._plan.definition.team, "pins": self._plan.pinned(call.uses())}
        known |= {"data": self._data, "admitted": self._host.admitted(), "assent": self._host.assent(call.path)}
        call = call.model_copy(update=known)

        async def once(left: Effort) -> Any:
            going_on = {"resume": left.resume} if left.resume and isinstance(call, AgentCall) else {}
            return await self._once(name, call.model_copy(update=going_on), answer, left, **way)

        return await self.unhalted(call.path, effort, once)

    async def _once(
        self,
        name: str,
        call: AgentCall | ToolCall,
        answer: type,
        effort: Effort,
        *,
        queue: str,
        summary: str,
        cancellation: workflow.ActivityCancellationType,
    ) -> Any:
        size = demand_sendable(call, self._limits)
        span = get_tracer("gonogo").start_span(f"{workflow.info().workflow_type} {label(call.path)}")

        def begin(named: str) -> "asyncio.Task[Any]":
            # Current only while the call is handed over: a context left open over a wait cannot be closed on eviction.
            with use_span(span, end_on_exit=False):
                return workflow.start_activity(
                    name,
                    call,
                    activity_id=label(named),
                    result_type=answer,
                    task_queue=queue,
                    start_to_close_timeout=effort.timeout,
                    heartbeat_timeout=HEARTBEAT,
                    retry_policy=_retry_policy(effort.retry),
                    cancellation_type=cancellation,
                    summary=summary[:400],
                )

        known = activity_id(call.path, call.generation)
        effect = self._running.take(known, call.path, begin, agent=isinstance(call, AgentCall))
        try:
            result = await effect.outcome()
        except (Suspended, EffectFailed):
            span.end()
            raise
        except asyncio.CancelledError:
            self._running.over(known, given_up=True)
            raise
        except ActivityError as error:
            self._running.over(known, given_up=is_cancelled_exception(error))
            self._host.meter.count(EFFECT, size)
            span.record_exception(error)
            span.end()
            if is_cancelled_exception(error):
                raise (Suspended() if effect.recalled else asyncio.CancelledError()) from error
            raise translated(error, effort) from error
        self._running.over(known)
        span.end()
        self._host.meter.count(EFFECT, size, len(result.model_dump_json()))
        return result


def _retry_policy(retry: Retry) -> RetryPolicy:
    """Return the server's policy. Jitter is the activity's: it names its own next delay."""
    return RetryPolicy(
        initial_interval=retry.first,
        backoff_coefficient=retry.factor,
        maximum_interval=retry.most,
        maximum_attempts=retry.attempts,
        non_retryable_error_types=list(NEVER_RETRIED),
    )


def _brief(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in arguments.items())[:200]
