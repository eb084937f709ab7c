"""What a party's turns come to: who holds which position, whether they agree, whether anybody still moves. Pure.

The law: the same turns always come to the same, in whatever order those of one moment came back. Who is asked when is
`workflows/interpreter/steps/party.py`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from contracts.party import Party

REPEATED = 3
"""Rounds in which the same is said, after which nothing new is to be expected."""
VOTE = 0
"""The number of the round in which everyone votes."""
STEP = 0.1
"""How far a confidence must go to count as a stance that has moved."""


@dataclass(frozen=True)
class Word:
    """Something said: a member's turn, a moderator's pick, a judge's answer, a facilitator's word. `order` is when."""

    kind: Literal["turn", "moderation", "judgement", "interjection"]
    by: str
    round: int
    said: dict[str, Any]
    order: int

    def told(self) -> dict[str, Any]:
        """Return what the others read of it."""
        if self.kind == "interjection":
            return {"by": self.by, "facilitator": True, **self.said}
        return {"round": self.round or "vote", "by": self.by, **self.said}


Held = dict[str, dict[str, Any]]
"""The last stance of each member who has spoken. `holds` is the position that it counts for."""


def stances(party: Party, words: Iterable[Word]) -> Held:
    """Return the stances that the turns leave."""
    held: Held = {}
    for turns in _rounds(words):
        before = dict(held)
        for turn in sorted(turns, key=lambda one: one.order):
            # Those who answer at once have heard only the rounds before.
            at_once = party.turns == "all" or turn.round == VOTE
            held[turn.by] = _held(turn.said, before if at_once else held, party)
    return held


def _rounds(words: Iterable[Word]) -> list[list[Word]]:
    rounds: dict[int, list[Word]] = {}
    for word in sorted(words, key=lambda one: one.order):
        if word.kind == "turn":
            rounds.setdefault(word.round, []).append(word)
    return list(rounds.values())


def _held(stance: dict[str, Any], heard: Held, party: Party) -> dict[str, Any]:
    """Return a stance with the position it counts for: where words are free, who agrees with another holds theirs."""
    other = heard.get(stance.get("answers", ""))
    if party.options or other is None or stance.get("stand") != "agree":
        return {**stance, "holds": stance["position"]}
    return {**stance, "holds": other["holds"]}


def key(position: str) -> str:
    """Return a position as it is compared: small letters, single spaces."""
    return " ".join(position.casefold().split())


def agreement(party: Party, held: Held) -> tuple[str, tuple[str, ...]] | None:
    """Return the position on which enough members agree, and who they are; None where there is none."""
    groups: dict[str, list[str]] = {}
    for member in party.members:
        if member in held:
            groups.setdefault(key(held[member]["holds"]), []).append(member)
    largest = max(groups.values(), key=len, default=[])
    alone = [len(group) for group in groups.values()].count(len(largest)) == 1
    if not largest or not alone or not _enough(party, len(largest)):
        return None
    return held[largest[0]]["holds"], tuple(largest)


def _enough(party: Party, agreed: int) -> bool:
    everyone = len(party.members)
    match party.consensus:
        case "majority":
            return agreed * 2 > everyone
        case "threshold":
            # Counted in thousandths: 0.1 + 0.2 is not 0.3.
            return agreed * 1000 >= round((party.threshold or 1.0) * 1000) * everyone
        case _:
            return agreed == everyone


def agreeing(party: Party, held: Held, judged: dict[str, Any]) -> tuple[str, ...]:
    """Return who agrees with a judge: who holds what it recommends, or where words are free whom it names."""
    if not party.options:
        return tuple(member for member in party.members if member in judged["agreed"])
    wanted = key(judged["recommendation"])
    return tuple(one for one in party.members if one in held and key(held[one]["holds"]) == wanted)


def stalled(party: Party, words: Sequence[Word], last: int) -> bool:
    """Say whether no stance has moved in the last rounds, as many as the party's `stall` says. A first one moves."""
    if party.stall is None:
        return False
    known = [stances(party, _until(words, number)) for number in range(last - party.stall, last + 1)]
    return not any(_moved(before, after) for before, after in pairwise(known))


def repeated(words: Sequence[Word], last: int) -> bool:
    """Say whether in three rounds everybody has said the same, word for word, and no facilitator spoke in between."""
    turns = [word for word in words if word.kind == "turn" and last - REPEATED < word.round <= last]
    rounds = [{one.by: one.said for one in turns if one.round == last - back} for back in range(REPEATED)]
    heard = any(word.kind == "interjection" and word.order > turns[0].order for word in words) if turns else True
    return not heard and bool(rounds[-1]) and all(one == rounds[-1] for one in rounds)


def _until(words: Sequence[Word], last: int) -> list[Word]:
    return [word for word in words if word.round <= last]


def _moved(before: Held, after: Held) -> bool:
    return any(
        member not in before
        or key(before[member]["holds"]) != key(stance["holds"])
        # A hair's breadth, since confidences are no exact numbers.
        or abs(before[member]["confidence"] - stance["confidence"]) >= STEP - 1e-9
        for member, stance in after.items()
    )
