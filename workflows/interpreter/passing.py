"""Ask a gate's own people whether an operator's command may pass it.

The law: nothing gets past a gate without that gate's own quorum. Pure; the command itself is `command.py`.
"""

from collections.abc import Iterator

from contracts.decision import Opening, Ruling
from contracts.definition import Step
from contracts.gate import Gate
from contracts.record import inside
from language.steps import children, gate_of
from workflows.interpreter.ask import Question, ask_apart
from workflows.interpreter.reach import jumped, reach
from workflows.interpreter.scope import Scope
from workflows.interpreter.spot import spot


def gates_passed(ruling: Ruling, scope: Scope) -> Iterator[tuple[str, Gate | None, Opening | None]]:
    """Yield the gates that a command passes, each with its path: those inside what it skips, and those open there."""
    place = spot(ruling.step, scope)
    skipped = [(place.step, place.path)] if ruling.verb == "skip" else list(jumped(place, scope))
    for step, path in skipped:
        for inner, here in _every(step, path):
            gate = gate_of(inner)
            if gate is not None and not _answered(here, scope):
                yield here, gate, None
        for opening in scope.gates.openings():
            at, kind = opening.subject.step, opening.subject.kind
            if kind in {"escalation", "compensation"} and at.startswith(inside(path)):
                yield at, None, opening


def _every(step: Step, path: str) -> Iterator[tuple[Step, str]]:
    yield step, path
    for inner in children(step):
        for one in inner:
            yield from _every(one, f"{path}/{one.step}")


def _answered(path: str, scope: Scope) -> bool:
    record = scope.journal.get(path)
    return record is not None and record.answer is not None and record.answer.get("approved", False)


async def ask_to_pass(ruling: Ruling, scope: Scope) -> None:
    """Ask the people of every gate that a command passes; have it carried out once all have approved."""
    for path, gate, opening in list(gates_passed(ruling, scope)):
        if gate is not None:
            approvers, required, span = gate.approvers, gate.required, gate.timeout
        elif opening is not None:
            approvers, required, span = opening.subject.approvers, opening.subject.required, None
        else:
            continue
        said = f"{ruling.person} asks to {ruling.verb} {ruling.step}, past the gate at {path}: {ruling.comment}"
        question = Question(
            kind="override",
            message=said,
            rungs=((approvers, span),),
            context={"command": {"verb": ruling.verb, "step": ruling.step, "changes": ruling.changes}},
            required=required,
        )
        answer = await ask_apart(question, f"override[{ruling.jti[:8]}]/{path}", scope)
        if answer.decided != "approved":
            _dismiss(ruling, scope)
            reason = f"the people of the gate at {path} did not agree ({answer.decided.replace('_', ' ')})"
            scope.control.note(ruling, scope.ports.now(), refused=reason)
            scope.ports.changed()
            return
    _dismiss(ruling, scope)
    scope.control.queue(ruling.model_copy(update={"allowed": True}))
    scope.ports.override(reach(ruling, scope))


def _dismiss(ruling: Ruling, scope: Scope) -> None:
    scope.control.put(asking=tuple(one for one in scope.control.state.asking if one.jti != ruling.jti))
