"""What work may cost: the budget of a mission, the quota of a team, the prices of models.

The law: a bound that is written down is kept. What is `soft` is told once; at the bound itself nothing more begins.
`activities/books/` keeps count, and `activities/purse.py` asks it before an agent begins.
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field

from contracts.base import Document, Message
from contracts.duration import Duration, show_duration
from contracts.usage import Usage

Measure = Literal["usd", "tokens", "agent_runs"]
MEASURES: tuple[Measure, ...] = ("usd", "tokens", "agent_runs")
BUDGET = "budget"
"""The kind of what a step waits for while others hold the last of a budget, and the name that amends it."""


class Bounds(Document):
    """The most that may be spent. `soft` is the share of each from which on people are told."""

    usd: float | None = Field(default=None, gt=0, le=1e9)
    tokens: int | None = Field(default=None, gt=0, le=10**15)
    agent_runs: int | None = Field(default=None, gt=0, le=10**12)
    soft: float = Field(default=0.8, gt=0, le=1)

    def limits(self) -> dict[Measure, float]:
        """Return the most of each measure that is bounded."""
        return {name: most for name in MEASURES if (most := getattr(self, name)) is not None}


class Budget(Bounds):
    """What a mission may spend. `time` counts from its start, pauses and waits for people included."""

    time: Duration | None = None


class Payer(Message):
    """A mission that pays for what its children spend: its budget when it started the child, and when it began."""

    mission: str
    budget: Budget | None = None
    since: datetime | None = None

    def left(self, now: datetime) -> timedelta | None:
        """Return how much of its time is left; none where it has all the time that it likes."""
        if self.budget is None or self.budget.time is None or self.since is None:
            return None
        return self.budget.time - (now - self.since)

    def overtime(self, now: datetime) -> str:
        """Say that its time is over."""
        taken = now - self.since if self.since is not None else timedelta()
        most = self.budget.time if self.budget is not None and self.budget.time is not None else timedelta()
        who = f"the mission {self.mission}".rstrip()
        return f"{who} has taken {show_duration(taken)} of {show_duration(most)}"


class Price(Document):
    """What a model costs, in US dollars for a million tokens. Cached input costs as much as other input unless said."""

    input: float = Field(ge=0)
    output: float = Field(ge=0)
    cached: float | None = Field(default=None, ge=0)


class MoneyFile(Document):
    """`money.yaml`: own prices by the model's name, and what teams may spend in a calendar month (UTC)."""

    prices: dict[str, Price] = Field(default_factory=dict)
    quotas: dict[str, Bounds] = Field(default_factory=dict)


class Spending(Message):
    """What somebody has spent of a measure, and the most there is."""

    account: str
    measure: Measure
    spent: float
    limit: float

    def __str__(self) -> str:
        return f"{self.account} has spent {amount(self.measure, self.spent)} of {amount(self.measure, self.limit)}"


def amount(measure: Measure, much: float) -> str:
    """Return an amount as people write it."""
    match measure:
        case "usd":
            return f"${much:.2f}" if much >= 0.01 or not much else f"${much:.6f}"
        case "tokens":
            return f"{much:,.0f} tokens"
        case _:
            return f"{much:,.0f} agent runs"


def price(spent: Usage) -> str:
    """Return what it cost in US dollars. What nobody knows the price of is not told as nothing."""
    if not spent.unpriced:
        return amount("usd", spent.usd)
    if spent.unpriced >= spent.tokens and not spent.usd:
        return "price unknown"
    return f"{amount('usd', spent.usd)} and the unknown price of {spent.unpriced:,} tokens"


class Range(Message):
    """The least, the usual and the most of several."""

    least: float
    usual: float
    most: float


class Past(Message):
    """`steps_…` are single runs, by the step's name; `usd` and `tokens` are whole missions."""

    missions: int = 0
    usd: Range | None = None
    tokens: Range | None = None
    steps_usd: dict[str, Range] = Field(default_factory=dict)
    steps_tokens: dict[str, Range] = Field(default_factory=dict)
