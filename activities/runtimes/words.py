"""Code that knows, and a language model that words: each gives the part of an answer that it is good at.

Law: what must be exact is the code's. The model is given what the code answered, writes the named properties and
nothing else, and has no tools. Where it writes nothing that fits, the code's own words stand, and that is observed.
"""

from dataclasses import replace
from typing import Any

from temporalio.exceptions import ApplicationError

from activities.fit import misfits
from activities.runtimes.runtime import Misfit, Runtime, Work
from contracts.mind import CodeAgent


class WordsRuntime:
    """Runs the code, then has the words of its answer written."""

    def __init__(self, agent: CodeAgent, code: Runtime, model: Runtime) -> None:
        self._agent = agent
        self._code = code
        self.model = model

    async def answer(self, work: Work) -> Any:
        """Return the code's answer in the model's words. A code's answer that does not fit is returned as it is."""
        exact = await self._code.answer(work)
        if misfits(work.call, exact) or not isinstance(exact, dict):
            return exact
        facts = {name: exact[name] for sources in self._agent.words.values() for name in sources if name in exact}
        narrowed = self._agent.model_copy(update={"output": worded(self._agent)})
        call = work.call.model_copy(update={"agent": narrowed, "context": facts})
        try:
            written = await self.model.answer(replace(work, call=call, tools=work.tools.none()))
        except (Misfit, ApplicationError) as error:
            cause = getattr(error, "message", "") or f"what it wrote does not fit: {error}"
            work.notebook.observe(f"The code's own words stand, for the model gave none: {cause}", kind="progress")
            return exact
        return {**exact, **{name: written[name] for name in self._agent.words}}


def worded(agent: CodeAgent) -> dict[str, Any]:
    """Return the schema of the words alone."""
    properties = agent.output.get("properties", {})
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(agent.words),
        "properties": {name: properties[name] for name in agent.words},
    }
