"""Tools over MCP: one call, its answer, or whether the world may have changed without one.

Law: `applied` is `no` only when nothing was sent or the tool itself says so; after sending, silence is `unknown`.
Each call has a session of its own over connections that are kept: one broken call never takes another with it, and a
server that was restarted is simply reached again. The idempotency key travels in `_meta`, the trace in HTTP headers.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any
from weakref import WeakKeyDictionary

import httpx2
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import (
    METHOD_NOT_FOUND,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    DiscoverResult,
    TextContent,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from opentelemetry import propagate

from activities import rate_limit
from activities.failure import Applied, Code, explained
from activities.outward import OUTSIDE, AddressRefused, Outward
from activities.pins import Changed, Pins, fingerprint
from activities.strongbox import NoSecret, Strongbox
from contracts.base import canonical
from contracts.duration import show_duration
from contracts.workspace import Server, Tool

_SHOWN: ContextVar[Mapping[str, str]] = ContextVar("shown", default={})  # noqa: B039 (nobody writes into it)
"""The headers of the call at hand. A request is sent in the context of the call that it belongs to."""
KEY = "gonogo/idempotency-key"
UNDOES = "gonogo/undoes-key"
MOST_BYTES = 300_000
"""The longest answer that is taken: it has to fit into a history."""
CONNECT_SECONDS = 5.0
LISTING_SECONDS = 10.0
KEPT_SECONDS = 2.0
"""Less than servers keep an idle connection, so that a call is not sent into one that is being closed."""
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)


class ToolFailed(Exception):
    """A call without a good answer: the code, whether it was applied, one sentence, and when to ask again at best."""

    def __init__(
        self, code: Code, sentence: str, applied: Applied, *, final: bool = False, after: timedelta | None = None
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.applied = applied
        self.final = final
        self.after = after

    def saying(self, sentence: str) -> "ToolFailed":
        """Return the same with another sentence."""
        return ToolFailed(self.code, sentence, self.applied, final=self.final, after=self.after)


class ToolServers:
    """The MCP servers of a workspace. Safe for many calls at once; `close` when the loop ends."""

    def __init__(
        self,
        servers: Mapping[str, Server],
        environ: Mapping[str, str] | None = None,
        *,
        outward: Outward = OUTSIDE,
        strongbox: Strongbox | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._strongbox = strongbox or Strongbox(environ)
        self._headers = {name: server.headers for name, server in servers.items()}
        self._outward = outward
        self._urls = {name: environ.get(server.url_env) or server.url for name, server in servers.items()}
        self._pools: WeakKeyDictionary[asyncio.AbstractEventLoop, httpx2.AsyncClient] = WeakKeyDictionary()
        self._known: dict[str, DiscoverResult | None] = {}
        self._pins = Pins(self.definitions)

    async def call(
        self,
        name: str,
        tool: Tool,
        arguments: dict[str, Any],
        key: str = "",
        undoes: str = "",
        *,
        credential: str = "",
    ) -> Any:
        """Call a tool and return its structured answer, or raise `ToolFailed`. It gets the credential as a bearer."""
        url = self._urls.get(tool.server)
        if url is None:
            raise ToolFailed("not_found", f"{name}: no server is named {tool.server!r} in this workspace", "no")
        try:
            await self._pins.demand(name, tool)
        except Changed as changed:
            raise ToolFailed("refused", str(changed), "no") from None
        request = _request(tool.tool or name, arguments, key, undoes)
        try:
            async with self._showing(name, tool.server, credential):
                return self._strongbox.cleaned(_answer(name, await self._send(name, url, request, tool.timeout)))
        except ToolFailed as failed:
            raise failed.saying(self._strongbox.cleaned(str(failed))) from None

    @asynccontextmanager
    async def _showing(self, name: str, server: str, credential: str = "") -> AsyncIterator[None]:
        """Show a server, inside, its headers and a call's credential."""
        try:
            headers = {header: await self._strongbox.filled(text) for header, text in self._headers[server].items()}
        except NoSecret as error:
            raise ToolFailed(error.code, f"{name}: {error}", "no") from None
        if credential:
            self._strongbox.hide(credential)
            headers["authorization"] = f"Bearer {credential}"
        shown = _SHOWN.set(headers)
        try:
            yield
        finally:
            _SHOWN.reset(shown)
            self._strongbox.forget(credential)

    async def definitions(self, server: str) -> dict[str, str]:
        """Return the digest of every tool's definition that a server lists now, or raise `ToolFailed`."""
        url, cursor = self._urls[server], None
        found: dict[str, str] = {}
        try:
            async with (
                asyncio.timeout(LISTING_SECONDS),
                self._showing(f"the list of {server}", server),
                self._session(url) as client,
            ):
                while True:
                    page = await client.list_tools(cursor=cursor)
                    found |= {one.name: fingerprint(one.name, one.description, one.input_schema) for one in page.tools}
                    cursor = page.next_cursor
                    if cursor is None:
                        return found
        except TimeoutError:
            raise ToolFailed("timed_out", f"the server {server} does not say what its tools are", "no") from None
        except ToolFailed:
            raise
        except Exception as error:
            failed = _broken(f"the list of {server}", url, error, sent=False)
            raise failed.saying(self._strongbox.cleaned(str(failed))) from None

    async def close(self) -> None:
        """Close the connections that this event loop holds."""
        pool = self._pools.pop(asyncio.get_running_loop(), None)
        if pool is not None:
            await pool.aclose()

    async def _send(self, name: str, url: str, request: CallToolRequest, patience: timedelta) -> CallToolResult:
        sent = False
        limited = rate_limit.watch()
        try:
            async with asyncio.timeout(patience.total_seconds()), self._session(url) as client:
                self._known[url] = client.session.discover_result
                sent = True
                return await client.session.send_request(request, CallToolResult)
        except TimeoutError:
            applied: Applied = "unknown" if sent else "no"
            raise ToolFailed("timed_out", f"{name} gave no answer within {show_duration(patience)}", applied) from None
        except Exception as error:
            self._known.pop(url, None)
            if limited:
                raise ToolFailed(
                    "rate_limited", f"{name}: {url} wants to be asked later", "no", after=limited[-1]
                ) from None
            raise _broken(name, url, error, sent=sent) from None

    def _session(self, url: str) -> Client:
        """Return a session as this server is known to want it; the first call finds out."""
        transport = streamable_http_client(url, http_client=self._pool())
        if url not in self._known:
            return Client(transport, mode="auto", cache=None)
        known = self._known[url]
        if known is None:
            return Client(transport, mode="legacy", cache=None)
        version = next(version for version in known.supported_versions if version in MODERN_PROTOCOL_VERSIONS)
        return Client(transport, mode=version, prior_discover=known, cache=None)

    def _pool(self) -> httpx2.AsyncClient:
        """Return this event loop's connections."""
        loop = asyncio.get_running_loop()
        pool = self._pools.get(loop)
        if pool is None:
            pool = self._pools[loop] = self._outward.client2(
                httpx2.Limits(max_connections=None, keepalive_expiry=KEPT_SECONDS),
                timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
                event_hooks={"request": [_trace, _show], "response": [rate_limit.notice]},
            )
        return pool


