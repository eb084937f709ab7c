"""Ask a gate's own people whether an operator's command may pass it.

The law: nothing gets past a gate without that gate's own quorum. Pure; the command itself is `command.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from contracts.decision import Ruling
from contracts.definition import ActionStep, Step
from contracts.gate import Gate
from contracts.record import inside
from language.steps import children, gate_of, walk
from workflows.interpreter.ask import Question, ask_apart
from workflows.interpreter.reach import jumped, reach
from workflows.interpreter.scope import Scope
from workflows.interpreter.spot import spot
from workflows.interpreter.terms import Terms, covering, terms


@dataclass(frozen=True)
class Passed:
    """A gate that a command passes: its path, whom it asks on what terms, and for how long."""

    path: str
    approvers: tuple[str, ...]
    terms: Terms
    timeout: timedelta | None = None


def gates_passed(ruling: Ruling, scope: Scope) -> Iterator[Passed]:
    """Yield the gates that a command passes: those inside what it skips, and those open there."""
    place = spot(ruling.step, scope)
    skipped = [(place.step, place.path)] if ruling.verb == "skip" else list(jumped(place, scope))
    for step, path in skipped:
        for inner, here in _every(step, path):
            gate = gate_of(inner)
            if gate is not None and not _answered(here, scope):
                yield Passed(here, gate.approvers, _terms(inner, gate, scope), gate.timeout)
        for opening in scope.gates.openings():
            asked = opening.subject
            if asked.kind in {"escalation", "compensation"} and asked.step.startswith(inside(path)):
                yield Passed(asked.step, asked.approvers, Terms(required=asked.required))


def _terms(step: Step, gate: Gate, scope: Scope) -> Terms:
    """Return a gate's terms, with those of the tools that act under it."""
    acts = [one for one in walk((step,)) if isinstance(one, ActionStep)]
    pairs = [(one.action, one.compensate.tool if one.compensate else None) for one in acts]
    return terms(gate, *covering(scope.plan, *pairs))


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
    for passed in list(gates_passed(ruling, scope)):
        said = f"{ruling.person} asks to {ruling.verb} {ruling.step}, past the gate at {passed.path}: {ruling.comment}"
        question = Question(
            kind="override",
            message=said,
            rungs=((passed.approvers, passed.timeout),),
            context={"command": {"verb": ruling.verb, "step": ruling.step, "changes": ruling.changes}},
            terms=passed.terms,
        )
        answer = await ask_apart(question, f"override[{ruling.jti[:8]}]/{passed.path}", scope)
        if answer.decided != "approved":
            _dismiss(ruling, scope)
            reason = f"the people of the gate at {passed.path} did not agree ({answer.decided.replace('_', ' ')})"
            scope.control.note(ruling, scope.ports.now(), refused=reason)
            scope.ports.changed()
            return
    _dismiss(ruling, scope)
    scope.control.queue(ruling.model_copy(update={"allowed": True}))
    scope.ports.override(reach(ruling, scope))


def _dismiss(ruling: Ruling, scope: Scope) -> None:
    scope.control.put(asking=tuple(one for one in scope.control.state.asking if one.jti != ruling.jti))
