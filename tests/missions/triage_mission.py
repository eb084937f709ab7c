"""The shipped mission, carried out by the interpreter: real agents and the real company, people and time as fakes."""

from collections.abc import Callable
from typing import Any

from triage_desk import AGENTS, MISSIONS, PEOPLE, TOOLS, WORKSPACE, Desk

from contracts.call import AgentCall, AgentResult, ToolCall, ToolResult, Usage
from contracts.decision import Opening
from contracts.plan import Plan
from language.expression import evaluate
from language.loader import load_mission
from tests.interpreter.fakes import FakePorts, Run, rehearse
from workflows.interpreter.ending import EffectFailed
from workflows.interpreter.ports import Effort

People = Callable[[Opening], tuple[str, str] | None]


def shipped_plan() -> Plan:
    definition = load_mission(MISSIONS / "incident_triage" / "mission.yaml", WORKSPACE)
    assert PEOPLE.escalation
    return Plan(definition=definition, agents=AGENTS, tools=TOOLS, escalation=PEOPLE.escalation).sealed()


class DeskPorts(FakePorts):
    """Agents and tools are real; each tool is tried as often as the mission says, without the waits."""

    def __init__(self, desk: Desk, people: People) -> None:
        super().__init__(people=people)
        self.desk = desk

    async def run_agent(self, call: AgentCall, effort: Effort) -> AgentResult:
        del effort
        answer = await self.desk.run(call.name, mission=call.mission, **call.context)
        return AgentResult(output=answer, usage=Usage(agent_runs=1))

    async def run_tool(self, call: ToolCall, effort: Effort) -> ToolResult:
        for _ in range(effort.retry.attempts):
            meta = {"gonogo/idempotency-key": call.key}
            result = await self.desk.client.call_tool(call.tool, call.arguments, meta=meta)
            said = result.structured_content
            if not result.is_error:
                return ToolResult(output=said, usage=Usage(tool_calls=1))
        raise EffectFailed("tool_failed", said["reason"], applied=said["applied"])


async def carry_out(desk: Desk, alert: dict[str, Any], people: People) -> tuple[Run, str | None]:
    """Walk the mission to its end; return how it went, and its verdict where it came to one."""
    plan = shipped_plan()
    run = await rehearse(plan, DeskPorts(desk, people), {"alert": alert})
    if run.error is not None:
        return run, None
    known = {**run.scope.variables.values, "steps": run.scope.variables.steps}
    return run, evaluate(plan.definition.verdict.value, known)
