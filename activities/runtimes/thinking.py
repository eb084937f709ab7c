"""How a language model thinks a task through: asked again and again until its answer fits or it may not go on.

Law: each call of a model is counted before it is made, and where the work stands is kept after each, so that an attempt
that crashed goes on without repeating a call. Only tools that read are ever offered. `prompt.py` says what it is told.
"""

import asyncio
from math import inf
from typing import Any

from pydantic_ai import (
    Agent,
    AgentRun,
    ModelRequestNode,
    ModelRetry,
    ModelSettings,
    NativeOutput,
    StructuredDict,
    Tool,
    UsageLimits,
)
from pydantic_ai.exceptions import (
    ModelAPIError,
    ModelRateLimitError,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)
from pydantic_ai.messages import ModelMessagesTypeAdapter, ModelResponse, ToolCallPart
from pydantic_ai.models import Model
from pydantic_ai.usage import RunUsage
from pydantic_core import SchemaValidator, core_schema
from temporalio import activity

from activities.failure import failure
from activities.fit import misfits
from activities.mcp_tools import ToolFailed
from activities.runtimes import prompt
from activities.runtimes.aloud import Aloud
from activities.runtimes.beside import Beside
from activities.runtimes.course import Course
from activities.runtimes.fault import fault, free
from activities.runtimes.model import Provider
from activities.runtimes.reach import model_of
from activities.runtimes.runtime import Misfit, Work
from activities.tally import Reported
from activities.toolbox import TOLD
from contracts.agent import Escalate
from contracts.base import canonical
from contracts.mind import Thinking

MARGIN = 1.0
"""Seconds before an attempt's time is over in which it says itself that it is, and what it has spent."""
UNASKED = "Exceeded maximum output retries"
NO_JSON = "the answer is no JSON value"
MOST_REASON = 500
ARGUMENTS = SchemaValidator(core_schema.dict_schema(core_schema.str_schema()))
"""Arguments have names. What values they may have is the contract's to say, and `ReadingTools` reads that."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds to wait where a provider wants to be asked later and does not say when."""


class GaveUp(Exception):
    """A model says that it cannot do its task: what code says by raising."""


