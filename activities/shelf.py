"""Use an agent's answer again where its step allows that: the same agent, input, model and tools, and not too long ago.

The law: nothing that acts is ever answered from here; only agents are, and they only read. What operators said, or what
was wrong with an answer before, asks anew. A shelf that cannot be read is an empty one. `activities/books/answer.py`
keeps the answers.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from activities.books.account import Accounts
from activities.books.answer import Answers, Entry
from activities.books.database import Unreadable
from activities.pulse import as_before, beating
from activities.purse import Purse, Thinker
from contracts.base import digest
from contracts.call import AgentCall, AgentResult
from contracts.mind import CodeAgent
from contracts.money import amount
from contracts.observation import Observation
from contracts.usage import Usage
from contracts.workspace import Tool


class NoShelf:
    """Where no answer is kept."""

    async def find(self, call: AgentCall, thinker: Thinker, *, stale: bool = False) -> AgentResult | None:
        """Return an answer to the same call that may be used again."""
        del call, thinker, stale
        return None

    async def keep(self, call: AgentCall, thinker: Thinker, result: AgentResult) -> None:
        """Keep an answer for the next who asks the same."""


class Shelf(NoShelf):
    """The answers of all workers. `tools` are this worker's own contracts."""

    def __init__(
        self,
        answers: Answers,
        accounts: Accounts,
        purse: Purse,
        tools: Mapping[str, Tool],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._answers = answers
        self._accounts = accounts
        self._purse = purse
        self._tools = tools
        self._now = now

    async def find(self, call: AgentCall, thinker: Thinker, *, stale: bool = False) -> AgentResult | None:
        if call.cache is None or call.fresh or call.errors or call.guidance or call.talk:
            return None
        try:
            async with beating(as_before):
                entry = await self._answers.find(self._key(call, thinker), self._now(), stale=stale)
            if entry is None:
                return None
            await self._accounts.saved(self._purse.run(call, thinker), entry.usd, *self._purse.payers(call))
        except Unreadable as error:
            _log(call, error)
            return None
        return _reused(entry, stale=stale)

    async def keep(self, call: AgentCall, thinker: Thinker, result: AgentResult) -> None:
        if call.cache is None or result.errors or call.errors or call.guidance or call.talk or result.talk:
            return
        now, used = self._now(), result.usage
        until = now + call.cache.total_seconds()
        entry = Entry(
            self._key(call, thinker), call.name, result.output, now, until, used.usd, used.tokens, used.seconds
        )
        try:
            await self._answers.keep(entry)
        except Unreadable as error:
            _log(call, error)

    def _key(self, call: AgentCall, thinker: Thinker) -> str:
        """Name all that an answer hangs on."""
        given = {name: self._tools[name].model_dump(mode="json") for name in call.agent.hands() if name in self._tools}
        code = source(call.agent.callable) if isinstance(call.agent, CodeAgent) and not thinker.models else ""
        asked = [call.team, call.name, call.task, call.context]
        return digest([*asked, call.agent.model_dump(mode="json"), list(thinker.models), code, given])


@lru_cache(maxsize=1_000)
def source(place: str) -> str:
    """Return the digest of the file that an agent's code is in: another release of it answers anew."""
    try:
        found = find_spec(place.partition(":")[0])
        return digest(Path(found.origin).read_bytes().hex()) if found is not None and found.origin else ""
    except (ImportError, OSError, ValueError):
        return ""


def _reused(entry: Entry, *, stale: bool) -> AgentResult:
    made = datetime.fromtimestamp(entry.made_at, UTC)
    old = "; nobody could be asked, so its age is let pass" if stale else ""
    said = f"the answer of {made:%Y-%m-%d %H:%M} UTC is used again, which had cost {amount('usd', entry.usd)}{old}"
    note = Observation(number=1, at=datetime.now(UTC), kind="progress", text=said, source="cache")
    return AgentResult(output=entry.output, observations=(note,), usage=Usage(saved_usd=entry.usd))


def _log(call: AgentCall, error: Any) -> None:
    logging.getLogger(__name__).warning("what %s may use again cannot be read or kept: %s", call.name, error)
