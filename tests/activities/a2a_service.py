"""A remote agent over A2A for tests: a real server made with the protocol's own library, which does what a task says.

`script` maps the first word of a task to what becomes of it; the server remembers what it was sent.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from a2a.helpers.proto_helpers import get_data_parts, new_data_part, new_text_part
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_agent_card_routes, create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types.a2a_pb2 import (
    AgentCapabilities,
    AgentCard,
    AgentInterface,
    AgentSkill,
    Task,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
)
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.activities.service import free_port


@dataclass
class Remote(AgentExecutor):
    """The agent, and what reached it."""

    url: str = ""
    sent: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What the next requests to it are turned away with."""
    slow: bool = False
    """It still shows its last question for a moment before it takes an answer in."""
    working: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Do what the task's first word says."""
        assert context.task_id
        assert context.context_id
        updater = TaskUpdater(event_queue, context.task_id, context.context_id)
        if self.slow and context.current_task is not None:
            old = context.current_task.status
            await event_queue.enqueue_event(
                TaskStatusUpdateEvent(task_id=context.task_id, context_id=context.context_id, status=old)
            )
            await asyncio.sleep(0.1)
        said = context.get_user_input()
        self.said.append(said)
        self.sent += [dict(one) for one in get_data_parts(context.message.parts)]
        if context.current_task is None:
            status = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
            await event_queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status))
        await updater.start_work(words(updater, "looking at it"))
        match said.split()[0]:
            case "ask" | "ask-again":
                await updater.requires_input(words(updater, "which of the two hosts?"))
            case "fail":
                await updater.failed(words(updater, "out of ink"))
            case "reject":
                await updater.reject(words(updater, "not my trade"))
            case "wait":
                self.working.set()
                await self.release.wait()
                await done(updater, {"verdict": "dismiss", "n": 4})
            case "text":
                await updater.add_artifact([new_text_part('{"verdict": "escalate"}')])
                await updater.complete()
            case "speak":
                await updater.complete(words(updater, '{"verdict": "dismiss"}'))
            case "wrong":
                await done(updater, {"verdict": "perhaps"})
            case _:
                await done(updater, {"verdict": "dismiss", "n": 4, "said": said, "share": 0.5})

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        """Stop a task."""
        assert context.task_id
        assert context.context_id
        self.cancelled.append(context.task_id)
        await TaskUpdater(event_queue, context.task_id, context.context_id).cancel()


def words(updater: TaskUpdater, text: str) -> Any:
    return updater.new_agent_message([new_text_part(text)])


async def done(updater: TaskUpdater, answer: Any) -> None:
    await updater.add_artifact([new_data_part(answer)], name="answer")
    await updater.complete()


@asynccontextmanager
async def remote_serving(*, streaming: bool = True, elsewhere: bool = False) -> AsyncIterator[Remote]:
    """Serve a remote agent on a free port; `elsewhere`: its card leads to another address."""
    port = free_port()
    remote = Remote(url=f"http://127.0.0.1:{port}")
    card = AgentCard(
        name="remote",
        description="looks at hosts",
        version="1",
        default_input_modes=["text/plain"],
        default_output_modes=["application/json"],
        capabilities=AgentCapabilities(streaming=streaming),
        skills=[AgentSkill(id="look", name="look", description="looks", tags=["look"])],
        supported_interfaces=[
            AgentInterface(
                url="http://127.0.0.1:1/rpc" if elsewhere else f"{remote.url}/rpc",
                protocol_binding="JSONRPC",
                protocol_version="1.0",
            )
        ],
    )
    handler = DefaultRequestHandler(agent_executor=remote, task_store=InMemoryTaskStore(), agent_card=card)
    app = Starlette(routes=[*create_agent_card_routes(card), *create_jsonrpc_routes(handler, "/rpc")])

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            remote.headers.append({name.decode(): text.decode() for name, text in scope["headers"]})
            if remote.statuses and (status := remote.statuses.pop(0)):
                turned_away = JSONResponse({"no": "not now"}, status, {"retry-after": "7"})
                await turned_away(scope, receive, send)
                return
        await app(scope, receive, send)

    config = uvicorn.Config(door, port=port, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield remote
    finally:
        remote.release.set()
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await serving
