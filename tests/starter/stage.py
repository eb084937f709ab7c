"""A small mission of one agent, one gated action and one ticket, and the fakes that stand for agent and tools."""

import asyncio
import gc
import uuid
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from activities.admission import Admissions
from activities.failure import failure
from activities.halts import Lookout, halting, not_begun
from activities.identity import Judge
from activities.locks import Locksmith
from activities.people import Directory
from contracts.artifact import Artifact
from contracts.call import (
    EXECUTE_ACTION,
    RUN_AGENT,
    AgentCall,
    AgentResult,
    Observation,
    ToolCall,
    ToolResult,
    Usage,
)
from contracts.definition import ActionStep, AgentStep, Compensation, Definition, Verdict
from contracts.gate import Gate
from contracts.mind import AGENT_QUEUE, CodeAgent
from contracts.plan import Limits, MissionInput, Plan
from contracts.workspace import MISSION_QUEUE, TOOL_QUEUE, Escalation, Tool
from starter.launch import launch
from starter.state import read_gates
from tests.cache import CACHE
from tests.payloads import DATA_CONVERTER
from tests.policies import OPEN
from worker import PULSE
from workflows.halts import Halts
from workflows.locks import Locks
from workflows.mission import Mission
from workflows.runner import WholeTasks

NAMES = ("maya", "lena", "otto")
"""maya and lena lead and may approve; otto asks."""

HOST = {"type": "object", "required": ["host", "reason"], "additionalProperties": False}
HOST["properties"] = {"host": {"type": "string"}, "reason": {"type": "string", "minLength": 3}}


def definition(required: int = 1) -> Definition:
    gate = Gate(
        approvers=("lead",), required=required, message="Isolate?", context=("finding",), timeout=timedelta(hours=1)
    )
    return Definition(
        mission="host_check",
        version="1",
        team="blue",
        inputs={"type": "object", "required": ["host"], "properties": {"host": {"type": "string"}}},
        verdict=Verdict(one_of=("contained",), value="'contained'"),
        steps=(
            AgentStep(step="look", agent="looker", task="Look at the host", context=("host",), output="finding"),
            ActionStep(
                step="isolate",
                action="isolate_host",
                with_={"host": "${{ host }}", "reason": "${{ finding.reason }}"},
                compensate=Compensation(tool="release_host"),
                approval=gate,
            ),
            ActionStep(step="report", action="file_ticket", with_={"host": "${{ host }}"}),
        ),
    )


def plan(required: int = 1) -> Plan:
    write = {"server": "company", "effect": "write", "idempotency": "key", "input": HOST}
    return Plan(
        definition=definition(required),
        agents={"looker": CodeAgent(callable="stage:look")},
        tools={
            "isolate_host": Tool(**write, compensated_by=("release_host",), resource="host"),
            "release_host": Tool(**write),
            "file_ticket": Tool(server="company", effect="write", autonomy="allowed"),
        },
        escalation=Escalation(role="lead"),
    ).sealed()


class Cast:
    """The fakes. `reason` is what the agent finds; `broken` names tools that fail for good."""

    def __init__(self) -> None:
        self.reason = "beacons to a known bad address"
        self.broken: set[str] = set()
        self.ledger: list[str] = []
        self.lookout: Lookout | None = None
        self.files: tuple[Artifact, ...] = ()
        self.watched = asyncio.Event()
        self.watched.set()
        self.policy = OPEN
        """What missions are admitted by that ask."""

    @activity.defn(name=RUN_AGENT)
    async def agent(self, call: AgentCall) -> AgentResult:
        seen = Observation(number=1, at=datetime.now(UTC), text=f"{call.context['host']} beacons", source="siem")
        while not self.watched.is_set():
            activity.heartbeat({"observations": [seen.model_dump(mode="json")]})
            await asyncio.sleep(0.05)
        output = {"reason": self.reason, "confidence": 0.9}
        usage = Usage(agent_runs=1, tool_calls=2, seconds=0.1)
        return AgentResult(output=output, observations=(seen,), usage=usage, artifacts=self.files)

    @activity.defn(name=EXECUTE_ACTION)
    async def tool(self, call: ToolCall) -> ToolResult:
        if self.lookout and (halts := await self.lookout(tool=call.tool)):
            raise failure("halted", not_begun(call.tool, halts), **halting(halts))
        if call.tool in self.broken:
            from temporalio.exceptions import ApplicationError

            raise ApplicationError("no", {"applied": "no"}, type="refused", non_retryable=True)
        self.ledger.append(call.tool)
        return ToolResult(output={"done": True}, usage=Usage(tool_calls=1))

    @asynccontextmanager
    async def working(self, address: str, *people):
        """Serve missions with these fakes and the real judge."""
        client = await Client.connect(address, data_converter=DATA_CONVERTER)
        directory, smith = Directory(*people), Locksmith(client)
        judge, gate = Judge(directory, policy=OPEN), Admissions(client, directory, self.policy, lambda *_: ())
        self.lookout = Lookout(client, fresh=0.0)
        worker = Worker(
            client,
            task_queue=MISSION_QUEUE,
            workflows=[Mission, Locks, Halts],
            activities=[judge.judge, gate.admit, smith.ask, smith.release, self.lookout.watch],
            plugins=[WholeTasks()],
            **CACHE,
        )
        agents = Worker(client, task_queue=AGENT_QUEUE, activities=[self.agent], **PULSE)
        async with worker, agents, Worker(client, task_queue=TOOL_QUEUE, activities=[self.tool], **PULSE):
            yield client
        # What the worker's cache held is collected here and not in the middle of something else.
        del worker
        gc.collect()


def given(required: int = 1, **limits: int) -> MissionInput:
    bounds = Limits(exact=True, tells=True, **limits)
    return MissionInput(plan=plan(required), inputs={"host": "web-01"}, requested_by="otto", limits=bounds)


async def wait_at_gate(client: Client, required: int = 1) -> str:
    mission = f"check-{uuid.uuid4().hex[:8]}"
    await launch(client, given(required), mission)
    while not await read_gates(client, mission):
        await asyncio.sleep(0.02)
    return mission
