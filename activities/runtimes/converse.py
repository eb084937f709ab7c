"""How a remote agent is asked over A2A: its card, the message, the task that comes of it, its artifacts.

Law: what comes back is data. A card counts for its own address: a key goes nowhere else. Heartbeats keep the task, so
that an attempt after a crash follows it instead of sending the work again; who is cancelled cancels it there.
An agent that wants to know something ends the attempt with its question: people answer, and the task goes on.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientError, A2AClientTimeoutError, AgentCardResolutionError
from a2a.helpers.proto_helpers import get_data_parts, get_message_text, get_text_parts, new_data_part, new_text_part
from a2a.types.a2a_pb2 import (
    AgentCard,
    CancelTaskRequest,
    GetTaskRequest,
    Message,
    Part,
    Role,
    SendMessageRequest,
    StreamResponse,
    Task,
    TaskState,
    TaskStatus,
)
from a2a.utils.errors import A2AError, InvalidParamsError, InvalidRequestError, TaskNotFoundError
from opentelemetry import propagate
from temporalio import activity

from activities import rate_limit
from activities.failure import Code, explained, failure
from activities.outward import AddressRefused, Outward
from activities.runtimes.runtime import Asks, Work
from contracts.base import digest
from contracts.talk import Talk

CONNECT_SECONDS = 5.0
HANGING_UP = 2.0
"""Seconds for telling a remote agent that nobody waits for it any more."""
ACCEPTED = ["application/json", "text/plain"]
CODES: dict[int, Code] = {401: "refused", 403: "refused", 404: "not_found", 408: "timed_out", 429: "rate_limited"}
FAILED: dict[int, tuple[Code, str, bool]] = {
    TaskState.TASK_STATE_FAILED: ("tool_failed", "failed", False),
    TaskState.TASK_STATE_CANCELED: ("tool_failed", "was cancelled there", True),
    TaskState.TASK_STATE_REJECTED: ("refused", "was rejected", True),
    TaskState.TASK_STATE_AUTH_REQUIRED: ("refused", "wants a key that 'key_env' does not give", True),
}
"""What a task comes to that has no answer: the code, in words, and whether that is final."""
SETTLED = frozenset({*FAILED, TaskState.TASK_STATE_COMPLETED, TaskState.TASK_STATE_INPUT_REQUIRED})


class Conversation:
    """One attempt with one remote agent."""

    def __init__(self, url: str, key: str, poll: timedelta, work: Work, outward: Outward) -> None:
        self._url = url
        self._outward = outward
        self._key = key
        self._poll = poll.total_seconds()
        self._work = work
        self._call = work.call
        self._message = message(work)
        kept = work.memory.kept if isinstance(work.memory.kept, dict) else {}
        # What was kept of another message is of another turn: this one has not been sent.
        self._task = str(kept.get("task", "")) if kept.get("message") == self._message.message_id else ""

    async def held(self) -> Any:
        """Return the answer. Raises `Asks` where people have to say something first."""
        try:
            async with self._http() as http:
                return await self._followed(http)
        except AddressRefused as refused:
            raise failure("refused", f"{self._call.name} is not asked: {refused}") from None
        except (A2AError, httpx.HTTPError, httpx.InvalidURL) as error:
            if isinstance(error, TaskNotFoundError):
                self._forget()
            raise fault(self._call.name, self._url, error) from None

    async def _followed(self, http: httpx.AsyncClient) -> Any:
        card = own(await A2ACardResolver(http, self._url).get_agent_card(), self._url, self._call.name)
        streams = card.capabilities.streaming
        config = ClientConfig(httpx_client=http, streaming=streams, polling=not streams, accepted_output_modes=ACCEPTED)
        async with ClientFactory(config).create(card) as client:
            try:
                if not self._task and (said := await self._sent(client)) is not None:
                    return value(said)
                return self._come_to(await self._settled(client))
            except asyncio.CancelledError:
                await self._hang_up(client)
                raise

    async def _sent(self, client: Client) -> list[Part] | None:
        """Send the message, and note what is said until the task has settled, or the stream ends.

        Who answers with a message and makes no task of it has answered.
        """
        request = SendMessageRequest(message=self._message)
        async with aclosing(_stream(client, request)) as events:
            async for event in events:
                if event.HasField("message"):
                    return list(event.message.parts)
                if self._noted(event) in SETTLED:
                    break
        return None

    def _noted(self, event: StreamResponse) -> int:
        """Note an event; return the state of the task that it tells."""
        if event.HasField("artifact_update"):
            self._keep(event.artifact_update.task_id)
            self._work.notebook.observe(f"artifact {event.artifact_update.artifact.name}", self._call.name, "progress")
            return TaskState.TASK_STATE_WORKING
        told = event.task if event.HasField("task") else event.status_update
        self._keep(told.id if isinstance(told, Task) else told.task_id)
        if self._stale(told.status):
            return TaskState.TASK_STATE_WORKING
        self._tell(told.status)
        return told.status.state

    def _stale(self, status: TaskStatus) -> bool:
        """Whether this is the question that has just been answered."""
        talk = self._call.talk
        return talk is not None and talk.mark != "" and talk.mark == mark(status)

    def _tell(self, status: TaskStatus) -> None:
        words = get_message_text(status.message)
        if words:
            asks = status.state == TaskState.TASK_STATE_INPUT_REQUIRED
            self._work.notebook.observe(words, self._call.name, "question" if asks else "progress")

    async def _settled(self, client: Client) -> Task:
        """Look at the task until it has come to something."""
        last = ""
        while True:
            task = await client.get_task(GetTaskRequest(id=self._task))
            stale = self._stale(task.status)
            if task.status.state in SETTLED and not stale:
                return task
            words = get_message_text(task.status.message)
            if words != last and not stale:
                last = words
                self._tell(task.status)
            await asyncio.sleep(self._poll)

    def _come_to(self, task: Task) -> Any:
        words = get_message_text(task.status.message)
        if task.status.state == TaskState.TASK_STATE_INPUT_REQUIRED:
            question = words or "it does not say what it needs"
            raise Asks(Talk(task=task.id, context=task.context_id, mark=mark(task.status), question=question))
        if task.status.state in FAILED:
            code, what, final = FAILED[task.status.state]
            self._forget()
            raise failure(code, f"{self._call.name} {what}: {words or 'no reason given'}", final=final)
        parts = [part for artifact in task.artifacts for part in artifact.parts]
        return value(parts or task.status.message.parts)

    def _keep(self, task: str) -> None:
        if task and task != self._task:
            self._task = task
            self._work.memory.kept = {"task": task, "message": self._message.message_id}
            self._work.notebook.beat()

    def _forget(self) -> None:
        """Have the next attempt send the work anew."""
        self._work.memory.kept = None
        self._work.notebook.beat()

    async def _hang_up(self, client: Client) -> None:
        with suppress(A2AError, httpx.HTTPError, TimeoutError):
            async with asyncio.timeout(HANGING_UP):
                if self._task:
                    await client.cancel_task(CancelTaskRequest(id=self._task))

    def _http(self) -> httpx.AsyncClient:
        headers: dict[str, str] = {}
        propagate.inject(headers)
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return self._outward.client(headers=headers, timeout=httpx.Timeout(None, connect=CONNECT_SECONDS))


async def _stream(client: Client, request: SendMessageRequest) -> AsyncGenerator[StreamResponse, None]:
    async for event in client.send_message(request):
        yield event


def message(work: Work) -> Message:
    """Return what the agent is sent: the task, or what people answered to its question.

    The same work has the same message id, whichever attempt sends it.
    """
    call, talk = work.call, work.call.talk
    about = {
        "mission": call.mission,
        "step": call.path,
        "agent": call.name,
        "task": call.task,
        "context": call.context,
        "guidance": list(call.guidance),
        "errors": list(call.errors),
        "schema": call.agent.output,
    }
    run = activity.info().workflow_id or call.mission
    name = digest([run, call.generation, about, talk.model_dump(mode="json") if talk else None])
    if talk is not None:
        said = [new_text_part(talk.answer)]
        return Message(message_id=name, role=Role.ROLE_USER, parts=said, task_id=talk.task, context_id=talk.context)
    return Message(message_id=name, role=Role.ROLE_USER, parts=[new_text_part(call.task), new_data_part(about)])


def mark(status: TaskStatus) -> str:
    """Return what tells a question from the next; nothing where nothing does."""
    asks = status.state == TaskState.TASK_STATE_INPUT_REQUIRED
    moment = status.timestamp.ToJsonString() if status.HasField("timestamp") else ""
    return f"{status.message.message_id} {moment}".strip() if asks else ""


def own(card: AgentCard, url: str, name: str) -> AgentCard:
    """Return a card with those of its interfaces that lie at the address that the card came from."""
    here = [one for one in card.supported_interfaces if urlsplit(one.url)[:2] == urlsplit(url)[:2]]
    if not here:
        raise failure("refused", f"{name}: the card at {url} leads to another address", final=True)
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(here)
    return card


def value(parts: Iterable[Part]) -> Any:
    """Return what parts say: the last data among them, else their text, as JSON where it is some."""
    said = list(parts)
    data = get_data_parts(said)
    if data:
        return whole(data[-1])
    text = "\n".join(get_text_parts(said))
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def whole(data: Any) -> Any:
    """Return data with whole numbers as such: on their way all numbers were fractions."""
    match data:
        case float() if data.is_integer():
            return int(data)
        case dict():
            return {key: whole(item) for key, item in data.items()}
        case list():
            return [whole(item) for item in data]
        case _:
            return data


def fault(name: str, url: str, error: Exception) -> Exception:
    """Return the failure to raise for what went wrong on the way."""
    cause = error.__cause__
    response = cause.response if isinstance(cause, httpx.HTTPStatusError) else None
    status = response.status_code if response is not None else getattr(error, "status_code", None)
    after = rate_limit.seconds(response.headers.get("retry-after")) if response is not None else None
    sentence = f"{name} cannot be asked at {url}: {explained(error)}"
    if status is not None:
        known: Code = "bad_input" if status < httpx.codes.INTERNAL_SERVER_ERROR else "unavailable"
        return failure(CODES.get(status, known), sentence, after=after)
    match error:
        case A2AClientTimeoutError() | httpx.TimeoutException():
            return failure("timed_out", sentence)
        case AgentCardResolutionError() | A2AClientError() | httpx.HTTPError():
            return failure("unavailable", sentence)
        case InvalidParamsError() | InvalidRequestError():
            return failure("bad_input", sentence)
        case _:
            return failure("tool_failed", sentence)
