"""What the record tells of work: what agents were asked and answered, what was done to the world, and undone again."""

from collections.abc import Iterable, Mapping
from typing import Any

from contracts.base import digest
from contracts.call import EXECUTE_ACTION, RUN_AGENT, WATCH_AGENT, AgentCall, AgentResult, ToolCall, ToolResult
from contracts.decision import token_digest
from contracts.observation import Observation, observed
from contracts.policy import POLICY, Answer
from contracts.receipt import RECEIPT
from contracts.usage import KEY, Usage, billed
from contracts.workspace import Tool
from starter.history import Reader

Call = AgentCall | ToolCall
Told = dict[str, Any]
MODELS: dict[str, type[AgentCall] | type[ToolCall]] = {
    RUN_AGENT: AgentCall,
    WATCH_AGENT: AgentCall,
    EXECUTE_ACTION: ToolCall,
}
FITS = "what it says fits its contract"


class Work:
    """The calls of one run, by the event that ordered each: later events do not say it again."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._calls: dict[int, Call] = {}
        self._tools: Mapping[str, Tool] = {}

    def know(self, tools: Mapping[str, Tool]) -> None:
        """Take note of the tools' contracts, as the mission was frozen with them."""
        self._tools = tools

    async def ordered(self, event: int, kind: str, payloads: Any) -> Told | None:
        """Tell what is asked of an agent or a tool; nothing of other activities."""
        model: type[Call] | None = MODELS.get(kind)
        call = await self._reader.one(payloads, model) if model else None
        if call is None:
            return None
        self._calls[event] = call
        return _asked(call) if isinstance(call, AgentCall) else self._about(call, _acted(call))

    async def done(self, event: int, payloads: Any) -> Told | None:
        """Tell what an agent answered, or that a tool has acted."""
        call = self._calls.get(event)
        if isinstance(call, AgentCall):
            return _answered(call, await self._reader.one(payloads, AgentResult))
        if isinstance(call, ToolCall):
            return self._about(call, _executed(call, await self._reader.one(payloads, ToolResult)))
        return None

    def _about(self, call: Call, told: Told) -> Told:
        """Add on what was acted, by which the record is searched."""
        tool = self._tools.get(call.tool) if isinstance(call, ToolCall) else None
        if isinstance(call, ToolCall) and tool is not None and tool.resource in call.arguments:
            told["detail"]["resource"] = call.arguments[tool.resource]
        return told

    async def again(self, attributes: Any) -> Told | None:
        """Tell of an agent or a tool that was asked more than once: for the how manieth time, and why."""
        call = self._calls.get(attributes.scheduled_event_id)
        if attributes.attempt <= 1 or call is None:
            return None
        cause, details = await self._reader.failure(attributes.last_failure)
        detail = {"attempt": attributes.attempt, "cause": cause, **_plain(details)}
        return self._about(call, {"what": f"{_noun(call)} tried again", "why": cause, "detail": detail, **_whose(call)})

    async def failed(self, event: int, failure: Any) -> Told | None:
        """Tell why an agent or a tool failed, or what keeps it from beginning."""
        call = self._calls.get(event)
        if call is None:
            return None
        cause, details = await self._reader.failure(failure)
        verb = "failed" if details.pop("halts", None) is None else "held up"
        detail = {**_key(call), "cause": cause, **_plain(details)}
        return self._about(call, {"what": f"{_noun(call)} {verb}", "why": cause, "detail": detail, **_whose(call)})

    def cancelled(self, event: int) -> Told | None:
        call = self._calls.get(event)
        return {"what": f"{_noun(call)} cancelled", **_whose(call)} if call is not None else None


def _asked(call: AgentCall) -> Told:
    detail = {"task": call.task, "context_digest": digest(call.context), "asked_again": bool(call.errors)}
    why = f"asked again: {'; '.join(call.errors)}" if call.errors else call.task
    return {"what": "agent asked", "digest": digest(call.agent), "why": why, "detail": detail, **_whose(call)}


def _answered(call: AgentCall, result: AgentResult | None) -> Told:
    if result is None:
        return {"what": "agent answered", "why": "its answer cannot be read", **_whose(call)}
    detail = {"errors": list(result.errors), **_noticed(result.observations), **_cost(result.usage), **result.left()}
    detail |= _policy(result.policy)
    return {
        "what": "agent answered",
        "digest": digest(result.output),
        "why": "; ".join(result.errors) or result.escalated or FITS,
        "detail": detail,
        **_whose(call),
    }


def _acted(call: ToolCall) -> Told:
    approved = call.grant.subject.digest() if call.grant else ""
    detail = {"arguments": call.arguments, "key": call.key, "undoes": call.undoes, "approved": approved}
    if call.grant is not None:
        detail["decisions"] = [token_digest(token) for token in call.grant.tokens]
    return {
        "what": f"{_noun(call)} ordered",
        "digest": digest(call.arguments),
        "why": _permitted(call),
        "detail": detail,
        **_whose(call),
    }


def _executed(call: ToolCall, result: ToolResult | None) -> Told:
    detail: Told = {"key": call.key, "undoes": call.undoes, "arguments_digest": digest(call.arguments)}
    if result is not None:
        detail |= {**_cost(result.usage), **_policy(result.policy)}
        if result.receipt is not None:
            detail[RECEIPT] = result.receipt
    return {
        "what": f"{_noun(call)} executed",
        "digest": digest(result.output) if result else "",
        "why": _permitted(call),
        "detail": detail,
        **_whose(call),
    }


def _permitted(call: ToolCall) -> str:
    if call.grant is None:
        return f"undoes {call.undoes}" if call.undoes else "nobody had to approve it"
    many = "" if len(call.grant.tokens) == 1 else f" by {len(call.grant.tokens)} people"
    return f"approved{many} at {call.grant.subject.step}"


def _key(call: Call) -> Told:
    return {"key": call.key, "undoes": call.undoes} if isinstance(call, ToolCall) else {}


def _whose(call: Call) -> Told:
    return {"who": call.name if isinstance(call, AgentCall) else call.tool, "step": call.path}


def _noun(call: Call) -> str:
    return "agent" if isinstance(call, AgentCall) else "compensation" if call.undoes else "action"


def _noticed(observations: tuple[Observation, ...]) -> Told:
    """Return the number of observations, and one digest of them all: what they say may be long."""
    told: Told = {"observations": len(observations)}
    if observations:
        told["observations_digest"] = digest([one.model_dump(mode="json") for one in observations])
    return told


def _cost(usage: Usage) -> Told:
    spent = usage.model_dump(mode="json")
    return {"cost": {name: value for name, value in spent.items() if value}}


def _policy(answers: Iterable[Answer]) -> Told:
    """Return what policy said to it, where it was asked."""
    said = [one.model_dump(mode="json") for one in answers]
    return {POLICY: said} if said else {}


def _plain(details: Told) -> Told:
    """Return a failure's details as the record has them: what was noticed and spent like that of an answer."""
    rest = {name: value for name, value in details.items() if name not in {"observations", KEY}}
    noticed = observed([details])
    return {**rest, **(_noticed(noticed) if noticed else {}), **(_cost(billed([details])) if KEY in details else {})}
