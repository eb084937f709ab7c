"""Who decided, and whether it counts: the judgement on every decision.

Law: deny by default, judge by the mission's clock and never by the sender's, and tell each refusal's own reason.
The same rules serve the mission (`decision.judge`) and the executor of an action, which trusts no mission
(`approvals`). `workflows/governance/tally.py` counts what is accepted here.
"""

from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities import statement
from activities.arrival import Arrivals
from activities.entitled import may_decide, why_not_again, why_not_content, why_not_delegate, why_not_person
from activities.governance import Governance
from activities.people import Directory, Unreadable, same_person
from activities.policy import Policy
from activities.statement import Refusal, show
from contracts.call import JUDGE_DECISION, Grant
from contracts.decision import BOUND, COMMANDS, FOLLOWED, HALTING, Claims, Hearing, Kin, Opening, Ruling, Subject
from contracts.policy import Question
from contracts.workspace import PeopleFile

SKEW = timedelta(seconds=60)
"""How far ahead of the mission's clock an approver's may be."""
LONGEST_COMMENT = 4_000


class TooLate(Refusal):
    """A statement that came after its time, unless the mission only heard it then."""


class Overtaken(Refusal):
    """A statement about what was asked under other rules than those in force."""


class Judge:
    """The activity that hears a decision. It never raises: a decision that cannot be read is a refusal."""

    def __init__(
        self,
        directory: Directory,
        arrivals: Arrivals | None = None,
        *,
        policy: Policy,
        governance: Governance | None = None,
    ) -> None:
        self._governance = governance
        self._directory = directory
        self._policy = policy
        self._arrivals = arrivals

    @activity.defn(name=JUDGE_DECISION)
    async def judge(self, hearing: Hearing) -> Ruling:
        """Rule on one decision by the people registered now, and say which rules are in force."""
        try:
            people = self._directory.people()
            version = self._governance.version() if self._governance is not None else ""
        except Unreadable as error:
            return Ruling(accepted=False, reason=f"nobody can decide now: {error}", received_at=hearing.received_at)
        if hearing.asks:
            return Ruling(accepted=False, asked=True, governance=version, received_at=hearing.received_at)
        ruling = judge(hearing, people, version)
        if ruling.late and self._arrivals is not None:
            came = await self._arrivals(hearing.token, hearing.received_at)
            if came is not None and came < hearing.received_at:
                ruling = judge(hearing.model_copy(update={"received_at": came}), people, version)
        return self._permitted(ruling, hearing) if ruling.accepted else ruling

    def _permitted(self, ruling: Ruling, hearing: Hearing) -> Ruling:
        """Return a ruling as policy leaves it: it only ever narrows who may."""
        answer = self._policy.ask(_question(ruling, hearing))
        if answer.allowed():
            return ruling.model_copy(update={"policy": answer})
        kept = {"token": "", "comment": ruling.comment[:LONGEST_COMMENT], "changes": None, "answer": None}
        reason = f"policy does not allow it: {answer}"
        return ruling.model_copy(update={"accepted": False, "reason": reason, "policy": answer, **kept})


def _question(ruling: Ruling, hearing: Hearing) -> Question:
    """Return what policy is asked of somebody's word: a decision at a gate, or a command."""
    verb, opening = ruling.verb or "", next(iter(hearing.openings), None)
    if verb in COMMANDS or verb in HALTING or opening is None:
        context = {"verb": verb, "step": ruling.step}
        return Question(
            verb="steer", who=ruling.person, what=hearing.name, team=hearing.team, at=ruling.step, context=context
        )
    return decision(ruling.person, verb, opening.subject, hearing.name, hearing.team)


def decision(person: str, verb: str, subject: Subject, mission: str, team: str) -> Question:
    """Return what policy is asked of a decision."""
    context = {"verb": verb, "kind": subject.kind, "requested_by": subject.requested_by}
    context |= {"tool": subject.tool} if subject.tool else {}
    what = f"{mission}/{subject.step}"
    return Question(verb="decide", who=person, what=what, team=team, at=subject.step, context=context)


def judge(hearing: Hearing, people: PeopleFile, version: str = "") -> Ruling:
    """Rule on one decision. Pure; the reason of a refusal is one clause for its sender."""
    try:
        claims = statement.unseal(hearing.token, people)
    except Refusal as refusal:
        return Ruling(accepted=False, reason=str(refusal), received_at=hearing.received_at, governance=version)
    said = _said(claims, people).model_copy(update={"received_at": hearing.received_at, "governance": version})
    try:
        _check(claims, hearing, people, version)
    except Refusal as refusal:
        there = any((one.subject.step, one.nonce) == (claims.step, claims.nonce) for one in hearing.openings)
        kind = {"late": isinstance(refusal, TooLate), "overtaken": isinstance(refusal, Overtaken)}
        return said.model_copy(update={"reason": str(refusal), "unopened": not there, **kind})
    whole = {"comment": claims.comment, "changes": claims.changes, "answer": claims.answer}
    return said.model_copy(update={"accepted": True, "token": hearing.token, **whole})


def approvals(grant: Grant, people: PeopleFile, now: datetime) -> tuple[str, ...]:
    """Return the different people whose tokens in a grant really approve its subject.

    Raises `Refusal` at the first token that does not count. Each is judged as of when it was given: an approval that
    was good then stays good while the mission waits for the others. One from the future never is.
    """
    names: list[str] = []
    for token in grant.tokens:
        claims = statement.unseal(token, people)
        if claims.verb != "approve":
            raise Refusal(f"the decision of {claims.iss} is to {claims.verb}, not to approve")
        given = datetime.fromtimestamp(claims.iat, UTC)
        if given > now + SKEW:
            raise Refusal(f"the decision of {claims.iss} is not yet valid: it was issued at {_clock(claims.iat)}")
        _check_binding(claims, grant.subject, grant.nonce)
        _check_person(claims, grant.subject, people)
        if any(same_person(claims.iss, name) for name in names):
            raise Refusal(f"{claims.iss} has already decided in this opening of the gate")
        names.append(claims.iss)
    return tuple(names)


