"""What people approved that policy wants approved: checked by whoever is about to act.

Law: no mission is believed. The findings must be those that people signed, at the gate before this mission's own first
step or that of a plan which an agent made in it, and an approval counts for nothing but a sentence of policy that stood
there word for word: same agent, model or tool, same policies at the same lines. What was approved of a plan counts for
the steps of exactly that plan (`activities/planned.py`). `workflows/gatekeeper.py` and
`workflows/interpreter/planned.py` ask them.
"""

from datetime import UTC, datetime

from temporalio import activity

from activities.identity import approvals
from activities.lineage import Lineage
from activities.people import Directory
from activities.planned import approved_so
from activities.statement import Refusal
from contracts.base import digest
from contracts.call import AgentCall, Assent, ToolCall
from contracts.policy import ADMISSION, Answer, lacking, stands_in

Roles = dict[str, tuple[str, ...]]
"""People who approved, with their roles."""


class Assented:
    """What counts of an approval: for whom it was given, and of what."""

    def __init__(self, people: Roles | None = None, findings: tuple[str, ...] = ()) -> None:
        self._people = people or {}
        self._findings = findings

    def applied(self, answer: Answer, approved: Roles | None = None) -> Answer:
        """Return an answer as people leave it: what needs approval is allowed where they gave it, of exactly this."""
        if answer.outcome != "needs approval":
            return answer
        seen = stands_in(answer, self._findings)
        there = {**(approved or {}), **(self._people if seen else {})}
        return answer if lacking(answer.approval, there.items()) else answer.model_copy(update={"outcome": "allow"})


NOTHING = Assented()


class Assents:
    """Checks what comes with a call. `Refusal` where it is not what it says, `Unreadable` where nobody can tell."""

    def __init__(self, directory: Directory, lineage: Lineage) -> None:
        self._directory = directory
        self._lineage = lineage

    async def of(self, call: AgentCall | ToolCall) -> Assented:
        """Return what people approved of the mission, or the plan, that a call is of."""
        if call.assent is None:
            return NOTHING
        grant, info = call.assent.grant, activity.info()
        subject = grant.subject
        first = await self._lineage(info.workflow_id or "", info.workflow_run_id or "")
        if (subject.mission, subject.first_run_id) != (info.workflow_id, first):
            raise Refusal("what people approved is of another mission")
        if subject.planned:
            counts, findings = approved_so(call, call.assent), subject.findings
        else:
            counts, findings = True, self._before(call.assent)
        if not counts:
            return NOTHING
        people = self._directory.people()
        names = approvals(grant, people, datetime.now(UTC))
        return Assented({name: people.people[name].roles for name in names}, findings)

    @staticmethod
    def _before(assent: Assent) -> tuple[str, ...]:
        """Return what was approved before the first step."""
        subject = assent.grant.subject
        if subject.kind != "approval" or not subject.step.startswith(ADMISSION) or subject.acts():
            raise Refusal("what people approved is not what policy had found before the first step")
        if subject.context_digest != digest(assent.context()):
            raise Refusal("what policy had found is not what people were shown")
        return assent.findings
