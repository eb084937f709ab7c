"""Which runtime an agent is played by, and with what.

Law: deny by default. A plan names what this worker's own workspace names for the agent, or nothing runs. An agent of
code that has instructions is played by a model where the worker is told of one, and by its code where it is not.
"""

from collections.abc import Mapping

from activities.failure import failure
from activities.outward import OUTSIDE, Outward
from activities.runtimes.a2a import A2ARuntime
from activities.runtimes.code import CodeRuntime
from activities.runtimes.model import NO_PROVIDER, ModelRuntime, Provider
from activities.runtimes.remote import RemoteRuntime
from activities.runtimes.runtime import Runtime
from activities.runtimes.tool import ToolRuntime
from activities.runtimes.words import WordsRuntime
from activities.statement import show
from activities.strongbox import Strongbox
from contracts.mind import A2AAgent, Agent, CodeAgent, HttpAgent, McpAgent, ModelAgent, PeopleAgent, Thinking
from contracts.workspace import Tool


class Cast:
    """The runtimes of one worker."""

    def __init__(
        self,
        provider: Provider = NO_PROVIDER,
        tools: Mapping[str, Tool] | None = None,
        *,
        outward: Outward = OUTSIDE,
        strongbox: Strongbox | None = None,
    ) -> None:
        self.strongbox = strongbox or Strongbox()
        self._provider = provider
        self._outward = outward
        self._servers = {name: tool.server for name, tool in (tools or {}).items()}

    def play(self, name: str, known: Agent, planned: Agent) -> Runtime:
        """Return the runtime for an agent as the mission's plan has it. `known` is what this workspace says of it."""
        match known, planned:
            case CodeAgent(), CodeAgent():
                _demand_same(name, known.callable, planned.callable)
                return self._played(name, planned)
            case ModelAgent(), ModelAgent():
                return self._named(name, known, planned)
            case McpAgent(), McpAgent():
                _demand_same(name, known.tool, planned.tool)
                return ToolRuntime(known.tool, self._servers.get(known.tool, ""))
            case A2AAgent(), A2AAgent():
                _demand_same(name, known.url, planned.url)
                return A2ARuntime(known, outward=self._outward, strongbox=self.strongbox)
            case HttpAgent(), HttpAgent():
                _demand_same(name, known.url, planned.url)
                return RemoteRuntime(known, outward=self._outward, strongbox=self.strongbox)
            case PeopleAgent(), PeopleAgent():
                raise failure("refused", f"{name} is people: a mission asks them, and no worker plays them")
            case _:
                raise failure("refused", f"{name} is an agent of {known.runtime} here, not of {planned.runtime}")

    def cheaper(self, name: str, known: Agent, planned: Agent) -> Runtime | None:
        """Return the agent's cheaper model, where it has one and the environment does not say what all think with."""
        if self._provider.model or not isinstance(known, Thinking) or not isinstance(planned, Thinking):
            return None
        _demand_same(name, known.cheaper, planned.cheaper)
        return self._model(planned, known.cheaper, known.cheaper) if known.cheaper else None

    def _played(self, name: str, planned: CodeAgent) -> Runtime:
        """Return the code, or the model in its place, or both: the code for what is exact, the model for the words."""
        provider, code = self._provider, CodeRuntime(planned.callable)
        if not provider.model or not planned.instructions or (provider.plays and name not in provider.plays):
            return code
        model = self._model(planned, provider.model, provider.model)
        return WordsRuntime(planned, code, model) if planned.words else model

    def _named(self, name: str, known: Thinking, planned: Thinking) -> Runtime:
        """Return the model that the environment names, else the one that plan and workspace both name."""
        if self._provider.model:
            return self._model(planned, self._provider.model, self._provider.model)
        _demand_same(name, known.model, planned.model)
        _demand_same(name, known.final_model, planned.final_model)
        if not known.model:
            raise failure("refused", f"{name} thinks with a model, and nothing names one for it: set GONOGO_MODEL")
        return self._model(planned, known.model, known.final_model or known.model)

    def _model(self, agent: Thinking, control: str, final: str) -> Runtime:
        return ModelRuntime(agent, self._provider, control, final, self.strongbox)


def _demand_same(name: str, here: str, there: str) -> None:
    if here != there:
        raise failure("refused", f"{name} is {show(here)} here, not {show(there)}")
