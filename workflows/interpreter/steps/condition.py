"""Take one of two ways on."""

from contracts.definition import ConditionStep
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_condition(step: ConditionStep, path: str, scope: Scope) -> Outcome:
    """Ask once and keep the answer: what the way taken changes must not turn the mission onto the other."""
    record = scope.journal.get(path)
    kept = record.output if record is not None else None
    if kept is None:
        kept = {"answer": scope.test(step.condition.if_, path)}
        scope.journal.update(path, output=kept)
    target = step.condition.then if kept["answer"] else step.condition.else_
    return Outcome(output=await scope.run_target(target, path, scope), kept=kept)
