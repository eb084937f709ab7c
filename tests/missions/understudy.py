"""A model that says what an agent's own code would: through the tools that it is offered, and by what it is told alone.

The code runs here, beside the model server, from its beginning for each request; what it looks up and was not yet told
becomes a tool call of the model. So a mission's end is known, and none of its code thinks in the worker.
"""

import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from triage_desk import WORKSPACE

from contracts.base import canonical
from contracts.call import AgentCall
from contracts.mind import CodeAgent
from tests.model_server import Asked, Reply

WHO = re.compile(r"You are (\w+), one of the agents of a mission\.")
WHERE = re.compile(r"You work at the step (\S+) of the mission with the id (\S+)\.\n\nTask: (.*)")
DATA = "\n\ncontext:\n"
WORDED = "In the words of a model"


class Unknown(BaseException):
    """The code wants what no tool was asked yet. No code catches it."""


@dataclass
class ToldTools:
    """A toolbox whose answers are those in a conversation."""

    told: dict[bytes, Any]

    async def call(self, tool: str, /, **arguments: Any) -> Any:
        try:
            return self.told[canonical([tool, arguments])]
        except KeyError:
            raise Unknown(tool, arguments) from None


def understudy(asked: Asked) -> Reply:
    """Say what the agent's code would say next: an answer, a call of a tool, or that it cannot be done."""
    name = played(asked)
    agent = WORKSPACE.agents[name]
    assert isinstance(agent, CodeAgent)
    thought = f"I play {name}."
    if agent.words:
        return Reply(answer=dict.fromkeys(agent.words, WORDED), thought=thought)
    module, _, function = agent.callable.partition(":")
    try:
        answer = _ran(getattr(import_module(module), function), _call(name, agent, asked), ToldTools(_told(asked)))
    except Unknown as wanted:
        tool, arguments = wanted.args
        return Reply(calls=((tool, arguments),), thought=thought)
    except Exception as error:
        return Reply(calls=(("give_up", {"reason": str(error)}),), thought=thought)
    return Reply(answer=answer, thought=thought)


def played(asked: Asked) -> str:
    """Return the agent that a request is for."""
    found = WHO.search(_said(asked, "system") + _said(asked, "developer"))
    assert found, "the model is told whom it plays"
    return found[1]


def _ran(code: Callable[..., Coroutine[Any, Any, Any]], call: AgentCall, tools: ToldTools) -> Any:
    """Run code that waits for nothing but its tools, whose answers are there."""
    try:
        code(call, tools, lambda *_, **__: None).send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError(f"{call.name} waits for something else")


def _call(name: str, agent: CodeAgent, asked: Asked) -> AgentCall:
    said = _said(asked, "user")
    where = WHERE.match(said)
    assert where, said[:200]
    context = json.JSONDecoder().raw_decode(said.partition(DATA)[2])[0]
    return AgentCall(mission=where[2], path=where[1], name=name, agent=agent, task=where[3], context=context)


def _told(asked: Asked) -> dict[bytes, Any]:
    """Return what tools have answered, by what they were asked."""
    calls = {
        one["id"]: canonical([one["function"]["name"], json.loads(one["function"]["arguments"])])
        for message in asked.body["messages"]
        for one in message.get("tool_calls") or ()
    }
    answers = [message for message in asked.body["messages"] if message["role"] == "tool"]
    return {calls[one["tool_call_id"]]: json.loads(one["content"]) for one in answers}


def _said(asked: Asked, role: str) -> str:
    return "".join(message["content"] for message in asked.body["messages"] if message["role"] == role)
