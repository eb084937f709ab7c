"""What every runtime of an agent is: it is handed work, and answers with data.

Law: a runtime decides nothing. Who may run, what is halted, whether an answer fits, is settled around it, in
`activities/agents.py`. What it raises is a failure of `activities/failure.py`, or `Misfit` or `Asks`.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from activities.memory import Memory
from activities.notebook import Notebook
from activities.toolbox import ReadingTools
from contracts.call import AgentCall
from contracts.talk import Talk


@dataclass(frozen=True)
class Work:
    """One attempt: what is to be done, the tools for it, where to note what is noticed, and what stays."""

    call: AgentCall
    tools: ReadingTools
    notebook: Notebook
    memory: Memory


class Misfit(Exception):
    """No answer that fits came, however often the runtime itself handed back what was wrong."""

    def __init__(self, errors: tuple[str, ...], handed_back: int) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors
        self.handed_back = handed_back


class Asks(Exception):
    """Somebody elsewhere needs to know something from people before they go on."""

    def __init__(self, talk: Talk) -> None:
        super().__init__(talk.question)
        self.talk = talk


class Runtime(Protocol):
    """One way in which an agent thinks."""

    async def answer(self, work: Work) -> Any:
        """Do the task and return the answer, however badly it fits."""
        ...
