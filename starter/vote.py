"""`gonogo request-changes`, `abstain`, `delegate`, `withdraw`: the decisions beside yes, no and otherwise."""

from typing import Annotated

import typer

from starter.decide import decided
from starter.options import Comment, Json, MissionId, Person, Printed, Step
from starter.problem import Usage

To = Annotated[str, typer.Option("--to", metavar="PERSON", help="Who is to decide instead of you.")]


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
