"""Let an agent do a task, and hand its answer on.

An answer that does not fit the agent's schema goes back to it once with the errors. One below the agent's
confidence floor takes the way that the definition names, and asks people by default.
"""

from contracts.call import AgentCall, AgentResult
from contracts.definition import AgentStep
from contracts.record import Failure
from contracts.workspace import Agent
from workflows.interpreter.effort import agent_effort
from workflows.interpreter.ending import EffectFailed, StepFailed
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Effort, Scope


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
        )
        scope.begin_effect()
        result = await _answer(call, agent_effort(agent, step.retry, step.timeout), scope)
        output = result.output
        scope.journal.update(path, output=output, observations=result.observations, usage=result.usage)
    if _below_floor(agent, output):
        if step.output:
            # Whoever is asked about the answer sees it.
            scope.variables.values[step.output] = output
        await scope.run_target(step.below_floor, path, scope)
    return Outcome(output=output, kept=output)


async def _answer(call: AgentCall, effort: Effort, scope: Scope) -> AgentResult:
    first = await _run(call, effort, scope)
    if not first.errors:
        return first
    again = await _run(call.model_copy(update={"errors": first.errors}), effort, scope)
    if again.errors:
        raise StepFailed(
            Failure(
                code="output_invalid",
                step=call.path,
                actor=call.name,
                operation="answer by its output schema",
                cause="; ".join(again.errors),
                tried="the errors were handed back to it once",
                remains="mend the agent or its schema, and start the mission again",
            )
        )
    return again.model_copy(
        update={
            "usage": first.usage.plus(again.usage),
            "observations": (*first.observations, *again.observations),
        }
    )


async def _run(call: AgentCall, effort: Effort, scope: Scope) -> AgentResult:
    try:
        with scope.ports.within(call.path):
            return await scope.ports.run_agent(call, effort)
    except EffectFailed as failed:
        raise StepFailed(
            Failure(
                code=failed.code,
                step=call.path,
                actor=call.name,
                operation="run the agent",
                cause=failed.cause,
                tried=failed.tried,
                remains="start the mission again once the cause is gone",
            )
        ) from failed


def _below_floor(agent: Agent, output: object) -> bool:
    """Say whether the answer is too unsure. With a floor, an answer that states no confidence is."""
    if agent.confidence_floor is None:
        return False
    confidence = output.get("confidence") if isinstance(output, dict) else None
    return not isinstance(confidence, int | float) or confidence < agent.confidence_floor
