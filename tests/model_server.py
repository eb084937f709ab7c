"""An OpenAI-compatible server for tests: it answers by a script, streams, stalls, breaks off, and lies about usage.

A reply of the script is used up by the request that it answers. Where the script is at its end, `otherwise` answers.
`answer` goes out as the request wants it: through the tool for answers where it has one, else as text.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.activities.service import free_port

ANSWERING = "final_result"
"""How the library calls the tool by which a model answers, where no other name is given."""
HONEST: dict[str, Any] = {"honest": True}
KINDS = (("cable", "network", "disconnect"), ("password", "phish", "credential"), ("vpn", "tunnel"))
"""Words that mean alike, to the embedding model."""
SILENT: dict[str, Any] = {}


@dataclass
class Reply:
    """What the server says to one request. `usage`: what it says of tokens; `waits`: for `release`, before a word."""

    answer: Any = None
    text: str | None = None
    beside: dict[str, Any] = field(default_factory=dict)
    """What goes with an answer in JSON."""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    thought: str = ""
    paced: float = 0.0
    """Seconds between two words of its thought; when each was said stands in `said`."""
    usage: dict[str, Any] = field(default_factory=lambda: HONEST)
    status: int = 200
    retry_after: str = ""
    waits: bool = False
    stalls: bool = False
    """It says something, and then waits for `release`."""
    breaks: bool = False
    """It says something, and then the line is cut."""


@dataclass
class Asked:
    """One request as it arrived."""

    body: dict[str, Any]
    headers: dict[str, str]

    def tools(self) -> dict[str, dict[str, Any]]:
        """Return the tools that were offered, those for answers left out, each with the schema of its arguments."""
        return {name: one["parameters"] for name, one in self._functions().items() if name not in self.answering()}

    def schema(self) -> dict[str, Any]:
        """Return the schema that an answer must fit."""
        for name in self.answering():
            found: dict[str, Any] = self._functions()[name]["parameters"]
            return found
        wanted = self._wanted()
        return dict(wanted["properties"]["answer"] if self.enveloped() else wanted)

    def enveloped(self) -> bool:
        """Whether an answer goes out with what else a model may say."""
        return "escalate" in self._wanted().get("properties", {})

    def _wanted(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body.get("response_format", {}).get("json_schema", {}).get("schema", {})
        return found

    def answering(self) -> list[str]:
        """Return the names of the tools by which the model may answer."""
        return [name for name in self._functions() if name.startswith(ANSWERING) or name == "answer"]

    def said(self) -> str:
        """Return all that the model was told, as one text."""
        return json.dumps(self.body["messages"], ensure_ascii=False)

    def _functions(self) -> dict[str, dict[str, Any]]:
        return {one["function"]["name"]: one["function"] for one in self.body.get("tools", [])}


@dataclass
class ModelServer:
    """The server's address, its script, and what reached it."""

    url: str
    script: list[Reply] = field(default_factory=list)
    otherwise: Callable[[Asked], Reply] = lambda _: Reply(status=500)
    asked: list[Asked] = field(default_factory=list)
    said: dict[str, datetime] = field(default_factory=dict)
    embedded: list[str] = field(default_factory=list)
    mute: bool = False
    """Whether it embeds nothing."""
    gone: int = 0
    """How many who asked went away before the answer was at its end."""
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, *script: Reply) -> "ModelServer":
        """Forget all that was, and play this."""
        self.script = list(script)
        self.otherwise = lambda _: Reply(status=500)
        self.asked.clear()
        self.said.clear()
        self.gone = 0
        for event in (self.arrived, self.left, self.release):
            event.clear()
        return self

    async def has(self, event: asyncio.Event) -> None:
        async with asyncio.timeout(20):
            await event.wait()

    async def respond(self, request: Request) -> Response:
        asked = Asked(json.loads(await request.body()), dict(request.headers))
        self.asked.append(asked)
        reply = self.script.pop(0) if self.script else self.otherwise(asked)
        self.arrived.set()
        if reply.status != 200:
            headers = {"retry-after": reply.retry_after} if reply.retry_after else {}
            return JSONResponse({"error": {"message": "no", "type": "x"}}, reply.status, headers)
        return StreamingResponse(self._streamed(reply, asked), media_type="text/event-stream")

    async def embed(self, request: Request) -> Response:
        """Give each text a vector of its kinds of words."""
        body = json.loads(await request.body())
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        self.embedded += texts
        if self.mute:
            return JSONResponse({"error": {"message": "no", "type": "x"}}, 400)
        vectors = [[1.0 + 9.0 * any(word in text.lower() for word in kind) for kind in KINDS] for text in texts]
        data = [{"object": "embedding", "index": n, "embedding": one} for n, one in enumerate(vectors)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return JSONResponse({"object": "list", "data": data, "model": body["model"], "usage": usage})

    async def _streamed(self, reply: Reply, asked: Asked) -> AsyncIterator[bytes]:
        try:
            if reply.waits:
                await self.release.wait()
            for number, delta in enumerate(_deltas(reply, asked)):
                if reply.paced and (word := delta.get("reasoning_content")):
                    await asyncio.sleep(reply.paced)
                    self.said[word.strip()] = datetime.now(UTC)
                yield _chunk(asked, [{"index": 0, "delta": delta, "finish_reason": None}])
                if number == 0 and reply.stalls:
                    await self.release.wait()
                if number == 0 and reply.breaks:
                    raise ConnectionAbortedError
            why = "tool_calls" if reply.calls or (reply.answer is not None and asked.answering()) else "stop"
            yield _chunk(asked, [{"index": 0, "delta": {}, "finish_reason": why}])
            if reply.usage:
                yield _chunk(asked, [], usage=_usage(reply, asked))
            yield b"data: [DONE]\n\n"
        except (asyncio.CancelledError, GeneratorExit):
            self.gone += 1
            self.left.set()
            raise


def by_schema(asked: Asked) -> Reply:
    """Answer with the least that fits the schema that is asked for."""
    return Reply(answer=instance(asked.schema()))


def instance(schema: Any) -> Any:
    """Return a value that fits a schema of the plain kinds that agents have."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return instance(schema[key][0])
    kind = schema.get("type", "object")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            known = schema.get("properties", {})
            return {name: instance(known.get(name, {"type": "string"})) for name in schema.get("required", ())}
        case "array":
            return [instance(schema.get("items", {})) for _ in range(schema.get("minItems", 0))]
        case "string":
            return "x" * max(1, schema.get("minLength", 1))
        case "number" | "integer":
            return max(0, schema.get("minimum", 0))
        case "boolean":
            return False
        case _:
            return None


def _deltas(reply: Reply, asked: Asked) -> list[dict[str, Any]]:
    """Return the pieces of a reply: a first word before anything else, so that it can stall or break after it."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    thought = [f"{word} " for word in reply.thought.split()] if reply.paced else _pieces(reply.thought)
    deltas += [{"reasoning_content": word} for word in thought]
    calls = list(reply.calls)
    text = reply.text
    if reply.answer is not None and asked.answering():
        calls.append((asked.answering()[0], reply.answer))
    elif reply.answer is not None:
        text = json.dumps({"answer": reply.answer, **reply.beside} if asked.enveloped() else reply.answer)
    deltas += [{"content": word} for word in _pieces(text or "")]
    for index, (name, arguments) in enumerate(calls):
        given = arguments if isinstance(arguments, str) else json.dumps(arguments)
        head = {"index": index, "id": f"call-{len(asked.body['messages'])}-{index}", "type": "function"}
        deltas.append({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": word}}]} for word in _pieces(given)]
    return deltas


def _pieces(text: str) -> list[str]:
    middle = len(text) // 2
    return [piece for piece in (text[:middle], text[middle:]) if piece]


def _usage(reply: Reply, asked: Asked) -> dict[str, Any]:
    if reply.usage is not HONEST:
        return reply.usage
    said = len(json.dumps(_deltas(reply, asked))) // 4
    heard = len(json.dumps(asked.body)) // 4
    return {"prompt_tokens": heard, "completion_tokens": said, "total_tokens": heard + said}


def _chunk(asked: Asked, choices: list[dict[str, Any]], **more: Any) -> bytes:
    head = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": asked.body["model"]}
    return f"data: {json.dumps({**head, 'choices': choices, **more})}\n\n".encode()


@asynccontextmanager
async def model_serving() -> AsyncIterator[ModelServer]:
    """Serve on a free port."""
    port = free_port()
    served = ModelServer(f"http://127.0.0.1:{port}/v1")
    routes = {"/v1/chat/completions": served.respond, "/v1/embeddings": served.embed}
    app = Starlette(routes=[Route(path, answer, methods=["POST"]) for path, answer in routes.items()])
    # A connection that is closed for being idle just when it is used again would be an answer of its own.
    server = uvicorn.Server(
        uvicorn.Config(app, port=port, log_level="critical", lifespan="off", timeout_keep_alive=600)
    )
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield served
    finally:
        served.release.set()
        server.should_exit = server.force_exit = True
        with suppress(asyncio.CancelledError):
            await task
