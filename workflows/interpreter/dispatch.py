"""Step kind → handler: the only file that knows every handler."""

from typing import assert_never

from contracts.definition import (
    ActionStep,
    AgentStep,
    CanaryStep,
    ConditionStep,
    GateStep,
    GroupStep,
    LoopStep,
    MapStep,
    MissionStep,
    ParallelStep,
    PartyStep,
    PlanStep,
    RaceStep,
    ReviewStep,
    Step,
    WaitStep,
)
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope
from workflows.interpreter.steps.action import run_action
from workflows.interpreter.steps.agent import run_agent
from workflows.interpreter.steps.canary import run_canary
from workflows.interpreter.steps.condition import run_condition
from workflows.interpreter.steps.gate import run_gate
from workflows.interpreter.steps.group import run_group
from workflows.interpreter.steps.loop import run_loop
from workflows.interpreter.steps.map import run_map
from workflows.interpreter.steps.mission import run_mission
from workflows.interpreter.steps.parallel import run_parallel
from workflows.interpreter.steps.party import run_party
from workflows.interpreter.steps.plan import run_plan
from workflows.interpreter.steps.race import run_race
from workflows.interpreter.steps.review import run_review
from workflows.interpreter.steps.wait import run_wait


async def handle(step: Step, path: str, scope: Scope) -> Outcome:
    """Run a step of any kind."""
    match step:
        case AgentStep():
            return await run_agent(step, path, scope)
        case ParallelStep():
            return await run_parallel(step, path, scope)
        case GateStep():
            return await run_gate(step, path, scope)
        case ConditionStep():
            return await run_condition(step, path, scope)
        case LoopStep():
            return await run_loop(step, path, scope)
        case ActionStep():
            return await run_action(step, path, scope)
        case GroupStep():
            return await run_group(step, path, scope)
        case MapStep():
            return await run_map(step, path, scope)
        case RaceStep():
            return await run_race(step, path, scope)
        case WaitStep():
            return await run_wait(step, path, scope)
        case ReviewStep():
            return await run_review(step, path, scope)
        case CanaryStep():
            return await run_canary(step, path, scope)
        case PlanStep():
            return await run_plan(step, path, scope)
        case PartyStep():
            return await run_party(step, path, scope)
        case MissionStep():
            return await run_mission(step, path, scope)
        case _:
            assert_never(step)


def actor(step: Step) -> str:
    """Return who does a step: the agent, the tool, the approvers; nobody for the kinds that only order others."""
    match step:
        case AgentStep():
            return step.agent
        case ActionStep():
            return step.action
        case GateStep():
            return ", ".join(step.gate.approvers)
        case ReviewStep():
            return ", ".join(step.review.reviewers)
        case WaitStep():
            return step.wait.event or ""
        case PlanStep():
            return step.plan.agent
        case PartyStep():
            return ", ".join(step.party.members)
        case MissionStep():
            return step.mission
        case ParallelStep() | ConditionStep() | LoopStep() | GroupStep() | MapStep() | RaceStep() | CanaryStep():
            return ""
        case _:
            assert_never(step)
