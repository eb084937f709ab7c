"""Agents that are language models, for tests: one judge, and what it is asked."""

from typing import Any

from activities.agents import AgentRunner
from activities.mcp_tools import ToolServers
from activities.runtimes.cast import Cast
from contracts.call import AgentCall, AgentResult
from contracts.mind import Agent, ModelAgent
from tests.activities.activity_stage import stage
from tests.activities.service import tools
from tests.policies import OPEN

OUTPUT = {"type": "object", "required": ["verdict"], "properties": {"verdict": {"enum": ["dismiss", "escalate"]}}}
GOOD = {"verdict": "dismiss"}


def thinker(**fields: Any) -> ModelAgent:
    return ModelAgent(**{"instructions": "Judge the host.", "output": OUTPUT, **fields})


def asking(agent: Agent, **fields: Any) -> AgentCall:
    known = {"mission": "mission-1", "path": "judge", "name": "judge", "agent": agent, "task": "look at the host"}
    return AgentCall(**{**known, "context": {"host": "web-01"}, **fields})


def judging(agent: Agent, cast: Cast, servers: ToolServers, **around: Any) -> AgentRunner:
    return AgentRunner({"judge": agent}, tools(), servers, cast=cast, policy=OPEN, **around)


async def run(agent: Agent, cast: Cast, servers: ToolServers, **fields: Any) -> AgentResult:
    result: AgentResult = await stage().run(judging(agent, cast, servers).run, asking(agent, **fields))
    return result
