"""Let an agent do a task, and hand its answer on.

An answer below the agent's confidence floor takes the way that the definition names, and asks people by default. How
an answer comes about is in `consult.py`.
"""

from contracts.call import AgentCall
from contracts.definition import AgentStep
from contracts.workspace import Agent
from workflows.interpreter.consult import consult
from workflows.interpreter.effort import agent_effort
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


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
        await scope.begin_effect(path)
        result = await consult(call, agent_effort(agent, step.retry, step.timeout), scope)
        output = result.output
        scope.journal.update(path, output=output, observations=result.observations, usage=result.usage)
    if _below_floor(agent, output):
        if step.output:
            # Whoever is asked about the answer sees it.
            scope.variables.values[step.output] = output
        await scope.run_target(step.below_floor, path, scope)
    return Outcome(output=output, kept=output)


def _below_floor(agent: Agent, output: object) -> bool:
    """Say whether the answer is too unsure. With a floor, an answer that states no confidence is."""
    if agent.confidence_floor is None:
        return False
    confidence = output.get("confidence") if isinstance(output, dict) else None
    return not isinstance(confidence, int | float) or confidence < agent.confidence_floor
