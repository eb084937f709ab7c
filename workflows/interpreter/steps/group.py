"""Run steps that belong together; where the group has an approval, ask for all its actions before the first one."""

from dataclasses import replace

from contracts.definition import GroupStep
from contracts.gate import Gate
from workflows.interpreter.ask import Question, gate_rungs, go_unapproved, recalled
from workflows.interpreter.ending import Overtaken
from workflows.interpreter.foreseen import foreseen
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.rework import ask_anew
from workflows.interpreter.scope import Scope
from workflows.interpreter.stakes import void
from workflows.interpreter.terms import covering, terms
from workflows.interpreter.together import actions_of, frozen, left


async def run_group(step: GroupStep, path: str, scope: Scope) -> Outcome:
    """Run the group's list; the output maps each step to its result."""
    while True:
        try:
            return await _asked_and_run(step, path, scope)
        except Overtaken as overtaken:
            if step.approval is None:
                raise
            void(path, overtaken, scope)


async def _asked_and_run(step: GroupStep, path: str, scope: Scope) -> Outcome:
    gate, inside = step.approval, scope
    if gate is not None and (recalled(path, scope) is not None or left(step, path, scope)):
        answer = await ask_anew(step, gate, lambda: _question(step, gate, path, scope), path, scope)
        if answer.decided != "approved":
            await go_unapproved(gate, answer, path, scope)
            return Outcome(output=answer.output(), kept=answer.output(), status="skipped")
        inside = replace(scope, grant=answer.grant)
    return Outcome(output=await scope.run_target(step.steps, path, inside))


def _question(step: GroupStep, gate: Gate, path: str, scope: Scope) -> Question:
    actions, steps = frozen(step, path, scope), {here: action for action, here in actions_of(step, path, scope)}
    tools = {action.step: scope.plan.tools[action.tool].input for action in actions}
    return Question(
        kind="approval",
        message=scope.text(gate.message, path) or step.step.replace("_", " "),
        rungs=gate_rungs(gate, scope),
        terms=terms(gate, *covering(scope.plan, *((action.tool, action.compensation) for action in actions))),
        context=scope.context(gate.context, path),
        actions=actions,
        foresee=lambda here, given: foreseen(steps[here], given, here, scope),
        input_schema={"type": "object", "properties": tools, "additionalProperties": False, "minProperties": 1},
    )
