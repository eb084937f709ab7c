"""Ask people before the mission goes on.

The wait is a port: a test answers at once and a mission may wait a month. The asking itself is in `ask.py`,
where approvals of actions use it too.
"""

from contracts.definition import ESCALATE, GateStep
from contracts.view import MissionState
from workflows.interpreter.ask import Question, ask, gate_rungs
from workflows.interpreter.ending import MissionEnded
from workflows.interpreter.outcome import Outcome
from workflows.interpreter.scope import Scope


async def run_gate(step: GateStep, path: str, scope: Scope) -> Outcome:
    """Open the gate and wait for its quorum.

    A refusal is a result, not an error; the definition says what follows.
    """
    gate = step.gate
    question = Question(
        kind="approval",
        message=scope.render(gate.message, path) or step.step.replace("_", " "),
        rungs=gate_rungs(gate, scope),
        required=gate.required,
        context=scope.context(gate.context, path),
    )
    answer = await ask(question, path, scope)
    output = answer.output()
    if answer.decided == "approved":
        return Outcome(output=output, kept=output)
    target = gate.on_reject
    if answer.decided == "timed_out" and gate.on_timeout not in {ESCALATE, "refuse"}:
        target = gate.on_timeout
    if target == "abort":
        raise MissionEnded(MissionState.REFUSED, f"{path} was {answer.decided.replace('_', ' ')}: {answer.comment}")
    await scope.run_target(target, path, scope)
    return Outcome(output=output, kept=output)
