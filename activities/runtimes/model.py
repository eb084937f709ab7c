"""The runtime `model`: a language model reads instructions, a task and its context, and answers by the agent's schema.

The library that reaches models takes two seconds to load, so it is loaded when a first model is asked, and beside the
loop: `activities/runtimes/thinking.py` is the half that knows it.
"""

import asyncio
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from activities.runtimes.runtime import Work
from activities.strongbox import Strongbox
from contracts.base import Message
from contracts.mind import Thinking


class Provider(Message):
    """The language model that this worker is told of, by its environment.

    `model` is `provider:name`; with a `url`, the name of a model at that OpenAI-compatible address.
    """

    model: str = ""
    url: str = ""
    key: str = ""
    plays: frozenset[str] = frozenset()
    """The agents of code that it plays; all that have instructions where none is named."""


NO_PROVIDER = Provider()


class ModelRuntime:
    """Lets one model call tools and write the answer, or one do the first and another the second."""

    def __init__(
        self, agent: Thinking, provider: Provider, control: str, final: str, strongbox: Strongbox | None = None
    ) -> None:
        self._strongbox = strongbox or Strongbox()
        self._agent = agent
        self._provider = provider
        self._control = control
        self._final = final

    def models(self) -> tuple[str, ...]:
        """Return the models that may be asked, each once."""
        return tuple(dict.fromkeys((self._control, self._final)))

    def endpoint(self) -> str:
        """Return who is asked: an address, or a provider by its name."""
        if self._provider.url and self._control == self._provider.model:
            return urlsplit(self._provider.url).netloc
        return self._control.partition(":")[0]

    def most_tokens(self) -> int | None:
        """Return the most tokens that one answer may take, where the agent says so."""
        return self._agent.limits.tokens

    async def answer(self, work: Work) -> Any:
        """Let the model work until its answer fits, or until it may not go on."""
        key = await self._strongbox.key(self._provider.key, work.call.name)
        provider = self._provider.model_copy(update={"key": key})
        thinking = await asyncio.to_thread(import_module, "activities.runtimes.thinking")
        thought = thinking.Thought(self._agent, provider, work)
        return self._strongbox.cleaned(await thought.through(self._control, self._final))
