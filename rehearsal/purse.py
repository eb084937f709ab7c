"""What rehearsed agents cost, held against the budgets of their missions as workers hold it.

The law: what has nothing left does not begin. A script says what an answer cost and nobody what it may cost, so nothing
is held while an agent runs: branches side by side may all begin. Quotas of teams are the workers' own. The real one is
`activities/purse.py`.
"""

from collections import defaultdict
from datetime import datetime

from contracts.call import AgentCall, Usage
from contracts.money import MEASURES, Bounds, Measure, Spending
from workflows.interpreter.ending import EffectFailed

Spent = dict[Measure, float]


class Purse:
    """What each mission has spent, those that are played for a mission among them."""

    def __init__(self) -> None:
        self._spent: dict[str, Spent] = defaultdict(lambda: dict.fromkeys(MEASURES, 0.0))
        self._told: set[tuple[str, Measure, float]] = set()

    def begin(self, call: AgentCall, now: datetime) -> tuple[Spending, ...]:
        """Let an agent begin; return the soft bounds that are reached and that nobody was told of."""
        for payer in call.paid_by():
            left = payer.left(now)
            if left is not None and left.total_seconds() <= 0:
                raise _over(call, payer.overtime(now), "time")
        found = [one for mission, bounds in _payers(call) for one in self._at(mission, bounds, 1.0)]
        if found:
            raise _over(call, str(found[0]), found[0].account)
        news = [one for mission, bounds in _payers(call) for one in self._at(mission, bounds, bounds.soft)]
        fresh = [one for one in news if (one.account, one.measure, one.limit) not in self._told]
        self._told |= {(one.account, one.measure, one.limit) for one in fresh}
        self.pay(call, Usage(agent_runs=1))
        return tuple(fresh)

    def pay(self, call: AgentCall, usage: Usage) -> None:
        """Count what an agent cost."""
        for mission, _ in _payers(call):
            for measure in MEASURES:
                self._spent[mission][measure] += getattr(usage, measure)

    def _at(self, mission: str, bounds: Bounds, share: float) -> list[Spending]:
        spent, limits = self._spent[mission], bounds.limits().items()
        return [
            Spending(account=f"mission {mission}", measure=measure, spent=spent[measure], limit=limit)
            for measure, limit in limits
            if spent[measure] >= share * limit
        ]


def _payers(call: AgentCall) -> list[tuple[str, Bounds]]:
    return [(one.mission or call.mission, one.budget or Bounds()) for one in call.paid_by()]


def _over(call: AgentCall, cause: str, over: str) -> EffectFailed:
    cause = f"{call.name} was not begun: {cause}"
    return EffectFailed("over_budget", cause, tried="it was not begun", applied="no", over=over)