async def _trace(request: httpx2.Request) -> None:
    """Put the current trace into a request's headers. The SDK sends each message in its sender's context."""
    propagate.inject(request.headers)


async def _show(request: httpx2.Request) -> None:
    """Show what the call has to show."""
    request.headers.update(_SHOWN.get())


def _request(tool: str, arguments: dict[str, Any], key: str, undoes: str) -> CallToolRequest:
    meta = {name: word for name, word in ((KEY, key), (UNDOES, undoes)) if word}
    return CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments, _meta=meta or None))


def _broken(name: str, url: str, error: Exception, *, sent: bool) -> ToolFailed:
    """Say what a call came to that has no answer from the tool."""
    causes = _leaves(error)
    first = causes[0]
    if isinstance(first, AddressRefused):
        return ToolFailed("refused", f"{name} is not called: {first}", "no")
    if all(isinstance(cause, NOT_SENT) for cause in causes):
        return ToolFailed("unavailable", f"{name} cannot be reached at {url}: {explained(first)}", "no")
    applied: Applied = "unknown" if sent else "no"
    if isinstance(first, MCPError) and first.error.code == METHOD_NOT_FOUND:
        return ToolFailed("not_found", f"{name}: the server at {url} calls no tools: {explained(first)}", "no")
    return ToolFailed("unavailable", f"{name} broke off at {url}: {explained(first)}", applied)


def _leaves(error: BaseException) -> list[BaseException]:
    """Return the errors inside the groups that the SDK's tasks make of them."""
    if isinstance(error, BaseExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


def _answer(name: str, result: CallToolResult) -> Any:
    value = _value(result)
    if result.is_error:
        raise _rejected(name, value)
    if len(canonical(value)) > MOST_BYTES:
        raise ToolFailed("tool_failed", f"{name} answered with more than {MOST_BYTES} bytes", "yes", final=True)
    return value


def _value(result: CallToolResult) -> Any:
    """Return the structured answer; for tools that have none, their text, read as JSON where it is."""
    if result.structured_content is not None:
        return result.structured_content
    text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
    try:
        return json.loads(text)
    except ValueError:
        return text


def _rejected(name: str, value: Any) -> ToolFailed:
    """Read a tool's error: `applied`, `retry`, `retry_after` and `reason` where it says so, else nothing is sure."""
    said = value if isinstance(value, dict) else {"reason": value}
    applied: Applied = "no" if said.get("applied") == "no" else "unknown"
    hopeless = said.get("retry") is False
    after = rate_limit.seconds(said.get("retry_after"))
    if after is not None and not hopeless:
        reason = " ".join(str(said.get("reason") or "it wants to be asked later").split())[:500]
        return ToolFailed("rate_limited", f"{name}: {reason}", applied, after=after)
    code: Code = "bad_input" if hopeless and applied == "no" else "tool_failed"
    reason = " ".join(str(said.get("reason") or "it does not say why").split())[:500]
    return ToolFailed(code, f"{name} failed: {reason}", applied, final=hopeless)
