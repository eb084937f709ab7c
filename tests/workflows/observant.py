"""An agent whose work a test gives it, by its task: it really runs, as code of a workspace does."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from activities.agents import AgentRunner
from activities.mcp_tools import ToolServers
from contracts.call import AgentCall
from tests.interpreter.fakes import plan_of
from tests.policies import OPEN
from tests.workflows.house import Activities

AGENTS = {"ann": {"callable": "tests.workflows.observant:mind", "output": {"required": ["n"]}}}
WORK: dict[str, Callable[..., Any]] = {}
ASKED: defaultdict[str, int] = defaultdict(int)


async def mind(call: AgentCall, tools: Any, observe: Callable[..., None]) -> Any:
    """Do what the test says that the task is."""
    ASKED[call.mission] += 1
    return await WORK[call.task](call, observe)


async def watcher(call: AgentCall, tools: Any, observe: Callable[..., None]) -> Any:
    """Watch as the test says."""
    return await WORK[""](call, observe)


def runner_of(agents: dict[str, Any]) -> AgentRunner:
    return AgentRunner(plan_of([], agents=agents).agents, {}, ToolServers({}), policy=OPEN)


def working(work: Callable[..., Any], *tasks: str) -> Activities:
    """Return activities whose agents really run."""
    WORK.update(dict.fromkeys(tasks, work))
    fakes = Activities()
    fakes.run = runner_of(AGENTS).run  # type: ignore[method-assign]
    return fakes
