"""`gonogo answer`, `request-changes`, `abstain`, `delegate`, `withdraw`: what is said beside yes, no and otherwise."""

import json
from typing import Annotated, Any

import typer

from starter.decide import decided
from starter.options import Comment, Json, MissionId, Person, Printed, Step
from starter.problem import Usage

To = Annotated[str, typer.Option("--to", metavar="PERSON", help="Who is to decide instead of you.")]


File = Annotated[str, typer.Option("--file", metavar="FILE", help="A JSON value that fits the task. - is stdin.")]
Inline = Annotated[str, typer.Option("--value", metavar="JSON", help="The JSON value itself.")]


def answer(
    mission: MissionId,
    step: Step,
    *,
    file: File = "",
    value: Inline = "",
    person: Person = "",
    comment: Comment = "",
    printed: Printed = False,
    as_json: Json = False,
) -> int:
    """Do a step that is a task for people: answer it, signed with your key.

    `gonogo reject` declines it.
    """
    from starter.sign import Wish

    wish = Wish("answer", comment, answer=_value(file, value))
    return decided(wish, (mission, step), person, printed=printed, as_json=as_json)


def _value(file: str, value: str) -> Any:
    from starter.document import read_document

    if bool(file) == bool(value):
        raise Usage("an answer is one JSON value: --file FILE, or --value JSON")
    if file:
        return read_document(file)
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise Usage(f"--value is no JSON; a text stands in quotes: --value '{json.dumps(value)}'") from None


def request_changes(
    mission: MissionId,
    step: Step,
    *,
    person: Person = "",
    comment: Comment = "",
    printed: Printed = False,
    as_json: Json = False,
) -> int:
    """Send it back, and say what is to be changed; what comes next gets your words."""
    from starter.sign import Wish

    if not comment.strip():
        raise Usage("asking for changes needs its words: --comment 'what is to be changed'")
    return decided(Wish("request_changes", comment), (mission, step), person, printed=printed, as_json=as_json)


def abstain(
    mission: MissionId,
    step: Step,
    *,
    person: Person = "",
    comment: Comment = "",
    printed: Printed = False,
    as_json: Json = False,
) -> int:
    """Have your say without a vote: others must decide."""
    from starter.sign import Wish

    return decided(Wish("abstain", comment), (mission, step), person, printed=printed, as_json=as_json)


def delegate(
    mission: MissionId,
    step: Step,
    *,
    to: To,
    person: Person = "",
    comment: Comment = "",
    printed: Printed = False,
    as_json: Json = False,
) -> int:
    """Leave your vote to somebody who may decide here too; you have none any more."""
    from starter.sign import Wish

    return decided(Wish("delegate", comment, to=to), (mission, step), person, printed=printed, as_json=as_json)


def withdraw(
    mission: MissionId,
    step: Step,
    *,
    person: Person = "",
    comment: Comment = "",
    printed: Printed = False,
    as_json: Json = False,
) -> int:
    """Take your approval back, while others are still missing; you may decide again."""
    from starter.sign import Wish

    return decided(Wish("withdraw", comment), (mission, step), person, printed=printed, as_json=as_json)
