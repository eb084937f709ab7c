"""`gonogo reject`, `request-changes`, `abstain`, `withdraw`, `delegate`: decisions that are no more than their words.

They differ in what is signed and in whether words are a must; `starter/decide.py` does the rest.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from starter.decide import decided
from starter.options import Comment, Json, MissionId, Person, Printed, Step
from starter.problem import Usage

if TYPE_CHECKING:
    from contracts.decision import Verb

To = Annotated[str, typer.Option("--to", metavar="PERSON", help="Who is to decide instead of you.")]


def vote(verb: "Verb", told: str, wanting: str = "") -> Callable[..., int]:
    """Return the command that gives such a vote. `wanting` is said where words are a must and there are none."""

    def give(
        mission: MissionId,
        step: Step,
        *,
        person: Person = "",
        comment: Comment = "",
        printed: Printed = False,
        as_json: Json = False,
    ) -> int:
        from starter.sign import Wish

        if wanting and not comment.strip():
            raise Usage(wanting)
        return decided(Wish(verb, comment), (mission, step), person, printed=printed, as_json=as_json)

    give.__doc__ = told
    return give


reject = vote(
    "reject", "Reject what a step asks for, and say why.", wanting="a rejection needs its reason: --comment 'why'"
)
request_changes = vote(
    "request_changes",
    "Send it back, and say what is to be changed; what comes next gets your words.",
    wanting="asking for changes needs its words: --comment 'what is to be changed'",
)
abstain = vote("abstain", "Have your say without a vote: others must decide.")
withdraw = vote("withdraw", "Take your approval back, while others are still missing; you may decide again.")


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
