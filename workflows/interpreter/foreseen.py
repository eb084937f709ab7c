"""What would undo an action, as far as that is known before it acts.

The law: people sign it with the action, and what undoes it later gets exactly these arguments, whatever variables hold
by then; only what hangs on the action's own `result` is open. The executor holds compensations to it.
"""

from typing import Any

from contracts.call import ToolCall
from contracts.definition import ActionStep
from language.expression import names, template_expressions
from workflows.interpreter.ending import StepFailed
from workflows.interpreter.scope import Scope

RESULT = "result"


def foreseen(step: ActionStep, arguments: dict[str, Any], path: str, scope: Scope) -> dict[str, Any] | None:
    """Return the arguments of what would undo an action with these arguments; none where nobody can tell."""
    undo = step.compensate
    if undo is None or not scope.mission.tells:
        return None
    if undo.with_ is None:
        wanted = scope.plan.tools[undo.tool].input.get("properties", arguments)
        return {name: value for name, value in arguments.items() if name in wanted}
    known = {name: value for name, value in undo.with_.items() if not _hangs_on_result(value)}
    try:
        rendered: dict[str, Any] = scope.render(known, path)
    except StepFailed:
        return None
    return rendered


def agreed(call: ToolCall) -> dict[str, Any]:
    """Return what people signed of the arguments with which a call would be undone."""
    acts = call.grant.subject.acts() if call.grant is not None else ()
    return next((act.undo for act in acts if act.step == call.path and act.undo), {})


def _hangs_on_result(value: Any) -> bool:
    return any(RESULT in names(source) for source in template_expressions(value))
