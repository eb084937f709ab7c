"""What an agent that is code may touch: the tools that its contract names, and a way to say what it noticed."""

from collections.abc import Callable
from typing import Any, Protocol

from contracts.call import AgentCall


class Toolbox(Protocol):
    """The tools named in the agent's contract, and of those only the ones that read."""

    async def call(self, tool: str, /, **arguments: Any) -> Any:
        """Call a tool and return its structured result. Unknown or unnamed tools raise `PermissionError`.

        Where the agent has `knowledge`, `search_knowledge(query=…, limit=…)` is one of them.
        """
        ...

    async def artifact(self, name: str, media_type: str, data: str | bytes) -> dict[str, Any]:
        """Leave a file with the step's result: `artifact("plan.md", "text/markdown", text)`."""
        ...


class AskLater(Exception):
    """Raised by an agent's code when what it needs wants to be asked later: in so many seconds at the soonest."""

    def __init__(self, sentence: str, seconds: float) -> None:
        super().__init__(sentence)
        self.seconds = seconds


class Escalate(Exception):
    """Raised by an agent's code that wants people to say how it goes on: why, and what it has so far."""

    def __init__(self, reason: str, so_far: Any = None) -> None:
        super().__init__(reason)
        self.so_far = so_far


Observe = Callable[..., None]
"""`observe(text, source="", kind="finding", confidence=None)`: stream an observation to whoever follows the mission."""


class AgentFunction(Protocol):
    """The signature of a `runtime: code` callable. The answer must fit the agent's output schema."""

    async def __call__(self, call: AgentCall, tools: Toolbox, observe: Observe) -> dict[str, Any]: ...
