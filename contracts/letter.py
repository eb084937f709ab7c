"""What can be done about a dead letter: each way, with the command to type.

The law: nothing here decides anything; each command is signed and judged as any other. `gonogo deadletter`, `gonogo
show` and the page in the Web UI say the same words.
"""

import shlex
from typing import NamedTuple

from contracts.command import MISSION_BUDGET, VERDICT, DeadLetter

REASON = ("--reason", "WHY")
FIRST = "inputs"
"""What stands for the step where the inputs do not fit: no step has begun."""


class Way(NamedTuple):
    """One way on: what it does, and the words of its command."""

    what: str
    words: tuple[str, ...]

    def command(self) -> str:
        return shlex.join(("gonogo", *self.words))


def ways(mission: str, letter: DeadLetter) -> tuple[Way, ...]:
    """Return the ways on from a failure, the gentlest first."""
    if letter.outside:
        on = Way("go on exactly where it was", ("resume", mission, *REASON))
        return (on, *_from(mission, letter.failure.step))
    if letter.failure.over:
        return (_raise(mission), *_from(mission, letter.failure.step))
    return _from(mission, letter.failure.step)


def _from(mission: str, step: str) -> tuple[Way, ...]:
    if not step:
        return (*_elsewhere(mission), _abort(mission))
    if step == FIRST:
        return (_abort(mission),)
    if step == VERDICT:
        return (
            Way("amend what the verdict is made of", ("amend", mission, "NAME", "--value", "FILE", *REASON)),
            Way("reach the verdict anew", ("retry", mission, step, *REASON)),
            *_elsewhere(mission),
            _abort(mission),
        )
    return (
        Way("try the step again", ("retry", mission, step, *REASON)),
        Way("try it again with other input", ("retry", mission, step, "--input", "FILE", *REASON)),
        Way("skip it, with an output for later steps", ("skip", mission, step, "--output", "FILE", *REASON)),
        *_elsewhere(mission),
        Way("ask the people of the escalation", ("escalate", mission, step, *REASON)),
        _abort(mission),
    )


def _raise(mission: str) -> Way:
    raising = ("amend", mission, MISSION_BUDGET, "--value", "FILE", *REASON)
    return Way("raise what it may spend, then try again", raising)


def helping(mission: str, gate: str) -> tuple[Way, ...]:
    """Return the ways on from an undoing that failed, which asks at a gate."""
    return (
        Way("try to undo it again", ("approve", mission, gate)),
        Way("it was undone by hand, or is left as it is", ("reject", mission, gate, "--comment", "HOW")),
    )


def _elsewhere(mission: str) -> tuple[Way, ...]:
    return (
        Way("go on at another step", ("redirect", mission, "--to", "STEP", *REASON)),
        Way("undo back to a step, and go on from there", ("rollback", mission, "--to", "STEP", *REASON)),
    )


def _abort(mission: str) -> Way:
    return Way("undo everything and end", ("abort", mission, *REASON))
