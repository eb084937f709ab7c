"""What policy said of a mission before its first step; asked once, and handed over from run to run.

Where policy wants people to approve something, and denies nothing outright, these are asked first, with the findings;
so they are where the mission is to become another, for what was not approved before. What policy denies, nobody here
can permit. What people approved goes along with each call: `activities/assent.py` believes their signatures alone.
"""

from collections.abc import Awaitable, Callable

from contracts.call import Assent
from contracts.plan import Ending
from contracts.policy import ADMISSION, FINDINGS, MOST_ASKED, Admission, wanted
from workflows.interpreter.ask import WORDS, Question, ask_apart
from workflows.interpreter.assent import assent_to_plan
from workflows.interpreter.command import READMITTED
from workflows.interpreter.course import refused
from workflows.interpreter.scope import Scope
from workflows.interpreter.stakes import heard
from workflows.interpreter.terms import put_to


class Gatekeeper:
    """Lets a mission begin, or says how it ends instead. One that began before policy was asked goes on."""

    def __init__(
        self, admission: Admission | None, ask: Callable[[], Awaitable[Admission]] | None, *, heeds: bool = False
    ) -> None:
        self.admission = admission
        self._ask = ask
        self._heeds = heeds
        self._readmitted: str | None = None

    def admitted(self) -> bool:
        """Whether policy, or the people that it names, have admitted the mission."""
        return self.admission is not None and self.admission.admitted

    def assent(self, path: str, scope: Scope) -> Assent | None:
        """Return what people approved of what runs at a path, for whoever acts to check: of its plan, or the mission.

        What they approved of a plan is all that policy wants approved of its steps.
        """
        planned = assent_to_plan(path, scope.journal) if scope.limits.defers else None
        if planned is not None:
            return planned
        admission = self.admission
        record = scope.journal.get(admission.path) if admission is not None and admission.path else None
        if admission is None or record is None or record.grant is None:
            return None
        return Assent(grant=record.grant, findings=admission.findings)

    async def ending(self, scope: Scope) -> Ending | None:
        """Ask policy, where it was not asked yet; return the ending of a mission that is not admitted."""
        if self.admission is None and self._ask is not None:
            self.admission = await self._policy(scope)
        admission = self.admission
        if admission is None or admission.admitted:
            return None
        if not self._heeds:
            return await self._started(admission, scope)
        admission, _ = await self._put(admission, scope)
        self.admission = admission
        return None if admission.admitted else refused(admission)

    async def _started(self, admission: Admission, scope: Scope) -> Ending | None:
        """Have people approve the start alone, as missions of before do."""
        if admission.approval:
            answer = await ask_apart(_question(admission, scope), ADMISSION, scope)
            if answer.decided == "approved":
                self.admission = admission.model_copy(update={"admitted": True, "by": answer.by})
                return None
        return refused(admission)

    async def _put(self, admission: Admission, scope: Scope) -> tuple[Admission, str]:
        """Have people approve what policy wants approved; return what it comes to, and what they said against it.

        Where the rules have changed before they did, policy is asked anew: what they saw is not what it says now.
        """
        for _ in range(MOST_ASKED):
            if admission.admitted or not admission.approval:
                return admission, ""
            path = self._path(scope)
            answer = await ask_apart(_question(admission, scope), path, scope)
            if answer.decided != "approved":
                said = f": {answer.comment}" if answer.comment else ""
                return admission, f"{path} was {WORDS[answer.decided]}{said}"
            now = await self._policy(scope)
            if now.admitted or set(now.findings) <= set(admission.findings):
                return now.model_copy(update={"admitted": True, "by": answer.by, "path": path}), ""
            admission = now
            if not self.admitted():
                self.admission = now
        return admission, "policy changes faster than people can approve"

    async def _policy(self, scope: Scope) -> Admission:
        """Ask policy. Whoever answers has just looked at all the rules in force."""
        if self._ask is None:
            raise AssertionError(scope.mission.id)
        admission = await self._ask()
        if admission.governance and scope.limits.recalls:
            heard(admission.governance, scope)
        return admission

    def _path(self, scope: Scope) -> str:
        """Return where people are asked next: each asking has a path of its own, which goes on in a later run."""
        number = sum(one.path.startswith(ADMISSION) and one.answer is not None for one in scope.journal.records())
        return f"{ADMISSION}[{number + 1}]" if number else ADMISSION

    async def readmit(self, scope: Scope) -> None:
        """Before the command that is due leads a mission another way: ask policy, and people where it wants that."""
        due, self._readmitted = scope.control.due(), None
        if not self._heeds or self._ask is None or due is None or due.verb not in READMITTED:
            return
        scope.control.carrying = True
        try:
            again, before = await self._policy(scope), self.admission
            if before is not None and before.path and set(again.findings) <= set(before.findings):
                self._readmitted = ""
                return
            again, against = await self._put(again, scope)
        finally:
            scope.control.carrying = False
        if again.admitted:
            self.admission = again
        self._readmitted = "" if again.admitted else (against or _not_admitted(again))

    async def why_not(self) -> str:
        """Return why a mission that is to go another way is not admitted any more; ask policy where nobody has."""
        if self._readmitted is not None:
            return self._readmitted
        if self._ask is None:
            return ""
        again = await self._ask()
        return "" if again.admitted or again.approval else _not_admitted(again)


def _not_admitted(admission: Admission) -> str:
    return f"policy does not admit it: {'; '.join(admission.findings)}"


def _question(admission: Admission, scope: Scope) -> Question:
    """Return what people are asked before the first step: to let it begin, with all that was found."""
    who, terms = put_to(admission.approval)
    asked = f"{scope.mission.requested_by or 'somebody'} starts {scope.plan.definition.mission}"
    return Question(
        kind="approval",
        message=f"{asked}; policy wants it approved by {wanted(admission.approval)}",
        rungs=((who, scope.plan.escalation.timeout),),
        context={FINDINGS: list(admission.findings)},
        terms=terms,
    )
