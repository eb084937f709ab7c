"""`gonogo answer`: do a step that is a task for people. `starter/decide.py` shows, signs and sends it."""

import json
from typing import Annotated, Any

import typer

from starter.decide import decided
from starter.options import Comment, Json, MissionId, Person, Printed, Step
from starter.problem import Usage

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
