"""What a mission will cost, as far as anybody can know: its definition, what its steps cost before, and prices."""

import asyncio
from math import inf

from activities.books.price import Prices
from contracts.mind import Agent, Thinking
from contracts.money import Past, amount
from contracts.plan import Plan
from contracts.workspace import Workspace
from language.bounds import NOTHING, Bounds, Cost, Spends
from runtime.settings import FILE, Settings

PATIENCE = 3.0


async def remembered(settings: Settings, name: str, asking: str = "") -> Past:
    """Return what missions of a name have cost, but for the one that asks; of none where no books can be read."""
    if not settings.database and not (settings.home / FILE).exists():
        return Past()
    # Slow to load, and most commands never look into the books.
    from activities.books.database import Database, Unreadable
    from activities.books.past import past

    database = Database(settings.books())
    try:
        async with asyncio.timeout(PATIENCE):
            return await past(database, name, asking)
    except (Unreadable, TimeoutError):
        return Past()
    finally:
        await database.close()


async def spends(plan: Plan, workspace: Workspace, settings: Settings, before: Past) -> Spends:
    """Return what one run of an agent at a step costs: as before, else by its limits and prices."""
    prices = Prices(workspace.money.prices)
    by_contract = {name: await _most(agent, settings.model, prices) for name, agent in plan.agents.items()}

    def of(step: str, agent: str) -> Bounds:
        usd, tokens = before.steps_usd.get(step), before.steps_tokens.get(step)
        if usd is None or tokens is None:
            return Bounds(NOTHING, by_contract[agent])
        return Bounds(Cost(usd=usd.least, tokens=tokens.least), Cost(usd=usd.most, tokens=tokens.most))

    return of


async def _most(agent: Agent, model: str, prices: Prices) -> Cost:
    """Return the most that an agent may cost by its contract."""
    if not isinstance(agent, Thinking) or not agent.instructions or not (model or agent.model):
        return NOTHING
    tokens = agent.limits.tokens
    if tokens is None:
        return Cost(usd=inf, tokens=inf)
    known = [await prices.most(one, tokens) for one in {model} - {""} or {agent.model, agent.final_model} - {""}]
    return Cost(usd=max(inf if usd is None else usd for usd in known), tokens=tokens)


def usual(before: Past) -> str:
    """Return in words what such missions have cost."""
    if before.usd is None or before.tokens is None:
        return "no such mission has run yet"
    times = "one such mission" if before.missions == 1 else f"{before.missions} such missions"
    if not before.usd.most and not before.tokens.most:
        return f"{times} before cost nothing"
    least, most = amount("usd", before.usd.least), amount("usd", before.usd.most)
    many = amount("tokens", before.tokens.usual)
    return f"{times} before cost {least} to {most}, usually {amount('usd', before.usd.usual)} for {many}"
