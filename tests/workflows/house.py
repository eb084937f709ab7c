"""A mission's surroundings on a real server: the real workflow, runner and judge; agents and tools from tables."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker

from activities import keys
from activities.admission import Admissions
from activities.arrival import Arrivals
from activities.failure import failure
from activities.halts import Lookout, halting, not_begun
from activities.identity import Judge
from activities.kin import Kin
from activities.lineage import ServerLineage
from activities.locks import Locksmith
from activities.past import Historian
from activities.people import Directory
from activities.plans import Loader
from contracts.call import EXECUTE_ACTION, RUN_AGENT, WATCH_AGENT, AgentCall, AgentResult, ToolCall, ToolResult, Usage
from contracts.decision import DECIDE, Claims, Opening, Receipt
from contracts.lock import TABLE, LockView, TableQuery, TableView
from contracts.notice import SEND_NOTICE, Delivery, Notice
from contracts.past import READ_PAST, Past
from contracts.plan import Limits, MissionInput, MissionResult, Plan
from contracts.view import GATES, STATE, GatesQuery, GatesView, MissionView, StateQuery
from contracts.workspace import Tool
from starter.state import asked, read_receipt
from tests.cache import CACHE
from tests.interpreter.fakes import plan_of
from tests.policies import OPEN
from tests.workflows import lawful
from worker import PULSE
from workflows.board import at_start
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import WholeTasks

PEOPLE = {"lea": ("lead",), "lou": ("lead",), "cleo": ("chief",), "rita": ("lead",), "eve": ("intern",)}


def populate(home: Path) -> Path:
    (home / "people.yaml").write_text('operators: ["chief"]\n')
    for name, roles in PEOPLE.items():
        keys.create(home, name, roles)
    return home


@dataclass
class Activities:
    """Fakes under the real names. Tables map a name to an answer, an exception, a list in turn, or a callable."""

    agents: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Any] = field(default_factory=dict)
    world: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Tool, key, arguments of each committed effect: a key that was seen before commits nothing."""
    asked: list[str] = field(default_factory=list)
    channels: dict[str, Any] = field(default_factory=dict)
    """What a notice comes to, by what it is about."""
    notices: list[Notice] = field(default_factory=list)
    lookout: Lookout | None = None
    contracts: Mapping[str, Tool] | None = None
    """The contracts of its tools, where they are not those of the plans."""
    read: asyncio.Event | None = None
    """Until it is set, no mission hears of its past."""

    @activity.defn(name=SEND_NOTICE)
    async def notify(self, notice: Notice) -> Delivery:
        self.notices.append(notice)
        return await self._answer(self.channels, notice.about, notice) or Delivery()

    @activity.defn(name=RUN_AGENT)
    async def run(self, call: AgentCall) -> AgentResult:
        await self._demand_free(call.name, agent=call.name, teams=(call.team,))
        self.asked.append(call.path)
        answer = await self._answer(self.agents, call.name, call)
        return answer if isinstance(answer, AgentResult) else AgentResult(output=answer, usage=Usage(agent_runs=1))

    @activity.defn(name=EXECUTE_ACTION)
    async def execute(self, call: ToolCall) -> ToolResult:
        await self._demand_free(call.tool, tool=call.tool, teams=() if call.undoes else (call.team,))
        if call.key not in {key for _, key, _ in self.world}:
            self.world.append((call.tool, call.key, call.arguments))
        lawful.commit(call)
        try:
            return ToolResult(output=await self._answer(self.tools, call.tool, call))
        except ApplicationError as error:
            if error.details and error.details[0].get("applied") == "no":
                lawful.withdraw(call)
            raise

    @activity.defn(name=READ_PAST)
    async def past(self) -> Past:
        if self.read is not None:
            await self.read.wait()
        return await Historian(activity.client()).read()

    @activity.defn(name=WATCH_AGENT)
    async def watch(self, call: AgentCall) -> AgentResult:
        """Read along for ever, or have looked enough."""
        del call
        return AgentResult()

    async def _demand_free(self, name: str, **wanted: Any) -> None:
        halts = await self.lookout(**wanted) if self.lookout else ()
        if halts:
            raise failure("halted", not_begun(name, halts), **halting(halts))

    async def _answer(self, table: dict[str, Any], name: str, call: Any) -> Any:
        answer = table.get(name, {})
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if callable(answer):
            answer = answer(call)
        if asyncio.iscoroutine(answer):
            answer = await answer
        if isinstance(answer, Exception):
            raise answer
        return answer


