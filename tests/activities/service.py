"""A real MCP server over HTTP for tests: it acts, fails, is slow, and remembers what reached it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import CallToolResult, TextContent

from activities.outward import Outward
from contracts.workspace import Server, Tool

HOST = {
    "type": "object",
    "required": ["host"],
    "additionalProperties": False,
    "properties": {"host": {"type": "string"}},
}
ISOLATED = {"type": "object", "required": ["isolated"], "properties": {"isolated": {"type": "string"}}}


@dataclass
class Call:
    """One call as it arrived."""

    tool: str
    arguments: dict[str, Any]
    meta: dict[str, Any]
    headers: dict[str, str]
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())


@dataclass
class Service:
    """The server's address and what reached it. `release` lets slow calls go on."""

    url: str
    calls: list[Call] = field(default_factory=list)
    seen: Callable[[dict[str, Any]], dict[str, Any]] = lambda _: {"ok": True}
    """What the tool `look` answers to its arguments."""
    throttled: str = ""
    """What `Retry-After` says while every request comes too soon."""
    requests: int = 0
    """HTTP requests of every kind."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    async def call_arrived(self) -> None:
        async with asyncio.timeout(20):
            await self.arrived.wait()

    def tools_called(self) -> list[str]:
        return [call.tool for call in self.calls]


def tools() -> dict[str, Tool]:
    """Return the contracts of a small security team."""
    free = {"server": "company", "effect": "write", "autonomy": "allowed", "idempotency": "key"}
    isolate = {"server": "company", "effect": "write", "idempotency": "key", "input": HOST, "output": ISOLATED}
    return {
        "isolate_host": Tool(**isolate, compensated_by=("release_host",)),
        "release_host": Tool(**{**isolate, "output": {}}, compensated_by=()),
        "file_ticket": Tool(**free),
        "close_ticket": Tool(**free),
        "look": Tool(server="company", effect="read", input=HOST),
        "misreport": Tool(**free, output=ISOLATED),
        "ring_once": Tool(server="company", effect="write", autonomy="allowed", tool="file_ticket"),
        "reject": Tool(**free),
        "fail": Tool(**free),
        "throttle": Tool(**free),
        "wait": Tool(**free),
        "wait_briefly": Tool(**{**free, "tool": "wait", "timeout": timedelta(seconds=1)}),
        "unheard_of": Tool(**free),
        "homeless": Tool(server="nowhere", effect="read"),
    }


HERE = Outward(("127.0.0.1", "localhost"))
"""Lets tests call what they serve themselves."""


def servers(url: str) -> dict[str, Server]:
    return {"company": Server(url=url)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _error(**said: Any) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(type="text", text=said["reason"])], structured_content=said, is_error=True
    )


class Company(MCPServer[Any]):
    """The tools' other end. Names that it does not know are the SDK's business."""

    def __init__(self, service: Service) -> None:
        super().__init__(name="company", log_level="CRITICAL")
        self._service = service
        acting = ("isolate_host", "release_host", "file_ticket", "close_ticket")
        for name in (*acting, "look", "misreport", "wait", "reveal"):
            self.add_tool(lambda: None, name=name)

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None) -> Any:
        meta = dict(context.request_context.meta or {}) if context else {}
        headers = dict(context.headers or {}) if context else {}
        self._service.calls.append(Call(name, arguments, meta, headers))
        self._service.arrived.set()
        match name:
            case "isolate_host":
                return _fine(isolated=arguments["host"])
            case "look":
                return _fine(**self._service.seen(arguments))
            case "reject":
                return _error(applied="no", retry=False, reason="no such ticket")
            case "reveal":
                return _error(applied="no", retry=False, reason=f"nobody has {headers.get('authorization')}")
            case "throttle":
                return _error(applied="no", retry_after=7, reason="forty a minute")
            case "fail":
                return _error(applied="unknown", retry=True, reason="lost track\nof it")
            case "wait":
                await self._service.release.wait()
                return _fine(ok=True)
            case "unheard_of":
                return await super().call_tool(name, arguments, context)
            case _:
                return _fine(ok=True)


def _fine(**said: Any) -> CallToolResult:
    return CallToolResult(content=[], structured_content=said)


@asynccontextmanager
async def serving(port: int = 0) -> AsyncIterator[Service]:
    """Serve on a free port, or on the one that an earlier server had."""
    port = port or free_port()
    service = Service(f"http://127.0.0.1:{port}/mcp")
    app = Company(service).streamable_http_app()

    async def counted(scope: Any, receive: Any, send: Any) -> None:
        service.requests += scope["type"] == "http"
        if service.throttled and scope["type"] == "http":
            headers = [(b"retry-after", service.throttled.encode())]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send)

    config = uvicorn.Config(counted, port=port, log_level="critical", lifespan="on", timeout_keep_alive=600)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield service
    finally:
        service.release.set()
        server.should_exit = server.force_exit = True
        await task


@asynccontextmanager
async def severing(service: Service) -> AsyncIterator[str]:
    """Stand before a server, pass everything on, and cut the line as soon as a tool's call has been passed on."""
    host = service.url.removeprefix("http://").split("/")[0].split(":")

    async def relay(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, forth = await asyncio.open_connection(host[0], int(host[1]))
        answers = asyncio.create_task(_copy(server, back))
        while chunk := await client.read(65_536):
            forth.write(chunk)
            await forth.drain()
            if b"tools/call" in chunk:
                await service.arrived.wait()
                back.transport.abort()
                break
        forth.close()
        await answers
        back.close()

    relays = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{relays.sockets[0].getsockname()[1]}/mcp"
    finally:
        relays.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(65_536):
        writer.write(chunk)
