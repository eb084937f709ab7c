"""Ask those whom policy names about a plan that an agent made.

The law: they see the plan and all that policy found, sign exactly that, and what they sign counts for this plan alone.
Where the people of the plan's own gate were shown the same and are those whom policy wants, nobody is asked twice.
Pure; `steps/plan.py` carries out what they approve.
"""

from typing import Any, NamedTuple

from contracts.base import Message
from contracts.planned import LoadedPlan
from contracts.planning import SHOWN, STEPS
from contracts.policy import ADMISSION, FINDINGS, lacking, wanted
from contracts.record import Record
from workflows.interpreter.ask import Answer, Question
from workflows.interpreter.scope import Scope
from workflows.interpreter.terms import put_to


class Said(NamedTuple):
    """What people said of a plan, and at which path they were asked."""

    answer: Answer
    at: str


def loaded(record: Record | None) -> LoadedPlan:
    """Return the plan that a record has."""
    if record is None or not record.output:
        raise AssertionError(record)
    return LoadedPlan.model_validate(record.output["plan"])


def kept(plan: LoadedPlan) -> dict[str, Any]:
    """Return what the record of a plan has of it: what policy said stands beside that."""
    return {"plan": plan.model_copy(update={"policy": ()}).model_dump(mode="json", exclude=_silent(plan))}


def shown(record: Record) -> dict[str, Any]:
    """Return a plan as people see it."""
    plan = loaded(record)
    seen = {"id": plan.id, "digest": plan.digest, "changes": list(plan.changes), STEPS: record.output["answer"][STEPS]}
    return {**seen, **({"rationale": plan.rationale} if plan.rationale else {})}


def question(message: str, record: Record, scope: Scope) -> Question:
    """Return what those are asked whom policy names."""
    plan = loaded(record)
    who, terms = put_to(plan.approval)
    return Question(
        kind="approval",
        message=f"{message}; policy wants them approved by {wanted(plan.approval)}",
        rungs=((who, scope.plan.escalation.timeout),),
        terms=terms,
        context={FINDINGS: list(plan.wanting), SHOWN: shown(record)},
        planned=plan,
    )


def where(record: Record) -> str:
    """Return where they are asked: asked about something else, at another path."""
    again = record.output.get(AGAIN, 0)
    return f"{record.path}/{ADMISSION}{f'[{again + 1}]' if again else ''}"


def met(record: Record) -> bool:
    """Whether those who approved a plan at its own gate are whom policy wants, and were shown what it found."""
    plan, answer, grant = loaded(record), record.answer, record.grant
    if answer is None or grant is None or not set(plan.wanting) <= set(grant.subject.findings):
        return False
    roles = {vote.person: vote.roles for vote in record.decisions}
    return not lacking(plan.approval, [(name, roles.get(name, ())) for name in answer["by"]])


AGAIN = "again"
"""Under which name the record of a plan says how often policy said something else by the time that it was approved."""


def _silent(plan: Message) -> set[str]:
    """Return the fields that came later and say nothing: a plan that nobody need approve is kept as it always was."""
    return {name for name in ("wanting", "approval") if not getattr(plan, name)}
