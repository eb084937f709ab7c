"""Ask people before the mission goes on.

The wait is a port: a test answers at once and a mission may wait a month. The asking itself is in `ask.py`,
where approvals of actions use it too.
"""

from contracts.definition import GateStep
from workflows.interpreter.ask import Question, gate_rungs, go_unapproved
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.rework import ask_anew
from workflows.interpreter.scope import Scope
from workflows.interpreter.terms import terms


async def run_gate(step: GateStep, path: str, scope: Scope) -> Outcome:
    """Open the gate and wait for its quorum.

    A refusal is a result, not an error; the definition says what follows.
    """
    gate = step.gate

    def question() -> Question:
        return Question(
            kind="approval",
            message=scope.text(gate.message, path) or step.step.replace("_", " "),
            rungs=gate_rungs(gate, scope),
            terms=terms(gate),
            context=scope.context(gate.context, path),
        )

    answer = await ask_anew(step, gate, question, path, scope)
    output = answer.output()
    if answer.decided == "approved":
        return Outcome(output=output, kept=output)
    await go_unapproved(gate, answer, path, scope)
    return Outcome(output=output, kept=output)
