"""What policy says of one agent's work: its running, the models that it thinks with, the tools that it uses.

Law: asked before each, and each answer is kept for the record. Data is what this worker's own contracts declare, and
what the mission says that it may hold beside that.
"""

from collections.abc import Mapping
from typing import Any

from temporalio import activity

from activities.assent import NOTHING, Assented
from activities.authority import resource
from activities.failure import failure
from activities.policy import Policy
from activities.purse import Thinker
from contracts.call import AgentCall
from contracts.data import classes
from contracts.mind import Agent
from contracts.policy import Answer, Question, Verb, told
from contracts.workspace import Tool


class Consent:
    """The answers of policy for one run of an agent."""

    def __init__(
        self, policy: Policy, call: AgentCall, agent: Agent, tools: Mapping[str, Tool], assented: Assented = NOTHING
    ) -> None:
        self._policy = policy
        self._assented = assented
        self._call = call
        hands = [tools[name] for name in agent.hands() if name in tools]
        schemas = [agent.output, *(part for tool in hands for part in (tool.input, tool.output))]
        self._data = sorted({*call.data, *(one for schema in schemas for one in classes(schema))})
        self._mission = activity.info().workflow_type or ""
        self._answers: dict[str, Answer] = {}

    def answers(self) -> tuple[Answer, ...]:
        """Return what was answered, each once."""
        return tuple(self._answers.values())

    def demand(self, verb: Verb, what: str, **context: Any) -> None:
        """Refuse the whole run where policy does not allow something."""
        answer = self._asked(verb, what, **context)
        if not answer.allowed():
            raise failure("refused", f"policy does not allow it: {answer}", **told([answer]))

    def demand_thinking(self, thinker: Thinker) -> None:
        """Refuse the run where its agent may not think with one of its models, with the data that there may be."""
        for model in thinker.models:
            self.demand("think", model, mission=self._mission)

    def permit(self, tool: str, contract: Tool, arguments: Mapping[str, Any]) -> str:
        """Return why the agent may not use a tool so; empty where it may."""
        answer = self._asked("use_tool", tool, mission=self._mission, **resource(contract, arguments))
        return "" if answer.allowed() else f"policy does not allow it: {answer}"

    def _asked(self, verb: Verb, what: str, **context: Any) -> Answer:
        who = self._mission if verb == "run_agent" else self._call.name
        given = {"data": self._data, **context}
        asked = Question(verb=verb, who=who, what=what, team=self._call.team, at=self._call.path, context=given)
        answer = self._assented.applied(self._policy.ask(asked))
        self._answers[str(answer)] = answer
        return answer
