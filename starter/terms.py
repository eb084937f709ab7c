"""On whose word a gate goes on, and who has said what: in a line."""

from contracts.decision import Opening, Ruling
from contracts.quorum import empty_seats

SAID = {
    "approve": "approved",
    "reject": "rejected",
    "modify": "changed it",
    "request_changes": "asked for changes",
    "abstain": "abstained",
}


def deciders(gate: Opening) -> str:
    """Return who may decide, how many must, who may not, and what has been said."""
    subject = gate.subject
    who = " or ".join(subject.approvers)
    said = [f"{who}; {subject.required} must approve" if subject.required > 1 else who]
    if subject.seats:
        said[0] += f", among them {', '.join(f'{count} {role}' for role, count in subject.seats.items())}"
    if subject.own:
        said[0] += f", at least {subject.own_required} of them {' or '.join(subject.own)}"
    if subject.reject_quorum > 1:
        said.append(f"{subject.reject_quorum} must reject")
    if missing := empty(gate):
        said.append(f"nobody yet for {', '.join(missing)}")
    if not subject.excluded and not subject.acts():
        said.append(f"{subject.requested_by}, who asked for it, may decide too")
    if "author" in subject.excluded:
        said.append(f"not {' or '.join(subject.authors)}, who wrote it")
    return "; ".join((*said, *(f"{vote.person} {told(vote)}" for vote in gate.words())))


def empty(gate: Opening) -> tuple[str, ...]:
    """Return the roles of the seats that nobody has taken yet."""
    return empty_seats(gate.subject.seats, {vote.person: vote.roles for vote in gate.approvals()})


def told(vote: Ruling) -> str:
    """Return what somebody has decided, in the past."""
    return f"left it to {vote.to}" if vote.verb == "delegate" else SAID.get(vote.verb or "", vote.verb or "")
