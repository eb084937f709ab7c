"""The mission that the bench runs both ways: five steps, one of them a gate, one an action that changes the world.

The activities are real registered activities that do no work, so that what is measured is the orchestration. The gate
is the same too: a signed decision, judged by the real judge.
"""

from temporalio import activity

from contracts.base import Message
from contracts.call import EXECUTE_ACTION, RUN_AGENT, AgentCall, AgentResult, ToolCall, ToolResult, Usage
from contracts.definition import Definition
from contracts.mind import CodeAgent
from contracts.plan import Plan
from contracts.workspace import Escalation, Tool

WORKER_QUEUE = "bench"
BY_HAND_QUEUE = "bench-by-hand"
DRIVER_QUEUE = "bench-driver"
ADMIT_BY_HAND = "admit_by_hand"
"""The agent before the gate runs in the driver's process, which learns from it that the gate is about to open."""
OUTPUT = {"type": "object", "required": ["verdict"], "properties": {"verdict": {"type": "string"}}}
HOST = {"type": "object", "required": ["host"], "properties": {"host": {"type": "string"}}}

AGENTS = {
    "retriever": CodeAgent(callable="bench:none", queue=WORKER_QUEUE, output=OUTPUT),
    "correlator": CodeAgent(callable="bench:none", queue=DRIVER_QUEUE, output=OUTPUT),
    "reporter": CodeAgent(callable="bench:none", queue=WORKER_QUEUE, output=OUTPUT),
}
TOOLS = {
    "isolate_host": Tool(
        server="none",
        effect="write",
        idempotency="key",
        autonomy="allowed",
        queue=WORKER_QUEUE,
        input=HOST,
        compensated_by=("release_host",),
    ),
    "release_host": Tool(
        server="none", effect="write", idempotency="key", autonomy="allowed", queue=WORKER_QUEUE, input=HOST
    ),
}


class Admitted(Message):
    """What policy says of the workflow by hand before its first step, and under which rules."""

    allowed: bool
    governance: str


def plan(more: int = 0) -> Plan:
    """Return the mission for the interpreter, with so many reports more at its end."""
    steps = [
        {
            "kind": "agent",
            "step": "enrich",
            "agent": "retriever",
            "task": "Gather facts",
            "context": ["alert"],
            "output": "facts",
        },
        {
            "kind": "agent",
            "step": "correlate",
            "agent": "correlator",
            "task": "Find what belongs together",
            "context": ["alert", "facts"],
            "output": "triage",
        },
        {
            "kind": "gate",
            "step": "approve",
            "gate": {"approvers": ["lead"], "context": ["triage"], "timeout": "30m", "on_timeout": "refuse"},
        },
        {
            "kind": "action",
            "step": "isolate",
            "action": "isolate_host",
            "with": {"host": "${{ alert.host }}"},
            "compensate": {"tool": "release_host"},
            "output": "isolation",
        },
        {"kind": "agent", "step": "report", "agent": "reporter", "task": "Report", "context": ["triage", "isolation"]},
    ]
    last = steps[-1]
    steps += [{**last, "step": f"report_{number}"} for number in range(more)]
    definition = Definition.model_validate(
        {
            "mission": "bench",
            "version": "1",
            "team": "bench",
            "inputs": {"type": "object", "required": ["alert"], "properties": {"alert": {"type": "object"}}},
            "verdict": {"one_of": ["handled", "dismiss"], "value": "triage.verdict"},
            "steps": steps,
        }
    )
    return Plan(definition=definition, agents=AGENTS, tools=TOOLS, escalation=Escalation(role="chief")).sealed()


@activity.defn(name=RUN_AGENT)
async def run_agent(call: AgentCall) -> AgentResult:
    """Answer at once."""
    del call
    return AgentResult(output={"verdict": "handled"}, usage=Usage(agent_runs=1))


@activity.defn(name=EXECUTE_ACTION)
async def execute_action(call: ToolCall) -> ToolResult:
    """Act at once."""
    return ToolResult(output={"isolated": call.arguments["host"]}, usage=Usage(tool_calls=1))
