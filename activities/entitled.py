"""Who may decide what: the rules that need no signature. Pure.

The law: deny by default, and each refusal has its own reason; an empty reason lets pass. `activities/identity.py` asks
here once a signature has told who speaks, `rehearsal/` with the people that a script names.
"""

from typing import Any

from activities.people import same_person
from contracts.decision import MOST_SPOKEN, SPEAKING, Opening, Subject, Verb
from contracts.workspace import PeopleFile
from language import schema


def may_decide(person: str, approvers: tuple[str, ...], people: PeopleFile) -> bool:
    """Whether a registered person is among the approvers, by role or by name.

    A word that is somebody's role never stands for a person: nobody becomes an approver by being called like a role.
    """
    roles = people.roles()
    held = people.people[person].roles
    return any(asked in held if asked in roles else asked == person for asked in approvers)


def why_not_person(person: str, subject: Subject, people: PeopleFile) -> str:
    """Return why a registered person may not decide on a subject."""
    names = (person, people.people[person].name)
    if any(name and same_person(name, subject.requested_by) for name in names):
        return f"{person} requested this mission and may not decide in it"
    if not may_decide(person, subject.approvers, people):
        return f"{person} is none of the approvers: {', '.join(subject.approvers)}"
    return ""


def why_not_again(person: str, opening: Opening) -> str:
    """Return why a person may not decide again in this opening. In a party they may speak more than once."""
    if opening.subject.kind == "facilitation":
        full = len(opening.votes) >= MOST_SPOKEN
        return f"{len(opening.votes)} words have been spoken here; no more are heard" if full else ""
    if any(same_person(person, vote.person) for vote in opening.votes):
        return f"{person} has already decided in this opening of the gate"
    return ""


def why_not_content(opening: Opening, verb: Verb, changes: dict[str, Any] | None, comment: str = "") -> str:
    """Return why a decision cannot be meant at this opening.

    Only `modify` carries changes, and they fit the tool. A party is spoken in and never approved; a gate the opposite.
    """
    speaking = opening.subject.kind == "facilitation"
    if speaking != (verb in SPEAKING):
        where = "a party that talks" if speaking else "a gate"
        return f"the decision is to {verb.replace('_', ' ')}, which nobody can at {where}"
    if verb == "interject" and not comment.strip():
        return "the decision is to interject and says nothing"
    if verb != "modify":
        return "" if changes is None else f"the decision is to {verb} and carries changes; only 'modify' may"
    return _why_not_changes(opening, changes)


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
