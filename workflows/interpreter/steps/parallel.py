"""Run branches at once."""

from contracts.definition import ParallelStep
from workflows.interpreter.join import run_all
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_parallel(step: ParallelStep, path: str, scope: Scope) -> Outcome:
    """Run every branch; the output maps each branch to its result. One failure stops the others."""
    results = await run_all([lambda branch=branch: scope.run_step(branch, path, scope) for branch in step.parallel])  # type: ignore[misc]
    return Outcome(output={branch.step: result for branch, result in zip(step.parallel, results, strict=True)})
