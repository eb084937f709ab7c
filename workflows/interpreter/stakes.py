"""Under which rules people are asked, how risky it is, and whom that has asked beyond definition and contracts.

The law: a reading is on record before anything hangs on it, so that a later run asks the same people. It asks for more
people or for as many, never for fewer. What was approved under other rules than those in force is asked again, and no
vote moves over. Pure; the weighing is `language/weigh.py`, and the executor (`activities/authority.py`) judges again.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from contracts.decision import BOUND, Action, Subject
from contracts.definition import ActionStep
from contracts.gate import Gate
from contracts.record import Failure
from contracts.risk import MOST_SCORE, Facts, Reading, RiskFile
from language.weigh import weigh
from workflows.interpreter.ending import Overtaken, StepFailed, Suspended
from workflows.interpreter.join import halt_if_cancelled
from workflows.interpreter.scope import Scope

MOST_VOID = 10
"""How often one approval becomes void before nobody is asked any more: then those who act do not agree on the rules."""

RECALLED = timedelta(seconds=30)
"""How long rules that somebody told of are taken for those in force: shorter than `runtime/vigil.py` looks back."""


def at_risk(subject: Subject, scope: Scope) -> Subject:
    """Return a subject with its reading, and as many people as that asks for: a gate's own quorum stays beside it."""
    file, acts, record = scope.plan.risk, subject.acts(), scope.journal.get(subject.step)
    if subject.kind != "approval" or not acts:
        return subject
    least = max(subject.required, record.least if record is not None else 0)
    if file is None:
        return subject.model_copy(update={"required": least})
    reading = weigh(file, acts, scope.plan.tools, _facts({act.step for act in acts}, acts, scope))
    fields: dict[str, Any] = {"risk": reading, "required": max(least, reading.people)}
    _, level = file.level(reading.score)
    others = tuple(who for who in level.approvers if who not in subject.approvers)
    if others and reading.people > subject.required:
        everyone = (*subject.approvers, *others)
        fields |= {"approvers": everyone, "own": subject.approvers, "own_required": subject.required}
    return subject.model_copy(update=fields)


def asked_by_risk(step: ActionStep, path: str, arguments: dict[str, Any], scope: Scope) -> Gate | None:
    """Return whom an action's risk has asked where its contract frees it; nobody where the risk is low."""
    file, record = scope.plan.risk, scope.journal.get(path)
    if record is None or not scope.plan.tools[step.action].acts() or (file is None and not record.least):
        return None
    file, reading = file or RiskFile(), record.risk
    if reading is None and file.factors:
        undo = step.compensate.tool if step.compensate else None
        act = Action(step=path, tool=step.action, arguments=arguments, compensation=undo)
        reading = weigh(file, (act,), scope.plan.tools, _facts({path}, (act,), scope))
        scope.journal.update(path, risk=reading)
    people = max(reading.people if reading is not None else 0, record.least)
    if not people and record.answer is None and scope.gates.get(path) is None:
        return None
    _, level = file.level(reading.score if reading is not None else MOST_SCORE)
    escalation = scope.plan.escalation
    return Gate(
        approvers=level.approvers or (escalation.role,),
        required=max(1, people),
        timeout=level.timeout or escalation.timeout,
    )


def _facts(paths: Collection[str], acts: Collection[Action], scope: Scope) -> Facts:
    """Return what the mission knows of some actions beyond what is shown of them."""
    definition, before, said = scope.plan.definition, dict.fromkeys(sorted({act.tool for act in acts}), 0), []
    for record in scope.journal.records():
        effect, output = record.effect, record.output
        if effect is not None and effect.tool in before and effect.applied != "no" and record.path not in paths:
            before[effect.tool] += 1
        if record.kind == "agent" and isinstance(output, dict):
            said.append(output.get("confidence"))
    sure = [float(one) for one in said if isinstance(one, int | float) and not isinstance(one, bool)]
    return Facts(
        mission=definition.mission,
        team=definition.team,
        requested_by=scope.mission.requested_by,
        before=before,
        confidence=min(sure, default=None),
        at=_when(scope),
    )


def _when(scope: Scope) -> datetime:
    """Return the time that risk hangs on.

    A mission that is asked for its gates may open one before its own task does, at a time of its own: what is signed
    then has to be what the task shows later.
    """
    now = scope.ports.now()
    return now.replace(minute=0, second=0, microsecond=0) if scope.limits.hourly else now


def reading_of(path: str, scope: Scope) -> Reading | None:
    """Return what is on record of an action's risk."""
    record = scope.journal.get(path)
    return record.risk if record is not None else None


async def learn(kind: str, path: str, scope: Scope) -> None:
    """Learn which rules are in force, before people are asked for what counts only under these."""
    record, known = scope.journal.get(path), scope.control.state.governance
    if not scope.limits.governed or kind not in BOUND or (known and record is not None and record.voided):
        # Who would not take an approval has just said which are.
        return
    heard_at = scope.control.state.governed_at
    if known and heard_at is not None and scope.ports.now() - heard_at < RECALLED:
        return
    version = await scope.ports.governance(path)
    halt_if_cancelled()
    heard(version, scope)
    if scope.ports.stopping():
        raise Suspended


def heard(version: str, scope: Scope) -> None:
    """Take in which rules are in force, from somebody who has just looked."""
    when = {"governed_at": scope.ports.now()} if scope.limits.recalls else {}
    scope.control.put(governance=version, **when)


def void(path: str, overtaken: Overtaken, scope: Scope) -> None:
    """Take back what people approved at a path, so that they are asked again under the rules in force."""
    record = scope.journal.get(path)
    if record is None:
        raise AssertionError(path)
    if overtaken.governance:
        heard(overtaken.governance, scope)
    scope.gates.refuse(path, str(overtaken)[:500])
    if record.voided >= MOST_VOID:
        tried = f"people were asked {MOST_VOID + 1} times"
        said = {"operation": "act under the rules in force", "cause": str(overtaken), "tried": tried}
        raise StepFailed(Failure(code="refused", step=path, remains="nothing was done", **said))
    least = max(record.least, overtaken.people)
    again = {"answer": None, "grant": None, "decisions": (), "voided": record.voided + 1, "least": least}
    scope.journal.update(path, status="running", **again)
    scope.ports.changed()
