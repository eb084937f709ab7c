"""Run steps that belong together."""

from contracts.definition import GroupStep
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_group(step: GroupStep, path: str, scope: Scope) -> Outcome:
    """Run the group's list; the output maps each step to its result."""
    return Outcome(output=await scope.run_target(step.steps, path, scope))