class Thought:
    """One attempt of one agent."""

    def __init__(self, agent: Thinking, provider: Provider, work: Work) -> None:
        self._agent = agent
        self._provider = provider
        self._call = work.call
        self._tools = work.tools
        self._beside = Beside(work.tools)
        self._observe = work.notebook.observe
        self._tally = work.memory.tally
        self._course = Course(work.memory, work.notebook)
        self._ends = asyncio.get_running_loop().time() + time_given()
        self._overhead = 0
        self._wrong: tuple[str, ...] = (NO_JSON,)
        self._model = ""
        self._enveloped = False
        self._speaks = False
        """Whether what the model says as text is no part of an answer."""

    async def through(self, control: str, final: str) -> Any:
        """Return the answer, or raise `Misfit`, or a failure. Another `final` model writes what `control` found."""
        try:
            async with asyncio.timeout(self._time_left()):
                found = await self._gathered(control) if final != control and self._tools.offered() else ""
                return await self._written(final, found, with_tools=final == control)
        except Escalate:
            raise
        except UnexpectedModelBehavior as error:
            if str(error).startswith(UNASKED):
                raise Misfit(self._wrong, self._agent.output_retries) from None
            raise fault(self._call.name, self._model, error) from None
        except GaveUp as reason:
            raise failure("tool_failed", f"{self._call.name} gave up: {reason}") from None
        except Exception as error:
            raise fault(self._call.name, self._model, error) from None

    async def _gathered(self, name: str) -> str:
        """Let one model use the tools, and return what it says of that."""
        if self._course.found is None:
            model = self._reach(name)
            told = prompt.frame(self._agent.instructions, self._call.name, prompt.GATHER)
            tools = [*self._offered(), *self._beside.tools()]
            agent: Agent[None, str] = Agent(model, instructions=told, tools=tools, **self._common())
            self._overhead = len(told) + self._spelt()
            said = await self._asked(agent, prompt.task(self._call))
            self._course.gathered(str(said))
        return self._course.found or ""

    async def _written(self, name: str, found: str, *, with_tools: bool) -> Any:
        """Let a model write the answer."""
        model = self._reach(name)
        offered = self._offered() if with_tools else []
        told = prompt.frame(self._agent.instructions, self._call.name, prompt.ANSWER)
        self._speaks = bool(offered) or not model.profile.get("supports_json_schema_output")
        self._enveloped = not self._speaks and not self._tools.answers_only
        schema = self._schema()
        try:
            shape: Any = StructuredDict(schema, "answer")
        except UserError:  # A schema that refers to itself: it is told in words, and checked as all are.
            shape = StructuredDict({"type": "object"}, "answer")
            told += prompt.SCHEMA + prompt.shown(schema)
        if self._speaks:
            offered = [*offered, *self._beside.tools()]
        else:
            shape = NativeOutput(shape)
        agent: Agent[None, Any] = Agent(model, output_type=shape, instructions=told, tools=offered, **self._common())
        agent.output_validator(self._fitting)
        self._overhead = len(told) + len(canonical(schema)) + (self._spelt() if with_tools else 0)
        return self._answer(await self._asked(agent, prompt.task(self._call, found)))

    def _schema(self) -> dict[str, Any]:
        schema = self._call.agent.output
        return prompt.enveloped(schema, files=self._tools.keeps()) if self._enveloped else prompt.wrapped(schema)

    def _answer(self, output: Any) -> Any:
        """Return the answer itself."""
        if self._enveloped:
            return output.get("answer") if isinstance(output, dict) else None
        return prompt.unwrapped(self._call.agent.output, output)

    async def _fitting(self, output: Any) -> Any:
        """Return an answer that fits, or hand back to the model what is wrong with it."""
        answer = self._answer(output)
        beside = output if self._enveloped and isinstance(output, dict) else {}
        if reason := " ".join(str(beside.get("escalate") or "").split()):
            raise Escalate(reason[:MOST_REASON], answer)
        wrong = misfits(self._call, answer) or await self._beside.left(beside.get("files") or ())
        if wrong:
            self._wrong = wrong
            self._observe(f"handed back: {'; '.join(wrong)}"[:TOLD], kind="progress")
            raise ModelRetry("the answer does not fit: " + "; ".join(wrong))
        return output

    def _reach(self, name: str) -> Model:
        self._model = name
        return model_of(name, self._provider)

    def _common(self) -> dict[str, Any]:
        settings = ModelSettings(max_retries=0, first_event_timeout=self._agent.first_token.total_seconds())
        if self._agent.temperature is not None:
            settings["temperature"] = self._agent.temperature
        return {"model_settings": settings, "retries": {"tools": 3, "output": self._agent.output_retries}}

    async def _asked(self, agent: Agent[None, Any], task: str) -> Any:
        """Ask until there is an answer. Who wants to be asked later is asked later."""
        wait = FIRST_WAIT
        while True:
            try:
                async with agent:
                    return await self._run(agent, task)
            except ModelRateLimitError as error:
                pause = error.retry_after if error.retry_after is not None else wait
                wait = min(2 * wait, LONGEST_WAIT)
                if pause >= self._time_left():
                    raise
                self._observe(f"{self._model} wants to be asked again in {pause:.3g}s", kind="progress")
                await asyncio.sleep(pause)

    async def _run(self, agent: Agent[None, Any], task: str) -> Any:
        before = self._course.messages
        async with agent.iter(
            None if before else task,
            message_history=before or None,
            usage=self._spent(),
            usage_limits=self._limits(),
        ) as run:
            try:
                async for node in run:
                    if isinstance(node, ModelRequestNode):
                        await self._watched(node, run)
            except ModelAPIError as error:
                if free(error):
                    self._tally.refused()
                raise
            finally:
                self._tally.broken()
            return run.result.output if run.result else None

    async def _watched(self, node: Any, run: AgentRun[None, Any]) -> None:
        """Make one call of the model and listen to it."""
        self._demand_room()
        before = run.all_messages()
        so_far = before if before and before[-1] is node.request else [*before, node.request]
        self._tally.begin(self._model, len(ModelMessagesTypeAdapter.dump_json(so_far)) + self._overhead)
        self._course.keep(so_far)
        aloud = Aloud(self._model, self._observe, self._tally.hear, speaks=self._speaks)
        try:
            async with node.stream(run.ctx) as stream:
                async for event in stream:
                    aloud.hear(event)
        finally:
            aloud.end()
        response = stream.response
        self._tally.settle(reported(response))
        self._course.keep([*so_far, response])
        self._note_strange(response, run)

    def _note_strange(self, response: ModelResponse, run: AgentRun[None, Any]) -> None:
        """Note the calls that never reach a tool: nobody but the model is told of them otherwise."""
        known = run.ctx.deps.tool_manager.tools or {}
        for call in response.tool_calls:
            wrong = "no such tool" if call.tool_name not in known else "no JSON object" if not _object(call) else ""
            if wrong:
                self._observe(f"{wrong}: {str(call.args)[:TOLD]}", call.tool_name, "call")

    def _time_left(self) -> float:
        return self._ends - asyncio.get_running_loop().time()

    def _spelt(self) -> int:
        """Return the bytes in which the tools are spelt out."""
        return sum(len(name) + len(canonical(one)) for name, one in self._tools.offered().items())

    def _demand_room(self) -> None:
        most = self._agent.limits.tokens
        if most is not None and self._tally.total().tokens >= most:
            raise UsageLimitExceeded(f"it has used {self._tally.total().tokens} tokens, and may use {most}")

    def _spent(self) -> RunUsage:
        """Return what earlier attempts count for in the limits of this one."""
        return RunUsage(requests=self._tally.total().model_calls)

    def _limits(self) -> UsageLimits:
        return UsageLimits(request_limit=self._agent.limits.turns, tool_calls_limit=self._agent.limits.tool_calls)

    def _offered(self) -> list[Tool[None]]:
        """Return the agent's tools as a model is offered them."""
        tools = [self._tool(name) for name in self._tools.offered()]
        return [*tools, Tool(self._give_up, name=prompt.GIVE_UP, description=prompt.WHEN)] if tools else []

    async def _give_up(self, reason: str) -> None:
        self._course.keep(())
        raise GaveUp(" ".join(reason.split())[:MOST_REASON])

    def _tool(self, name: str) -> Tool[None]:
        contract = self._tools.offered()[name]

        async def use(**arguments: Any) -> Any:
            try:
                return await self._tools.call(name, **arguments)
            except ToolFailed as failed:
                if failed.code != "bad_input":
                    raise
                return {"failed": str(failed)}

        schema = {"type": "object", "properties": {}, **contract.input}
        tool: Tool[None] = Tool.from_schema(use, name, contract.description or None, schema)
        tool.function_schema.validator = ARGUMENTS
        return tool


def time_given() -> float:
    """Return the seconds that this attempt has, less some in which it says that they are over."""
    span = activity.info().start_to_close_timeout
    return span.total_seconds() - min(MARGIN, span.total_seconds() / 10) if span else inf


def _object(call: ToolCallPart) -> bool:
    """Whether the arguments of a call are what arguments have to be."""
    try:
        call.args_as_dict(raise_if_invalid=True)
    except (ValueError, AssertionError):
        return False
    return True


def reported(response: ModelResponse) -> Reported:
    """Return what the provider says that a call has used."""
    said = response.usage
    reasoning = said.details.get("reasoning_tokens", 0)
    return Reported(said.input_tokens, said.output_tokens, said.cache_read_tokens, reasoning)
