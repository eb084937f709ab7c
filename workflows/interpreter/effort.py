"""How hard an effect is tried: the step's own words, else the contract's, else three attempts."""

from datetime import timedelta

from contracts.mind import Agent
from contracts.step import Retry
from contracts.workspace import Tool
from workflows.interpreter.ports import Effort

ONCE = Retry(attempts=1)
NEVER_RETRIED = ("bad_input", "refused", "not_found", "over_budget", "outdated")
"""Codes of failures that trying again cannot mend."""


def tool_effort(tool: Tool, retry: Retry | None, timeout: timedelta | None) -> Effort:
    """Return the effort for a tool. One that is not idempotent gets one attempt, whatever anybody says."""
    if tool.acts() and tool.idempotency == "none":
        return Effort(ONCE, timeout or tool.timeout)
    return Effort(retry or tool.retry or Retry(), timeout or tool.timeout)


def agent_effort(agent: Agent, retry: Retry | None, timeout: timedelta | None) -> Effort:
    """Return the effort for an agent."""
    return Effort(retry or Retry(), timeout or agent.timeout)
