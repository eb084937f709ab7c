"""Hold what an agent may spend before it begins, and write down what it did spend.

The law: nothing begins that is not paid for. At a hard bound the agent is not begun and its step fails
(`over_budget`), so that people say how it goes on; while others hold the last of it the step waits, and no attempt is
taken. Spent tokens are counted once or twice, never not at all. `activities/books/account.py` keeps count.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.books.account import Account, Accounts, Held, Refused, Run
from activities.books.database import Unreadable
from activities.books.price import Prices
from activities.failure import failure
from activities.halts import halting, not_begun
from activities.overtime import demand_time
from activities.pulse import as_before, beating
from activities.runtimes.a2a import A2ARuntime
from activities.runtimes.model import ModelRuntime
from activities.runtimes.remote import RemoteRuntime
from activities.runtimes.runtime import Runtime
from activities.runtimes.tool import ToolRuntime
from activities.runtimes.words import WordsRuntime
from activities.seal import Clear, Seal, at
from activities.tally import Tally
from contracts.call import AgentCall
from contracts.halt import Halt
from contracts.money import BUDGET, Bounds, Budget, Spending, amount
from contracts.usage import Usage
from contracts.veil import marked

DATABASE = "database"
UNSAID = 100_000
"""Tokens that are held for a model that has no limit of its own."""


@dataclass(frozen=True)
class Thinker:
    """With what an agent thinks, and the most tokens that it may take. Code thinks with nothing."""

    models: tuple[str, ...] = ()
    tokens: int | None = None
    endpoint: str = ""
    """Whom all workers share, and none asks while it does not answer."""


NO_MODEL = Thinker()


@dataclass
class Payment:
    """What is held for a run. `known` is what it has cost so far; None while some of that is not known."""

    held: Held = field(default_factory=Held)
    thinker: Thinker = NO_MODEL
    known: Usage | None = None
    details: Callable[[], tuple[object, ...]] = as_before
    """What is left to the next attempt, should this one die while its bill is written."""

    def soft(self) -> bool:
        """Whether a soft bound is reached: from here on the cheaper way is taken, where there is one."""
        return bool(self.held.soft)


def thinker_of(runtime: Runtime) -> Thinker:
    """Return with what a runtime thinks."""
    if isinstance(runtime, ModelRuntime):
        return Thinker(runtime.models(), runtime.most_tokens(), runtime.endpoint())
    if isinstance(runtime, WordsRuntime):
        # Where the model gives no words the code's own stand: nobody waits for it.
        return replace(thinker_of(runtime.model), endpoint="")
    if isinstance(runtime, RemoteRuntime | ToolRuntime | A2ARuntime):
        return Thinker(endpoint=runtime.endpoint())
    return NO_MODEL


class NoPurse:
    """Where nobody keeps count."""

    @asynccontextmanager
    async def paying(self, call: AgentCall, thinker: Thinker = NO_MODEL) -> AsyncIterator[Payment]:
        """Let an agent begin."""
        del call
        yield Payment(thinker=thinker)

    async def count(self, payment: Payment, spent: Usage, tally: Tally, before: Tally) -> Usage:
        """Return what all attempts have used of models, beside what this one spent, with what that costs."""
        del payment, before
        return spent.plus(tally.unpriced())


class Purse(NoPurse):
    """Pays for agents: out of the budget of the mission, and the quota of its team for this month."""

    def __init__(
        self, accounts: Accounts, prices: Prices, quotas: Mapping[str, Bounds], seal: Seal | None = None
    ) -> None:
        self._seal = seal or Clear()
        self._accounts = accounts
        self._prices = prices
        self._quotas = quotas

    @asynccontextmanager
    async def paying(self, call: AgentCall, thinker: Thinker = NO_MODEL) -> AsyncIterator[Payment]:
        """Hold what a run may cost while it runs. Raises what forbids its beginning."""
        demand_time(call)
        run, payment = self.run(call, thinker), Payment(thinker=thinker)
        most = await self._most(call, thinker)
        try:
            payment.held = await self._reserved(call, run, most)
        except asyncio.CancelledError:
            # It may be held already, and nothing was asked for it.
            payment.known = Usage()
            await asyncio.shield(self._settle(run, payment))
            raise
        if not thinker.models:
            payment.known = Usage()
        try:
            yield payment
        finally:
            # What is not written down stays counted at the most.
            await asyncio.shield(self._settle(run, payment))

    async def stands(self, target: str) -> Halt | None:
        """Return what keeps a step waiting that found an account empty."""
        account = target.partition(":")[2]
        try:
            over = await self._accounts.over(account)
        except Unreadable as error:
            return _unreadable(error)
        return Halt(target=target, reason=_waiting(over)) if over is not None else None

    async def readable(self, target: str) -> Halt | None:
        """Return what keeps a step waiting that found the database gone."""
        del target
        try:
            await self._accounts.over("")
        except Unreadable as error:
            return _unreadable(error)
        return None

    async def count(self, payment: Payment, spent: Usage, tally: Tally, before: Tally) -> Usage:
        """Return what all attempts have used of models, with what that costs where somebody knows.

        What was used before this attempt is on the bill of the one that used it.
        """
        tally.broken()
        whole, known = await self._priced(tally), await self._priced(before)
        payment.known = spent.plus(whole.less(known))
        return spent.plus(whole)

    async def _priced(self, tally: Tally) -> Usage:
        """Return what was used with its price, as far as somebody knows that."""
        found = tally.total()
        for model, used in tally.by_model.items():
            usd = await self._prices.usd(model, used)
            known = {"unpriced": found.unpriced + used.tokens} if usd is None else {"usd": found.usd + usd}
            found = found.model_copy(update=known)
        return found

    async def _most(self, call: AgentCall, thinker: Thinker) -> Usage:
        """Return the most that a run may cost: all of its tokens by the dearest of its models."""
        if not thinker.models:
            return Usage()
        tokens = thinker.tokens or UNSAID
        found = {model: await self._prices.most(model, tokens) for model in thinker.models}
        unknown = [model for model, usd in found.items() if usd is None]
        if unknown and self._in_usd(call):
            sentence = (
                f"{call.name} was not begun: what it spends is bounded in USD, and nobody knows what {unknown[0]} "
                "costs; write its price under 'prices' in money.yaml"
            )
            raise failure("over_budget", sentence, over=f"the price of {unknown[0]}")
        return Usage(tokens=tokens, usd=max(usd or 0.0 for usd in found.values()))

    def _in_usd(self, call: AgentCall) -> bool:
        bounds = (call.budget, *(one.budget for one in call.payers), self._quotas.get(call.team))
        return any(one is not None and one.usd is not None for one in bounds)

    async def _reserved(self, call: AgentCall, run: Run, most: Usage) -> Held:
        mission, team = self.payers(call)
        try:
            async with beating(as_before):
                found = await self._accounts.reserve(run, most, mission, team, _above(call))
        except Unreadable as error:
            raise _halted(call, _unreadable(error)) from None
        if isinstance(found, Held):
            return found
        raise _refused(call, found)

    def payers(self, call: AgentCall) -> tuple[Account, Account]:
        """Return who pays for a call: its mission, and the mission's team."""
        month = datetime.now(UTC).strftime("%Y-%m")
        return _account(call.mission, call.budget), Account(
            f"team {call.team} in {month}", self._quotas.get(call.team, Bounds())
        )

    def run(self, call: AgentCall, thinker: Thinker) -> Run:
        """Return the line that this attempt has in the books."""
        run = _run(call, thinker)
        return run if isinstance(self._seal, Clear) else replace(run, step=at(self._seal, run.step))

    async def _settle(self, run: Run, payment: Payment) -> None:
        try:
            async with beating(payment.details):
                await self._accounts.settle(run.key, payment.known)
        except Unreadable as error:
            logging.getLogger(__name__).warning("what %s cost stays counted at the most: %s", run.step, error)


