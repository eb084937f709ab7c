"""Ask people; where they want changes and the gate says how these are made, have them made and ask anew.

Each round has a record below the gate (`review/changes[2]`) with what was asked for, so that a later run makes no
change twice. Asked anew, the gate has a new opening with a nonce of its own, over what is true then: nothing that was
approved before counts.
"""

from collections.abc import Callable

from contracts.definition import Target
from contracts.gate import CHANGES, MOST_CHANGES, Gate
from contracts.step import BaseStep
from workflows.interpreter.ask import Answer, Question, keep, put, recalled
from workflows.interpreter.scope import Scope


async def ask_anew(step: BaseStep, gate: Gate, question: Callable[[], Question], path: str, scope: Scope) -> Answer:
    """Ask until people approve, reject or say nothing; who asks for changes once too often has rejected."""
    rounds = MOST_CHANGES if gate.on_changes is not None else 0
    for number in range(1, rounds + 1):
        here = f"{path}/{CHANGES}[{number}]"
        if scope.journal.get(here) is None:
            known = recalled(path, scope)
            if known is not None:
                return known
            answer = await put(question(), path, scope)
            if answer.decided != "changes_requested":
                return keep(answer, path, scope)
            _note(answer, path, here, scope)
        await _change(step, gate.on_changes, here, scope)
    return recalled(path, scope) or keep(await put(question(), path, scope), path, scope)


def _note(answer: Answer, path: str, here: str, scope: Scope) -> None:
    """Give what was asked for a record of its own; the gate itself is open still."""
    asked = scope.journal.get(path)
    scope.journal.start(here, CHANGES, ", ".join(answer.by), scope.ports.now())
    scope.journal.update(here, output=answer.output(), decisions=asked.decisions if asked is not None else ())
    scope.journal.update(path, status="running", decisions=())
    scope.ports.changed()


async def _change(step: BaseStep, target: Target | None, here: str, scope: Scope) -> None:
    """Have the changes made. The steps that make them read what was asked for as the gate's output."""
    record = scope.journal.get(here)
    if record is None or target is None:
        raise AssertionError(here)
    scope.variables.steps[step.step] = {"status": "running", "output": record.output}
    await scope.run_target(target, here, scope)
    if record.status == "running":
        scope.journal.finish(here, "succeeded", scope.ports.now())
        scope.ports.changed()
