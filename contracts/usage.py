"""What work costs: part of what activities answer, of what a mission is shown to have cost, of what people sign."""

from contracts.base import Message


class Usage(Message):
    """What one agent run or tool call cost. Seconds of wall time; US dollars."""

    agent_runs: int = 0
    tool_calls: int = 0
    seconds: float = 0.0
    usd: float = 0.0
    tokens: int = 0
    """As far as they are known: of a party's turns an estimate."""

    def plus(self, other: "Usage") -> "Usage":
        """Return the sum of both."""
        return Usage(
            agent_runs=self.agent_runs + other.agent_runs,
            tool_calls=self.tool_calls + other.tool_calls,
            seconds=self.seconds + other.seconds,
            usd=self.usd + other.usd,
            tokens=self.tokens + other.tokens,
        )
