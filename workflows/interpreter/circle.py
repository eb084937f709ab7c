"""Endless talk: agents that are asked the same again and again, and so will answer the same again.

Two circles are found, both only among the rounds of one loop, since nothing else comes round by itself:
  - an agent is asked the same, task and context, for the third round running, and nobody else was asked anything new;
  - two agents were asked in turn, one and the other, and now both again the same.
The law: only where nothing but agents had a say in these rounds. Where a tool acted, time passed, people spoke or
another mission ran, the world may have moved and the same question is a new one. Items of a map and branches beside
each other may ask the same as often as they like. A party has `stall`. Pure: it hangs on the journal alone.
"""

import re
from collections.abc import Iterator

from contracts.base import digest
from contracts.call import AgentCall
from contracts.record import Failure
from workflows.interpreter.ending import StepFailed
from workflows.interpreter.scope import Scope

STUCK = "stuck"
ROUND = re.compile(r"\[(\d+)\](?=[/#]|$)")
MARK = re.compile(r"\[[^\]/]*\]|#\d+")
"""What in a path says which round, item, stage or attempt."""
TALK = frozenset(
    (
        *("agent", "plan", "planning", "party", "round", "turn", "moderation", "judgement"),
        *("parallel", "condition", "loop", "iteration", "group", "map", "item", "race", "attempt"),
    )
)
"""Kinds of records that move nothing outside."""
ALIKE, TURNS = 3, 4
"""Rounds in which the same is asked, and calls of two agents in turn, that are a circle."""


def demand_progress(call: AgentCall, scope: Scope) -> None:
    """Note what an agent is asked. Raises `StepFailed` where that only leads round in a circle."""
    record = scope.journal.get(call.path)
    if not scope.limits.ladder or record is None:
        return
    scope.journal.update(call.path, asked=digest([call.name, call.task, call.context, call.guidance]))
    loop, said = _circle(call, scope)
    if loop:
        failure = Failure(code=STUCK, step=call.path, actor=call.name, operation="get on", loop=loop)
        cause = f"{said}, and nothing happened in between"
        remains = "another agent, other words, or a decision of people"
        raise StepFailed(failure.model_copy(update={"cause": cause, "remains": remains}))


def _circle(call: AgentCall, scope: Scope) -> tuple[str, str]:
    """Return the loop that only goes round, and how that shows."""
    for loop, number in _rounds(call.path, scope):
        if _alike(loop, number, scope):
            return loop, f"{call.name} is asked the same in {ALIKE} rounds of {loop}"
        partner = _to_and_fro(loop, number, call, scope)
        if partner:
            return loop, f"{partner} and {call.name} hand the same to and fro in {loop}"
    return "", ""


def _rounds(path: str, scope: Scope) -> Iterator[tuple[str, int]]:
    """Yield each loop that a path lies in, with the number of its round."""
    for found in ROUND.finditer(path):
        record = scope.journal.get(path[: found.end()])
        if record is not None and record.kind == "iteration":
            yield path[: found.start()], int(found[1])


def _alike(loop: str, number: int, scope: Scope) -> bool:
    """Whether each of the last rounds asked the same of everybody, this one as far as it has come."""
    rounds = range(number - ALIKE + 1, number + 1)
    if rounds[0] < 1:
        return False
    *before, now = [_questions(f"{loop}[{round_}]", scope) for round_ in rounds]
    same = all(one == before[-1] for one in before) and now.items() <= before[-1].items()
    return same and _only_talk(loop, rounds, scope)


def _questions(round_: str, scope: Scope) -> dict[str, str]:
    """Return what was asked in a round, by where in it."""
    return {one.path.removeprefix(round_): one.asked for one in scope.journal.below(round_) if one.asked}


def _to_and_fro(loop: str, number: int, call: AgentCall, scope: Scope) -> str:
    """Return the other agent where two were asked in turn, each the same twice, with this call as the last of four."""
    rounds = range(max(1, number - TURNS + 1), number + 1)
    strand = _strand(call.path, scope)
    asked = (one for round_ in rounds for one in scope.journal.below(f"{loop}[{round_}]") if one.asked)
    calls = [one for one in asked if _strand(one.path, scope) == strand]
    if len(calls) < TURNS or calls[-1].path != call.path:
        return ""
    first, second, third, fourth = calls[-TURNS:]
    told = first.asked == third.asked and second.asked == fourth.asked and first.actor != second.actor
    in_turn = all(
        one.ended_at is not None and one.ended_at <= after.started_at
        for one, after in ((first, second), (second, third), (third, fourth))
    )
    return first.actor if told and in_turn and _only_talk(loop, rounds, scope) else ""


def _strand(path: str, scope: Scope) -> tuple[str, ...]:
    """Return which items and attempts a path lies in: calls of different ones do not answer each other."""
    marks = [path[: found.end()] for found in MARK.finditer(path)]
    records = [record for record in map(scope.journal.get, marks) if record is not None and record.kind != "iteration"]
    return tuple(_last(record.path) for record in records)


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _only_talk(loop: str, rounds: range, scope: Scope) -> bool:
    records = [record for number in rounds for record in scope.journal.below(f"{loop}[{number}]")]
    # Where an operator had a part of it begin anew, somebody spoke as well.
    same_life = len({record.generation for record in records}) == 1
    return same_life and all(record.kind in TALK and not record.decisions for record in records)
