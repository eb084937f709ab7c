"""Add up what agents have cost: by team, mission, agent or model, and what missions of one name cost before.

The law: nothing is left out. What an attempt that died may have cost is in it, at the most, and told apart.
"""

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import case, func, select

from activities.books.account import CACHED, HELD, LOST
from activities.books.database import Database
from activities.books.tables import runs
from contracts.base import Message

By = Literal["team", "mission", "agent", "model"]


class Cost(Message):
    """What was spent by one. `at_most`: the part of `usd` that is counted at the most, since nobody said what it was.

    `unpriced` are the tokens that nobody knows the price of; `saved_usd` is what answers that were used again had cost.
    """

    name: str
    runs: int = 0
    reused: int = 0
    tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    model_calls: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    at_most: float = 0.0
    unpriced: int = 0
    saved_usd: float = 0.0


SUMS = (
    *("tokens", "input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens", "model_calls"),
    *("seconds", "usd", "unpriced", "saved_usd"),
)


async def costs(database: Database, by: By, since: float, mission: str = "") -> list[Cost]:
    """Return what was spent from a moment on (Unix seconds), the dearest first; of one mission where it is named."""
    name = runs.c[by]
    unsure = case((runs.c.state.in_((HELD, LOST)), runs.c.usd), else_=0.0)
    wanted = (
        select(
            name.label("name"),
            func.sum(case((runs.c.state == CACHED, 0), else_=1)).label("runs"),
            func.sum(case((runs.c.state == CACHED, 1), else_=0)).label("reused"),
            func.sum(unsure).label("at_most"),
            *(func.sum(runs.c[one]).label(one) for one in SUMS),
        )
        .where(runs.c.began_at >= since, *([runs.c.mission == mission] if mission else []))
        .group_by(name)
        .order_by(func.sum(runs.c.usd).desc(), func.sum(runs.c.tokens).desc(), name)
    )
    async with database.reading() as connection:
        found = (await connection.execute(wanted)).mappings().all()
    return [_cost(row) for row in found]


def _cost(row: Mapping[Any, Any]) -> Cost:
    return Cost.model_validate(dict(row))
