"""How many turns a party may take. Pure; `estimate.py` makes costs of them."""

import math
from typing import NamedTuple

from contracts.party import Party


class Turns(NamedTuple):
    """Agents' calls, and the rounds that they fall into."""

    calls: int
    rounds: int


def least(party: Party) -> Turns:
    """Return the fewest turns to a consensus or a stall. A facilitator may end it before anybody speaks."""
    if party.facilitator:
        return Turns(0, 0)
    rounds = min(party.rounds, max(party.least_rounds, _needed(party)))
    return Turns(rounds * _calls(party) + (party.judge is not None), rounds)


def most(party: Party) -> Turns:
    """Return the most turns: those of all rounds, and of a vote where somebody may call for it."""
    judged = party.judge is not None
    vote = len(party.members) + judged if party.facilitator else 0
    return Turns(party.rounds * (_calls(party) + judged) + vote, party.rounds)


def _calls(party: Party) -> int:
    return 2 if party.turns == "moderator" else len(party.members)


def _needed(party: Party) -> int:
    """Return the rounds until enough have spoken to agree; with a moderator one speaks in each."""
    if party.turns != "moderator":
        return 1
    everyone = len(party.members)
    enough = {"majority": everyone // 2 + 1, "threshold": math.ceil(everyone * (party.threshold or 1.0)), "judge": 1}
    needed = enough.get(party.consensus, everyone)
    return min(needed, party.stall + 1) if party.stall else needed
