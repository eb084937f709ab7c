"""Let an agent do a task, and hand its answer on.

An answer below the agent's confidence floor takes the way that the definition names: `below_floor`, else a way of
`on_failure` for just that, else people are asked. How an answer comes about is in `consult.py`.
"""

from typing import Any

from contracts.call import AgentCall, noted
from contracts.definition import AgentStep
from contracts.failure_class import most_specific
from contracts.mind import Agent
from contracts.record import Failure
from contracts.step import ESCALATE, Fallback
from workflows.interpreter.effort import agent_effort
from workflows.interpreter.ending import StepFailed
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope
from workflows.interpreter.watch import look_at, watched

UNREACHED = "unavailable"
UNSURE = ("confidence_low", "agent")
"""Words of `on_failure` that provide for an unsure answer. `any` does not: nobody is to be left out by chance."""


async def run_agent(step: AgentStep, path: str, scope: Scope) -> Outcome:
    """Run the agent with the task and the context that the definition gives it, and nothing else."""
    agent = scope.plan.agents[step.agent]
    record = scope.journal.get(path)
    output = record.output if record is not None else None
    if output is None and scope.journal.settled(path) is None:
        call = AgentCall(
            mission=scope.mission.id,
            path=path,
            name=step.agent,
            agent=agent,
            task=scope.text(step.task, path),
            context=scope.context(step.context, path),
            cache=step.cache,
            fresh=scope.mission.fresh,
            elsewhere=_elsewhere(step),
        )
        await scope.begin_effect(path)
        result = await watched(step, call, agent_effort(agent, step.retry, step.timeout), scope)
        output = result.output
        scope.journal.update(path, output=output, **noted(result))
    await look_at(step, output, path, scope)
    _demand_expertise(step, agent, output, path)
    if _below_floor(agent, output):
        if step.below_floor == ESCALATE and any(word in step.on_failure for word in UNSURE):
            raise StepFailed(_unsure(step, agent, output, path))
        if step.output:
            # Whoever is asked about the answer sees it.
            scope.variables.values[step.output] = output
        await scope.run_target(step.below_floor, path, scope)
    return Outcome(output=output, kept=output)


def _demand_expertise(step: AgentStep, agent: Agent, output: Any, path: str) -> None:
    """Fail where an answer is about what the agent is no expert of. With an expertise, one that does not say is."""
    stated = output.get("subject") if isinstance(output, dict) else None
    if agent.expertise and stated not in agent.expertise:
        cause = f"its answer is about {str(stated)[:100]!r}; it is an expert of {', '.join(agent.expertise)}"
        operation = "stay within its expertise"
        code = "outside_expertise"
        raise StepFailed(Failure(code=code, step=path, actor=step.agent, operation=operation, cause=cause))


def _elsewhere(step: AgentStep) -> bool:
    """Whether the step has somewhere to go when what it asks cannot be reached: then it does not wait for that."""
    return UNREACHED in step.on_failure or isinstance(most_specific(UNREACHED, step.on_failure), Fallback)


def _unsure(step: AgentStep, agent: Agent, output: Any, path: str) -> Failure:
    stated = output.get("confidence") if isinstance(output, dict) else None
    cause = f"its confidence is {stated}; at least {agent.confidence_floor} is asked for"
    return Failure(code=UNSURE[0], step=path, actor=step.agent, operation="be sure enough", cause=cause)


def _below_floor(agent: Agent, output: object) -> bool:
    """Say whether the answer is too unsure. With a floor, an answer that states no confidence is."""
    if agent.confidence_floor is None:
        return False
    confidence = output.get("confidence") if isinstance(output, dict) else None
    return not isinstance(confidence, int | float) or confidence < agent.confidence_floor