def broken(code: str = "refused", applied: str = "unknown") -> ApplicationError:
    """An error that is not worth retrying."""
    return ApplicationError("it would not", {"applied": applied}, type=code, non_retryable=True)


def spent(over: str) -> ApplicationError:
    """The error of an agent that nobody could pay."""
    return ApplicationError("nothing is left", {"applied": "no", "over": over}, type="over_budget", non_retryable=True)


@dataclass
class House:
    """Starts missions on a queue of its own and speaks to them."""

    client: Client
    home: Path
    activities: Activities
    queue: str

    async def locks(self) -> tuple[LockView, ...]:
        """Return the locks of this house; none where nobody asked for any."""
        table = self.client.get_workflow_handle(f"locks-{self.queue}")
        try:
            view = await table.query(TABLE, TableQuery(), result_type=TableView)
        except RPCError:
            return ()
        return view.locks

    async def start(
        self,
        steps: list[dict[str, Any]],
        limits: Limits | None = None,
        given: dict[str, Any] | None = None,
        missions: dict[str, Plan] | None = None,
        *,
        notify: bool = False,
        id: str = "",  # noqa: A002 (Temporal's word)
        change: Callable[[MissionInput], MissionInput] = lambda argument: argument,
        **more: Any,
    ) -> "Started":
        plan = plan_of(steps, **more).model_copy(update={"missions": missions or {}, "notify": notify})
        plan = moved(plan, self.queue)
        argument = MissionInput(plan=plan, inputs=given or {}, requested_by="rita", limits=exact(limits))
        handle = await self.client.start_workflow(
            plan.definition.mission,
            change(argument),
            id=id or f"m-{uuid.uuid4().hex[:12]}",
            task_queue=self.queue,
            result_type=MissionResult,
            search_attributes=at_start(plan.definition.mission, plan.definition.team),
        )
        lawful.STARTED[self.queue].append((handle.id, handle.first_execution_run_id or ""))
        return Started(self, handle)


def exact(limits: Limits | None) -> Limits:
    """Return limits as missions that are started now have them."""
    return (limits or Limits()).model_copy(update={"exact": True, "tells": True, "attentive": True})


def moved(plan: Plan, queue: str) -> Plan:
    """Put every agent and tool on one queue."""
    agents = {name: agent.model_copy(update={"queue": queue}) for name, agent in plan.agents.items()}
    tools = {name: tool.model_copy(update={"queue": queue}) for name, tool in plan.tools.items()}
    missions = {name: moved(inner, queue) for name, inner in plan.missions.items()}
    return plan.model_copy(update={"agents": agents, "tools": tools, "missions": missions}).sealed()


PATIENCE = timedelta(seconds=12)
LONG = 60
"""Seconds until a test gives up: each workflow task that is lost costs ten, and a busy machine loses some."""
RULED = timedelta(seconds=LONG)
"""How long a test waits for a receipt: behind a flood, one ruling comes after the other."""


