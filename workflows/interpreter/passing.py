"""Ask a gate's own people whether an operator's command may pass it.

The law: nothing gets past a gate without that gate's own quorum. Pure; the command itself is `command.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from contracts.base import digest
from contracts.decision import Ruling, Subject
from contracts.definition import ActionStep, MissionStep, Step
from contracts.gate import Gate, Quorum
from contracts.record import inside
from language.risk import by_policy
from language.steps import called_by, children, gate_of, walk
from workflows.interpreter.ask import Question, ask_apart
from workflows.interpreter.reach import jumped, reach
from workflows.interpreter.scope import Scope
from workflows.interpreter.spot import spot
from workflows.interpreter.tell import withdraw
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
        for inner, here in _every(step, path, scope):
            gate = gate_of(inner)
            if gate is not None and not _answered(here, scope):
                yield Passed(here, gate.approvers, _terms(inner, gate, scope), gate.timeout)
        for opening in scope.gates.openings():
            asked = opening.subject
            apart = asked.kind in {"escalation", "compensation"} or by_policy(asked)
            within = apart and asked.step.startswith(inside(path))
            if within or (_by_risk(asked, scope) and f"{asked.step}/".startswith(f"{path}/")):
                yield Passed(asked.step, asked.approvers, Terms((Quorum(asked.required, dict(asked.seats)),)))


def _by_risk(asked: Subject, scope: Scope) -> bool:
    """Whether only its risk has people asked about an action."""
    step = scope.by_name.get(asked.step.rpartition("/")[2])
    return asked.risk is not None and step is not None and gate_of(step) is None


def _terms(step: Step, gate: Gate, scope: Scope) -> Terms:
    """Return a gate's terms, with those of the tools that act under it."""
    acts = [one for one in walk((step,)) if isinstance(one, ActionStep)]
    pairs = [(one.action, one.compensate.tool if one.compensate else None) for one in acts]
    return terms(gate, *covering(scope.plan, *pairs))


def unagreed(ruling: Ruling, scope: Scope) -> list[Passed]:
    """Return the gates that a command passes and whose people have not agreed to this very command."""

    def agreed(passed: Passed) -> bool:
        record = scope.journal.settled(_asked(ruling, passed))
        return record is not None and record.output is not None and record.output["approved"]

    if ruling.verb not in {"skip", "redirect"}:
        return []
    return [passed for passed in gates_passed(ruling, scope) if not agreed(passed)]


def _asked(ruling: Ruling, passed: Passed) -> str:
    return f"{_named(ruling)}/{passed.path}"


def _named(ruling: Ruling) -> str:
    # The whole id counts: whoever signs a command chooses it, and must not choose one that others agreed to.
    return f"override[{digest(ruling.jti)[-32:]}]"


def _every(step: Step, path: str, scope: Scope) -> Iterator[tuple[Step, str]]:
    """Yield a step and all that it may lead to: written inside it, called by name, or in a child mission."""
    yield step, path
    below = [*children(step), tuple(scope.by_name[name] for name in called_by(step))]
    if isinstance(step, MissionStep):
        below.append(scope.plan.missions[step.mission].definition.steps)
    for inner in below:
        for one in inner:
            if f"/{one.step}/" not in f"/{path}/":
                yield from _every(one, f"{path}/{one.step}", scope)


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
        answer = await ask_apart(question, _asked(ruling, passed), scope)
        if answer.decided != "approved":
            _dismiss(ruling, scope)
            reason = f"the people of the gate at {passed.path} did not agree ({answer.decided.replace('_', ' ')})"
            scope.control.note(ruling, scope.ports.now(), refused=reason)
            scope.ports.changed()
            return
    _dismiss(ruling, scope)
    scope.control.queue(ruling)
    scope.ports.override(reach(ruling, scope))


def _dismiss(ruling: Ruling, scope: Scope) -> None:
    """Ask no more. A gate that was answered otherwise meanwhile leaves nobody's question open."""
    for opening in scope.gates.openings():
        path = opening.subject.step
        if path.startswith(f"{_named(ruling)}/"):
            withdraw(opening, scope)
            scope.journal.finish(path, "cancelled", scope.ports.now())
    scope.control.put(asking=tuple(one for one in scope.control.state.asking if one.jti != ruling.jti))
