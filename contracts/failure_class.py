"""How failures are sorted: their codes, the four classes that these belong to, and what each class means by itself.

A definition provides for a code, a class or `any`; the nearest word wins. A bug of ours is in none of them.
The other half: `workflows/interpreter/walk.py` takes the way that is found here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

ANY = "any"
T = TypeVar("T")


@dataclass(frozen=True)
class FailureClass:
    """A class: its codes, each with what it means, and what happens unless a definition says otherwise."""

    words: str
    codes: Mapping[str, str]
    retried: str
    then: str = "it spreads"


CLASSES: Mapping[str, FailureClass] = {
    "agent": FailureClass(
        "an agent did not do what it should",
        {
            "confidence_low": "the answer is below the agent's `confidence_floor`",
            "escalated": "the agent itself asks for people",
            "objected": "the step's watcher objected",
            "output_invalid": "the answer does not fit its schema, also when asked again",
            "outside_expertise": "the answer's `subject` is none of the agent's `expertise`",
            "plan_refused": "no plan could be loaded, or people rejected each",
            "refused": "the agent or the executor refused; nothing was done",
        },
        "an answer that does not fit goes back once with what is wrong; else no",
        (
            "an unsure answer: `below_floor`, `escalate` by default; `escalated`, `objected`, `outside_expertise`: "
            "people are asked; else it spreads"
        ),
    ),
    "workflow": FailureClass(
        "the mission itself cannot go on as it is",
        {
            "bad_input": "inputs or arguments do not fit",
            "canary_breached": "a stage was not surely healthy",
            "child_failed": "a child mission failed",
            "child_refused": "a child mission came to a verdict that is not accepted",
            "context_missing": "no step on the way has set a variable",
            "deadlock": "locks could not be had without end",
            "expression_error": "an expression has no answer",
            "interrupted": "an operator stopped the step",
            "no_winner": "no branch of a race answered well",
            "not_found": "an agent's code, a tool or a server is not there",
            "over_budget": "more was needed than is allowed",
            "stuck": "agents say the same again and again",
            "too_many_failed": "more items of a map failed than may",
        },
        "no: it would come to the same",
        "`stuck`: the loop goes where `on_max` says, `escalate` by default; else it spreads",
    ),
    "external": FailureClass(
        "something outside did not do what it should",
        {
            "failed": "it failed, and nobody says how",
            "rate_limited": "it wants to be asked later",
            "tool_failed": "it said no, or answered wrongly",
            "unavailable": "it cannot be reached",
        },
        "3 attempts, with growing waits and jitter; never sooner than `rate_limited` asks for",
    ),
    "timeout": FailureClass(
        "time ran out",
        {
            "timed_out": "an agent, a tool, a step or an event took too long",
            "unanswered": "nobody whom a step turned to answered",
        },
        "`timed_out` of an agent or a tool: as external; else no",
    ),
}

ASKING = frozenset({"escalated", "objected", "outside_expertise"})
"""Codes for which people are asked unless a definition provides for just them, or for agents. `any` does not."""
CLASS_OF: Mapping[str, str] = {code: name for name, one in CLASSES.items() for code in one.codes}
CODES = tuple(sorted(CLASS_OF))
WAYS = (ANY, *CLASSES, *CODES)
"""What may stand in `on_failure`."""


def most_specific(code: str, ways: Mapping[str, T]) -> T | None:
    """Return the way for a code: its own, else that of its class, else that for any."""
    for name in (code, CLASS_OF.get(code, ANY), *(() if code in ASKING else (ANY,))):
        if name in ways:
            return ways[name]
    return None


def covers(ways: Mapping[str, T], name: str) -> bool:
    """Whether ways provide for all that a code, a class or `any` stands for."""
    return most_specific(name, ways) is not None
