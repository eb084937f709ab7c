"""The runtime `http`: a remote agent, asked by one POST of JSON, and by polling where its work takes long.

Law: the same work has the same `Idempotency-Key`, whichever attempt sends it. Who answers `202` is asked at its
`Location`, which must be at the same address, and heartbeats keep that: an attempt after a crash goes on asking there.
What comes back is data, of a bounded size; a redirection is not followed.
"""

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
from opentelemetry import propagate
from temporalio import activity

from activities import rate_limit
from activities.failure import Code, explained, failure
from activities.fit import MOST_BYTES
from activities.outward import OUTSIDE, AddressRefused, Outward
from activities.runtimes.runtime import Work
from activities.strongbox import Strongbox
from contracts.base import digest
from contracts.call import AgentCall
from contracts.mind import HttpAgent

CONNECT_SECONDS = 5.0
HANGING_UP = 2.0
"""Seconds for telling a remote agent that nobody waits for it any more."""
CODES: Mapping[int, Code] = {
    401: "refused",
    403: "refused",
    404: "not_found",
    408: "timed_out",
    409: "unavailable",
    425: "unavailable",
    429: "rate_limited",
    504: "timed_out",
}


class RemoteRuntime:
    """Asks one remote agent."""

    def __init__(
        self,
        agent: HttpAgent,
        environ: Mapping[str, str] | None = None,
        *,
        outward: Outward = OUTSIDE,
        strongbox: Strongbox | None = None,
    ) -> None:
        environ = os.environ if environ is None else environ
        self._strongbox = strongbox or Strongbox(environ)
        self._agent = agent
        self._outward = outward
        self._url = environ.get(agent.url_env, "") or agent.url
        self._key = agent.key or (environ.get(agent.key_env, "") if agent.key_env else "")

    def endpoint(self) -> str:
        """Return who is asked, whom all workers share."""
        return urlsplit(self._url).netloc

    async def answer(self, work: Work) -> Any:
        """Ask, and go on asking until there is an answer."""
        key = await self._strongbox.key(self._key, work.call.name)
        try:
            async with self._client(work.call, key) as client:
                return self._strongbox.cleaned(await self._asked(client, work))
        except AddressRefused as refused:
            raise failure("refused", f"{work.call.name} is not asked: {refused}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            code: Code = "timed_out" if isinstance(error, httpx.TimeoutException) else "unavailable"
            raise failure(code, f"{work.call.name} cannot be asked at {self._url}: {explained(error)}") from None

    async def _asked(self, client: httpx.AsyncClient, work: Work) -> Any:
        place = work.memory.kept if isinstance(work.memory.kept, str) else ""
        said = await self._sent(client, work, "GET" if place else "POST", place or self._url)
        while said.status == httpx.codes.ACCEPTED:
            place = self._place(work.call, place, said)
            if work.memory.kept != place:
                work.memory.kept = place
                work.notebook.beat()
            said = await self._later(client, work, place, said.after or self._agent.poll)
        return said.json(work.call)

    async def _later(self, client: httpx.AsyncClient, work: Work, place: str, pause: timedelta) -> "Said":
        """Wait and ask again; who is cancelled meanwhile says so to the remote agent."""
        try:
            await asyncio.sleep(pause.total_seconds())
            return await self._sent(client, work, "GET", place)
        except asyncio.CancelledError:
            with suppress(httpx.HTTPError, TimeoutError):
                async with asyncio.timeout(HANGING_UP):
                    await client.delete(place)
            raise

    async def _sent(self, client: httpx.AsyncClient, work: Work, method: str, url: str) -> "Said":
        body = _body(work.call) if method == "POST" else None
        async with client.stream(method, url, json=body) as response:
            said = await Said.read(response)
        if not 200 <= said.status < 300:
            raise _refused(work.call, said)
        return said

    def _place(self, call: AgentCall, known: str, said: "Said") -> str:
        """Return where to ask again: where it says, at its own address and nowhere else."""
        place = urljoin(known or self._url, said.location) if said.location else known
        if not place or urlsplit(place)[:2] != urlsplit(self._url)[:2]:
            where = f"at {place!r}, which is not its own address" if place else "and does not say where"
            raise failure("tool_failed", f"{call.name} wants to be asked again {where}", final=True)
        return place

    def _client(self, call: AgentCall, key: str) -> httpx.AsyncClient:
        headers = {"Idempotency-Key": _same_work(call), "Accept": "application/json"}
        propagate.inject(headers)
        if key:
            headers["Authorization"] = f"Bearer {key}"
        return self._outward.client(headers=headers, timeout=httpx.Timeout(None, connect=CONNECT_SECONDS))


class Said:
    """One answer over HTTP, its body as bytes."""

    def __init__(self, response: httpx.Response, body: bytes) -> None:
        self.status = response.status_code
        self.location = response.headers.get("location", "")
        self.after = rate_limit.seconds(response.headers.get("retry-after"))
        self.body = body

    @classmethod
    async def read(cls, response: httpx.Response) -> "Said":
        """Read an answer, and no more of it than is taken."""
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                break
        return cls(response, body)

    def json(self, call: AgentCall) -> Any:
        """Return the answer itself."""
        if len(self.body) > MOST_BYTES:
            raise failure("tool_failed", f"{call.name} answered with more than {MOST_BYTES} bytes", final=True)
        try:
            return json.loads(self.body)
        except ValueError:
            raise failure("tool_failed", f"{call.name} answered with something that is no JSON") from None


def _refused(call: AgentCall, said: Said) -> Exception:
    code = CODES.get(said.status) or ("bad_input" if 300 <= said.status < 500 else "unavailable")
    words = " ".join(said.body[:300].decode(errors="replace").split())
    return failure(code, f"{call.name} answered {said.status}: {words or 'no reason given'}", after=said.after)


def _same_work(call: AgentCall) -> str:
    """Return what names this work: another attempt has the same, another round or another task has not."""
    run = activity.info().workflow_id or call.mission
    return digest([run, call.mission, call.path, call.generation, _body(call)])


def _body(call: AgentCall) -> dict[str, Any]:
    return {
        "mission": call.mission,
        "step": call.path,
        "agent": call.name,
        "task": call.task,
        "context": call.context,
        "guidance": list(call.guidance),
        "errors": list(call.errors),
        "schema": call.agent.output,
    }
