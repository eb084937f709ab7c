"""The runtime `a2a`: a remote agent over the A2A protocol.

Its library is an extra, loaded when a first such agent is asked: `activities/runtimes/converse.py` is the half that
knows it.
"""

import asyncio
import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from activities.failure import failure
from activities.outward import OUTSIDE, Outward
from activities.runtimes.runtime import Work
from activities.strongbox import Strongbox
from contracts.mind import A2AAgent


class A2ARuntime:
    """Asks one remote agent."""

    def __init__(
        self,
        agent: A2AAgent,
        environ: Mapping[str, str] | None = None,
        *,
        outward: Outward = OUTSIDE,
        strongbox: Strongbox | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._strongbox = strongbox or Strongbox(environ)
        self._outward = outward
        self._url = environ.get(agent.url_env, "") or agent.url
        self._key = agent.key or (environ.get(agent.key_env, "") if agent.key_env else "")
        self._agent = agent

    def endpoint(self) -> str:
        """Return who is asked, whom all workers share."""
        return urlsplit(self._url).netloc

    async def answer(self, work: Work) -> Any:
        """Send the task, and follow it until it has come to something."""
        try:
            converse = await asyncio.to_thread(import_module, "activities.runtimes.converse")
        except ImportError:
            lacks = "this worker lacks what that takes: install 'gonogo[a2a]'"
            raise failure("not_found", f"{work.call.name} is asked over A2A, and {lacks}") from None
        key = await self._strongbox.key(self._key, work.call.name)
        talk = converse.Conversation(self._url, key, self._agent.poll, work, self._outward)
        return self._strongbox.cleaned(await talk.held())
