"""Who may decide what: the rules that need no signature. Pure.

The law: deny by default, and each refusal has its own reason; an empty reason lets pass. `activities/identity.py` asks
here once a signature has told who speaks, `rehearsal/` with the people that a script names.
"""

from collections.abc import Collection, Mapping
from typing import Any

from pydantic import JsonValue

from activities.people import same_person
from contracts.decision import HALTING, MOST_SPOKEN, SPEAKING, Opening, Subject, Verb
from contracts.quorum import empty_seats
from contracts.workspace import PeopleFile
from language import schema

GATE: Collection[Verb] = ("approve", "reject", "modify", "request_changes", "abstain", "delegate", "withdraw")
ASKED: Collection[Verb] = ("approve", "reject", "abstain", "delegate", "withdraw")
VERBS: Mapping[str, Collection[Verb]] = {
    "facilitation": SPEAKING,
    "review": ("approve", "reject"),
    "escalation": ASKED,
    "compensation": ASKED,
    "override": ASKED,
    "task": ("answer", "reject"),
    "halt": HALTING,
}
"""What can be said, by the kind of opening."""
WHERE = {
    "facilitation": "a party that talks",
    "review": "a review",
    "escalation": "an escalation",
    "halt": "the table of halts",
    "task": "a task, which is answered or declined",
}
SAYING: Collection[Verb] = ("interject", "request_changes", "halt", "lift")
"""What is nothing without its words."""
MOST_WORDS = 6
"""How often one person speaks in one opening: who withdraws may begin again, and every word is kept."""


def may_decide(person: str, approvers: tuple[str, ...], people: PeopleFile) -> bool:
    """Whether a registered person is among the approvers, by role or by name.

    A word that is somebody's role never stands for a person: nobody becomes an approver by being called like a role.
    """
    roles = people.roles()
    held = people.people[person].roles
    return any(asked in held if asked in roles else asked == person for asked in approvers)


def why_not_person(person: str, subject: Subject, people: PeopleFile) -> str:
    """Return why a registered person may not decide on a subject."""
    if subject.kind == "halt":
        return why_not_operator(person, people)
    if ("requester" in subject.excluded or subject.acts() or subject.findings) and _is(
        person, (subject.requested_by,), people
    ):
        return f"{person} requested this mission and may not decide in it"
    if "author" in subject.excluded and _is(person, subject.authors, people):
        return f"{person} wrote this mission and may not decide here"
    if not may_decide(person, subject.approvers, people):
        return f"{person} is none of the approvers: {', '.join(subject.approvers)}"
    return ""


def why_not_operator(person: str, people: PeopleFile) -> str:
    """Return why a registered person may not operate: who may, the workspace says and no mission."""
    may = people.operating()
    who = ", ".join(may) or "nobody is"
    return "" if may_decide(person, may, people) else f"{person} is none of the operators: {who}"


def _is(person: str, others: tuple[str, ...], people: PeopleFile) -> bool:
    """Whether a registered person is one of others, by the name that they are registered under or the one they bear."""
    names = [name for name in (person, people.people[person].name) if name]
    return any(same_person(name, other) for name in names for other in others)


def why_not_again(person: str, opening: Opening, verb: Verb = "approve") -> str:
    """Return why a person may not decide again in this opening. In a party they may speak more than once."""
    if opening.subject.kind == "facilitation":
        full = len(opening.votes) >= MOST_SPOKEN
        return f"{len(opening.votes)} words have been spoken here; no more are heard" if full else ""
    if sum(same_person(person, vote.person) for vote in opening.votes) >= MOST_WORDS:
        return f"{person} has spoken {MOST_WORDS} times in this opening of the gate; no more is heard"
    if verb == "withdraw":
        own = any(word.person == person for word in opening.approvals())
        return "" if own else f"{person} has no approval in this opening of the gate to withdraw"
    if any(same_person(person, word.person) for word in opening.words()):
        return f"{person} has already decided in this opening of the gate"
    return ""