def _said(claims: Claims, people: PeopleFile) -> Ruling:
    """Return what an authentic decision says, not yet accepted."""
    return Ruling(
        accepted=False,
        person=claims.iss,
        roles=people.people[claims.iss].roles,
        verb=claims.verb,
        step=claims.step[:500],
        nonce=claims.nonce[:200],
        digest=claims.digest[:200],
        jti=claims.jti[:200],
        comment=claims.comment[:LONGEST_COMMENT],
        to=claims.to[:200],
    )


def _check(claims: Claims, hearing: Hearing, people: PeopleFile, version: str) -> None:
    """Raise `Refusal` for the first thing that is wrong with an authentic decision."""
    if claims.verb in COMMANDS:
        _check_command(claims, hearing, people)
        return
    _check_mission(claims, hearing.mission, hearing.first_run_id)
    opening = next((opening for opening in hearing.openings if opening.subject.step == claims.step), None)
    if opening is None:
        raise Refusal(f"no gate is open at step {show(claims.step)}")
    _check_binding(claims, opening.subject, opening.nonce)
    _check_rules(opening.subject, version, governed=hearing.governed)
    _check_times(claims, hearing.received_at, opening.deadline)
    _check_person(claims, opening.subject, people)
    _check_single_use(claims, hearing, opening)
    _check_content(claims, opening)
    if claims.verb == "delegate":
        _refuse(why_not_delegate(claims.iss, claims.to, opening, people))
        if not people.people[claims.to].keys:
            raise Refusal(f"{claims.to} has no registered key, so they could not decide")


def _check_command(claims: Claims, hearing: Hearing, people: PeopleFile) -> None:
    """Raise `Refusal` for the first thing that is wrong with a command.

    What pauses a mission pauses its children: they take that command of the missions above them too.
    """
    own = Kin(mission=hearing.mission, first_run_id=hearing.first_run_id, operators=hearing.operators)
    heard = (own, *hearing.above) if claims.verb in FOLLOWED else (own,)
    kin = next((one for one in heard if one.mission == claims.mission), own)
    _check_mission(claims, kin.mission, kin.first_run_id)
    _check_times(claims, hearing.received_at, None)
    if not may_decide(claims.iss, kin.operators, people):
        raise Refusal(f"{claims.iss} is none of the operators: {', '.join(kin.operators)}")
    if not claims.jti:
        raise Refusal("the command has no id of its own, so it cannot be counted once")
    if claims.jti in hearing.used:
        raise Refusal("the command has already been counted")
    if not claims.comment.strip():
        raise Refusal("a command says why")
    if len(claims.comment) > LONGEST_COMMENT:
        raise Refusal(f"the comment is longer than {LONGEST_COMMENT} characters")


def _check_mission(claims: Claims, mission: str, first_run_id: str) -> None:
    if claims.mission != mission:
        raise Refusal(f"the decision is for mission {show(claims.mission)}, not for this one")
    if claims.run != first_run_id:
        raise Refusal("the decision is for another mission that had the same id before")


def _check_binding(claims: Claims, subject: Subject, nonce: str) -> None:
    _check_mission(claims, subject.mission, subject.first_run_id)
    if claims.step != subject.step:
        raise Refusal(f"the decision is for step {show(claims.step)}, not for {show(subject.step)}")
    if claims.nonce != nonce:
        raise Refusal("the decision is for another opening of this gate; look at the gate again")
    if claims.digest != subject.digest():
        raise Refusal("what the decision was about has changed since; look at the gate again")


def _check_rules(subject: Subject, version: str, *, governed: bool) -> None:
    """Refuse what is said of a question that was asked under other rules than those in force.

    A mission that was started before questions named their rules goes on without, until it learns of them.
    """
    asked = version and subject.kind in BOUND and (governed or subject.governance)
    if asked and subject.governance != version:
        raise Overtaken(
            "policy or people have changed since this was asked, and it is asked again; look at the gate again"
        )


def _check_times(claims: Claims, received_at: datetime, deadline: datetime | None) -> None:
    received = received_at.timestamp()
    if claims.iat > received + SKEW.total_seconds():
        raise Refusal(f"the decision is not yet valid: it was issued at {_clock(claims.iat)}")
    if claims.exp <= received:
        raise TooLate(f"the decision expired at {_clock(claims.exp)}")
    if deadline is not None and received_at >= deadline:
        raise TooLate(f"the decision is late: the gate closed at {_clock(deadline.timestamp())}")


def _check_person(claims: Claims, subject: Subject, people: PeopleFile) -> None:
    _refuse(why_not_person(claims.iss, subject, people))


def _check_single_use(claims: Claims, hearing: Hearing, opening: Opening) -> None:
    if not claims.jti:
        raise Refusal("the decision has no id of its own, so it cannot be counted once")
    if claims.jti in hearing.used or any(vote.jti == claims.jti for vote in opening.votes):
        raise Refusal("the decision has already been counted")
    _refuse(why_not_again(claims.iss, opening, claims.verb))


def _check_content(claims: Claims, opening: Opening) -> None:
    if len(claims.comment) > LONGEST_COMMENT:
        raise Refusal(f"the comment is longer than {LONGEST_COMMENT} characters")
    _refuse(why_not_content(opening, claims.verb, claims.changes, claims.comment, claims.to, answer=claims.answer))


def _refuse(reason: str) -> None:
    if reason:
        raise Refusal(reason)


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