@dataclass
class Started:
    house: House
    handle: WorkflowHandle[Any, MissionResult]

    async def result(self) -> MissionResult:
        return await asyncio.wait_for(self.handle.result(), 90)

    async def state(self) -> MissionView:
        return await asked(self.handle, STATE, StateQuery(), MissionView, PATIENCE)

    async def gates(self) -> tuple[Opening, ...]:
        view = await asked(self.handle, GATES, GatesQuery(), GatesView, PATIENCE)
        return view.gates

    async def until(self, found: Callable[[tuple[Opening, ...]], bool] = bool, kind: str = "") -> Opening:
        """Wait for a gate to open, of this kind where one is named, and return the first."""
        async with asyncio.timeout(LONG):
            while True:
                openings = tuple(one for one in await self.gates() if kind in {"", one.subject.kind})
                if found(openings):
                    return openings[0]
                await asyncio.sleep(0.01)

    def token(self, opening: Opening, person: str, verb: str = "approve", **fields: Any) -> str:
        """Sign a decision by a clock that is good in any test: the opening's own."""
        seconds = int(opening.opened_at.timestamp())
        known = {
            "iss": person,
            "jti": uuid.uuid4().hex,
            "iat": seconds,
            "exp": seconds + 400 * 86_400,
            "mission": opening.subject.mission,
            "run": opening.subject.first_run_id,
            "step": opening.subject.step,
            "nonce": opening.nonce,
            "digest": opening.digest,
            "verb": verb,
            "comment": f"{person} says {verb}",
        }
        return keys.sign(self.house.home, person, Claims(**{**known, **fields}))

    async def decide(self, opening: Opening, person: str, verb: str = "approve", **fields: Any) -> Receipt:
        return await self.send(self.token(opening, person, verb, **fields))

    async def command(self, verb: str, step: str = "", person: str = "cleo", **changes: Any) -> Receipt:
        """Sign an operator's command, send it, and return its receipt."""
        return await self.send(self.order(verb, step, person, changes=changes or None))

    def order(self, verb: str, step: str = "", person: str = "cleo", **fields: Any) -> str:
        """Sign an operator's command."""
        known = {
            "iss": person,
            "jti": uuid.uuid4().hex,
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
            "mission": self.handle.id,
            "run": self.handle.first_execution_run_id,
            "step": step,
            "nonce": "",
            "digest": "",
            "verb": verb,
            "comment": f"{person} wants to {verb}",
        }
        return keys.sign(self.house.home, person, Claims(**{**known, **fields}))

    async def until_state(self, state: str) -> MissionView:
        """Wait until the mission is in a state."""
        return await self.seen(lambda view: view.state == state)

    async def seen(self, found: Callable[[MissionView], bool]) -> MissionView:
        """Wait until the mission looks as asked."""
        async with asyncio.timeout(LONG):
            while True:
                view = await self.state()
                if found(view):
                    return view
                await asyncio.sleep(0.01)

    async def send(self, token: str) -> Receipt:
        """Send a decision and return its receipt."""
        await self.handle.signal(DECIDE, token)
        receipt = await read_receipt(self.house.client, self.handle.id, token, RULED)
        assert receipt is not None
        lawful.note(self.handle.id, token, receipt)
        return receipt


@asynccontextmanager
async def house(
    client: Client, home: Path, activities: Activities | None = None, queue: str = "", **options: Any
) -> AsyncIterator[House]:
    """Run a worker for missions and their fakes, on a queue of its own or on one that another has left.

    When it closes, its missions are held against every law, unless it `leaves` them to another that comes.
    """
    activities = activities or Activities()
    queue = queue or f"q-{uuid.uuid4().hex[:12]}"
    locks = Locksmith(client, id=f"locks-{queue}", queue=queue)
    policy, people = options.pop("policy", OPEN), Directory(home / "people.yaml")
    known = people.people()
    workflows, leaves = options.pop("workflows", [Mission, Locks, Halts]), options.pop("leaves", False)
    rules = {"policy": policy, "governance": options.pop("governance", None)}
    lookout = activities.lookout = activities.lookout or Lookout(client, id=f"halts-{queue}")
    fakes = [
        activities.run,
        activities.watch,
        activities.execute,
        activities.notify,
        locks.ask,
        locks.release,
        lookout.watch,
    ]
    kin, required = Kin(client, ServerLineage(client)), options.pop("required", ())
    async with Worker(
        client,
        task_queue=queue,
        workflows=workflows,
        activities=[
            *(
                *fakes,
                activities.past,
                Loader(policy, lambda *_: ()).load,
                Judge(people, Arrivals(client), **rules).judge,
                Admissions(client, people, policy, lambda *_: (), required, governance=rules["governance"]).admit,
            ),
            *(kin.find, kin.watch, kin.stop, kin.undo, kin.parent),
        ],
        plugins=[WholeTasks()],
        **{**CACHE, **PULSE, **options},
    ):
        yield House(client, home, activities, queue)
        if Mission in workflows and not leaves:
            await lawful.demand(client, queue, lawful.ever(known, people.people()), activities.contracts)