def why_not_delegate(person: str, to: str, opening: Opening, people: PeopleFile) -> str:
    """Return why a person may not leave a decision to another: who takes it could take it anyway."""
    if not to:
        return "the decision is to delegate and names nobody"
    if same_person(person, to):
        return f"{person} cannot delegate to themself"
    if to not in people.people:
        return f"{to[:80]!r} is nobody who is registered"
    return why_not_person(to, opening.subject, people) or why_not_again(to, opening)


def why_not_enough(subject: Subject, names: tuple[str, ...], contract: int, people: PeopleFile, risk: int = 0) -> str:
    """Return why the approvals of different people are not enough, by the roles that they hold now.

    A contract's number is of those whom the gate itself asks; whom its risk has asked counts for the risk's.
    """
    required = max(contract, risk, subject.required)
    if len(names) < required:
        return f"{len(names)} of {required} approvals are there"
    own = [name for name in names if may_decide(name, subject.own, people)] if subject.own else names
    if len(own) < max(contract, subject.own_required):
        return f"{len(own)} of {max(contract, subject.own_required)} approvals of {' or '.join(subject.own)} are there"
    empty = empty_seats(subject.seats, {name: people.people[name].roles for name in names})
    return f"nobody approved for {', '.join(empty)}" if empty else ""


def why_not_content(
    opening: Opening,
    verb: Verb,
    changes: dict[str, Any] | None,
    comment: str = "",
    to: str = "",
    *,
    answer: JsonValue = None,
) -> str:
    """Return why a decision cannot be meant at this opening.

    Only `modify` carries changes, and they fit the tool; only `delegate` names somebody; only `answer` carries an
    answer, and it fits the task. Each kind of opening has its own verbs.
    """
    kind = opening.subject.kind
    if verb not in VERBS.get(kind, GATE):
        where = WHERE.get(kind, "a gate")
        return f"the decision is to {verb.replace('_', ' ')}, which nobody can at {where}"
    if verb in SAYING and not comment.strip():
        return f"the decision is to {verb.replace('_', ' ')} and says nothing"
    if to and verb != "delegate":
        return f"the decision is to {verb.replace('_', ' ')} and names somebody; only 'delegate' may"
    if answer is not None and verb != "answer":
        return f"the decision is to {verb.replace('_', ' ')} and carries an answer; only 'answer' may"
    if verb == "answer" and (wrong := misanswered(opening, answer)):
        return wrong
    if verb != "modify":
        said = verb.replace("_", " ")
        return "" if changes is None else f"the decision is to {said} and carries changes; only 'modify' may"
    return _why_not_changes(opening, changes)


def misanswered(opening: Opening, answer: JsonValue) -> str:
    """Return how an answer does not fit its task."""
    if opening.input_schema is None:
        return "nothing says what an answer would have to be"
    try:
        wrong = schema.errors(opening.input_schema, answer)
    except ValueError as error:
        return f"the answer cannot be checked: {error}"
    return f"the answer does not fit: {'; '.join(wrong[:5])}" if wrong else ""


def _why_not_changes(opening: Opening, changes: dict[str, Any] | None) -> str:
    if not changes:
        return "the decision is to modify and carries no changes"
    if opening.input_schema is None or (opening.subject.arguments is None and not opening.subject.actions):
        return "there is nothing to modify at this gate"
    try:
        wrong = misfits(opening, changes)
    except ValueError as error:
        return f"the changed arguments cannot be checked: {error}"
    return f"the changed arguments do not fit the tool: {'; '.join(wrong[:3])}" if wrong else ""


def misfits(opening: Opening, changes: dict[str, Any]) -> list[str]:
    """Return what is wrong with changed arguments: those of the tool, or of a group's actions by their paths.

    Each action's are held against its own tool's schema, whose references lead nowhere from within another one.
    """
    contract = opening.input_schema or {}
    if not opening.subject.actions:
        return schema.errors(contract, changes)
    tools, wrong = contract.get("properties", {}), []
    for step, arguments in changes.items():
        if step not in tools or not isinstance(arguments, dict):
            wrong.append(f"{step} is none of the actions here, or its arguments are no object")
        else:
            wrong += [f"{step}: {one}" for one in schema.errors(tools[step], arguments)]
    return wrong
