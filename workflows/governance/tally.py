"""Count decisions at gates. Pure: the wait is a port, the judging of signatures an activity.

A gate that is asked again is a new opening with a new nonce; votes never move from one opening to the next.
`reject_quorum` rejections refuse, one modification asks again with the changed arguments; `required` approvals of
distinct people approve, among them those whom the subject's seats ask for. Who abstains or delegates has had their say;
where too few are left to approve, nothing is guessed: the deadline decides. The other half is
`activities/identity.py`, which rules on each statement before it is counted.
"""

from collections.abc import Iterable
from typing import Literal

from contracts.decision import BOUND, REFUSING, SPEAKING, Opening, Receipt, Ruling
from contracts.quorum import empty_seats

CHANGED = "policy or people have changed since this was asked, and it is asked again"
Standing = Literal["open", "approved", "rejected", "changes_requested", "modified", "answered", "overtaken"]


def standing(opening: Opening) -> Standing:
    """Say what the votes of an opening come to."""
    if opening.overtaken:
        return "overtaken"
    words, subject = opening.words(), opening.subject
    against = [word.verb for word in words if word.verb in REFUSING]
    if len(against) >= subject.reject_quorum:
        return "rejected" if "reject" in against else "changes_requested"
    if any(word.verb == "modify" for word in words):
        return "modified"
    if any(word.verb == "answer" for word in words):
        return "answered"
    approvers = {word.person: word.roles for word in words if word.verb == "approve"}
    enough = len(approvers) >= subject.required and not empty_seats(subject.seats, approvers)
    own = [name for name, roles in approvers.items() if {name, *roles} & set(subject.own)]
    enough = enough and len(own) >= subject.own_required
    return "approved" if enough else "open"


class Gatebook:
    """The gates that are open, by step path; which decisions have counted; which were refused, the latest last."""

    KEPT_REFUSALS = 100

    def __init__(
        self, openings: Iterable[Opening] = (), used: Iterable[str] = (), refusals: Iterable[Ruling] = ()
    ) -> None:
        self._open = {opening.subject.step: opening for opening in openings}
        self.used = list(used)
        self.refusals = list(refusals)

    def get(self, path: str) -> Opening | None:
        return self._open.get(path)

    def openings(self) -> tuple[Opening, ...]:
        """Return the open gates, those first whose deadline is nearest."""
        last = max((o.deadline for o in self._open.values() if o.deadline), default=None)
        return tuple(sorted(self._open.values(), key=lambda o: (o.deadline is None, o.deadline or last)))

    def asking(self) -> bool:
        """Say whether the mission waits for people; one who may speak while a party talks is not waited for."""
        return any(opening.subject.kind != "facilitation" for opening in self._open.values())

    def open(self, opening: Opening) -> None:
        self._open[opening.subject.step] = opening

    def close(self, path: str) -> None:
        self._open.pop(path, None)

    def refuse(self, step: str, reason: str, person: str = "") -> None:
        """Keep for the record that something was refused."""
        self._refuse(Ruling(accepted=False, step=step, reason=reason, person=person))

    def _refuse(self, ruling: Ruling) -> None:
        self.refusals = [*self.refusals, ruling.model_copy(update={"token": ""})][-self.KEPT_REFUSALS :]

    def count(self, ruling: Ruling) -> Receipt:
        """Count an accepted ruling, or keep a refused one; return what its sender is told.

        The gate may have moved on while the ruling was made: then it counts no more.
        """
        if ruling.asked:
            return self._overtake(ruling.governance)
        opening = self._open.get(ruling.step)
        if ruling.accepted and (opening is None or opening.nonce != ruling.nonce or standing(opening) != "open"):
            ruling = ruling.model_copy(update={"accepted": False, "reason": "this gate has been settled meanwhile"})
        if ruling.overtaken and opening is not None and (opening.nonce, standing(opening)) == (ruling.nonce, "open"):
            self._open[ruling.step] = opening.model_copy(update={"overtaken": ruling.governance})
        if not ruling.accepted or opening is None:
            self._refuse(ruling)
            return Receipt(accepted=False, reason=ruling.reason, step=ruling.step)
        spoken = ruling.verb in SPEAKING
        voted = _granting(opening.model_copy(update={"votes": (*opening.votes, ruling)}))
        self._open[ruling.step] = voted
        self.used.append(ruling.jti)
        return Receipt(accepted=True, step=ruling.step, state="heard" if spoken else standing(voted))

    def overtaken(self, version: str) -> list[Opening]:
        """Return the open gates that were asked under other rules than these."""
        bound = (one for one in self._open.values() if one.subject.kind in BOUND and one.subject.governance)
        return [one for one in bound if one.subject.governance != version and standing(one) == "open"]

    def _overtake(self, version: str) -> Receipt:
        """Have whatever was asked under other rules asked again; where nobody knows the rules, nothing is."""
        for opening in self.overtaken(version) if version else ():
            self._open[opening.subject.step] = opening.model_copy(update={"overtaken": version})
            self.refuse(opening.subject.step, CHANGED)
        return Receipt(accepted=False, reason=CHANGED)


def _granting(opening: Opening) -> Opening:
    """Return an opening whose approvals that stand keep their tokens: nobody checks those of other words again."""
    standing_ = {vote.jti for vote in opening.approvals()}
    bare = (vote if vote.jti in standing_ else vote.model_copy(update={"token": ""}) for vote in opening.votes)
    return opening.model_copy(update={"votes": tuple(bare)})