def _run(call: AgentCall, thinker: Thinker) -> Run:
    info = activity.info()
    asked = info.scheduled_time.timestamp()
    limit = info.start_to_close_timeout
    look = marked(call.path, lambda _: "")
    return Run(
        # A step asks again under one name, and a reset runs it again: only when it was asked for tells them apart.
        # Looks of a watcher are runs of one activity, told apart by their numbers.
        work=f"{info.workflow_run_id}/{info.activity_id}@{asked:.6f} {look} {' '.join(thinker.models)}",
        attempt=info.attempt,
        mission=call.mission,
        name=info.workflow_type or "",
        team=call.team,
        step=call.path,
        agent=call.name,
        model=", ".join(thinker.models),
        seconds=limit.total_seconds() if limit is not None else 0.0,
    )


def _account(mission: str, budget: Budget | None) -> Account:
    info = activity.info()
    return Account(f"mission {info.workflow_namespace or info.namespace}/{mission}", budget or Bounds())


def _above(call: AgentCall) -> tuple[Account, ...]:
    """Return the missions whose child a call's mission is: what it spends, they spend."""
    return tuple(_account(one.mission, one.budget) for one in call.payers)


def _refused(call: AgentCall, found: Refused) -> ApplicationError:
    if found.waits:
        return _halted(call, Halt(target=f"{BUDGET}:{found.over.account}", reason=_waiting(found.over)))
    return failure("over_budget", f"{call.name} was not begun: {found.over}", over=found.over.account)


def _halted(call: AgentCall, halt: Halt) -> ApplicationError:
    return failure("halted", not_begun(call.name, (halt,)), **halting((halt,)))


def _waiting(over: Spending) -> str:
    spent, limit = amount(over.measure, over.spent), amount(over.measure, over.limit)
    return f"{spent} of {limit} are spent or held for what runs now"


def _unreadable(error: Unreadable) -> Halt:
    return Halt(target=f"{DATABASE}:gonogo", reason=str(error))
