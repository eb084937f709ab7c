"""What tokens cost: by the workspace's own prices, else by the list that came with the code.

The law: nothing is loaded from anywhere, and what nobody knows the price of is not free: there is no price for it.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from contracts.money import Price
from contracts.usage import Usage

MILLION = 1_000_000


class Prices:
    """Prices by model: `provider:name`, or the name alone."""

    def __init__(self, own: Mapping[str, Price]) -> None:
        self._own = own

    async def usd(self, model: str, usage: Usage) -> float | None:
        """Return what tokens cost in US dollars; none where nobody knows."""
        own = self._own.get(model) or self._own.get(model.partition(":")[2])
        if own is not None:
            return _by(own, usage)
        # The list takes seconds to load.
        return await asyncio.to_thread(listed, model, usage.input_tokens, usage.output_tokens, usage.cached_tokens)

    async def most(self, model: str, tokens: int) -> float | None:
        """Return the most that so many tokens may cost, whichever they are."""
        kinds = (Usage(input_tokens=tokens), Usage(output_tokens=tokens))
        found = [await self.usd(model, usage) for usage in kinds]
        return None if None in found else max(price for price in found if price is not None)


def _by(price: Price, usage: Usage) -> float:
    cached = price.input if price.cached is None else price.cached
    fresh = max(0, usage.input_tokens - usage.cached_tokens)
    return (fresh * price.input + usage.cached_tokens * cached + usage.output_tokens * price.output) / MILLION


@lru_cache(maxsize=1_000)
def listed(model: str, input_tokens: int, output_tokens: int, cached_tokens: int) -> float | None:
    """Return what tokens cost by the list; none where it does not have the model."""
    from genai_prices import Usage as Tokens
    from genai_prices import calc_price

    provider, _, name = model.rpartition(":")
    tokens = Tokens(input_tokens=input_tokens, output_tokens=output_tokens, cache_read_tokens=cached_tokens)
    wanted: dict[str, Any] = {"provider_id": provider} if provider else {}
    try:
        total: Decimal = calc_price(tokens, name, **wanted).total_price
    except (LookupError, ValueError):
        return None
    return float(total)
