"""What every runtime of an agent is: it is handed a call, and answers with data and with what that cost.

Law: a runtime decides nothing. Who may run, what is halted, whether an answer fits, is settled around it, in
`activities/agents.py`. What it raises is a failure of `activities/failure.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from activities.notebook import Notebook
from activities.toolbox import ReadingTools
from contracts.call import AgentCall
from contracts.usage import Usage


@dataclass(frozen=True)
class Answer:
    """What an agent answered. `by_model`: what each language model was used, by its name."""

    output: Any
    by_model: Mapping[str, Usage] = field(default_factory=dict)

    def usage(self) -> Usage:
        """Return what all models together were used."""
        total = Usage()
        for used in self.by_model.values():
            total = total.plus(used)
        return total


class Runtime(Protocol):
    """One way in which an agent thinks."""

    async def answer(self, call: AgentCall, tools: ReadingTools, notebook: Notebook) -> Answer:
        """Do the task, noting what it notices, and return the answer, however badly it fits."""
        ...
