"""Reads and writes encrypted payloads for the Web UI and Temporal's own command line, over HTTP.

The law: nobody is answered who does not say who they are, by a token that a person signed, or by the key of the pages
on one's own machine. Browsers are answered on the pages of these origins alone. It decodes for the mission that a
payload names, which no worker believes, and only where policy lets that person read it; it encodes for the mission in
the path.
"""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus

import uvicorn
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads

from activities.people import Directory, Unreadable
from activities.public_key import KeyRefused
from activities.reader_token import LONGEST, reader
from activities.seal import Seal, Unsealed
from activities.statement import Refusal
from runtime.codec import ENCRYPTED, MISSION, Codec

MOST_BYTES = 8_000_000
COOKIE = "gonogo-reader"


class Access:
    """Who is answered: people with a key that is registered, and whoever has the pages' own key.

    `origins` are those of the Web UI, as browsers write them; pages from elsewhere are not answered.
    """

    def __init__(self, directory: Directory, origins: Sequence[str], pages: str = "", person: str = "") -> None:
        self._directory = directory
        self.origins = tuple(origins)
        self._pages = pages
        self._person = person
        """Who reads on the pages that have the key."""

    def __call__(self, request: Request) -> str:
        """Return who asks, or raise `Refusal`."""
        origin = request.headers.get("origin", "")
        if origin and origin not in self.origins:
            raise Refusal("pages from there are not answered")
        said = request.path_params.get("key", "")
        if said:
            if not self._pages or not secrets.compare_digest(said.encode(), self._pages.encode()):
                raise Refusal("this address is not one of mine")
            return self._person
        return self.demand(
            request.headers.get("authorization", "").removeprefix("Bearer ") or request.cookies.get(COOKIE, "")
        )

    def demand(self, token: str) -> str:
        """Return who a token is of, or raise `Refusal`."""
        if not token:
            raise Refusal("say who you are: `gonogo codec token --as PERSON` makes a token")
        try:
            return reader(token, self._directory)
        except Unreadable as error:
            raise Refusal(str(error)) from None


WhyNot = Callable[[str, str, str], Awaitable[str]]
"""`why_not(person, mission, namespace)`: why somebody may not read what a mission made, or nothing."""
Work = Callable[[Sequence[Payload], str, str], Awaitable[list[Payload]]]
"""`work(payloads, namespace, person)`."""


class Payloadry:
    """The two things that can be done."""

    def __init__(self, seal: Seal, access: Access, namespace: str, why_not: WhyNot) -> None:
        self._seal = seal
        self._access = access
        self._why_not = why_not
        self._namespace = namespace

    async def decode(self, request: Request) -> Response:
        """Return payloads as they were before they were encrypted; in the place of one that is refused, why."""
        return await self._answered(request, self._decoded)

    async def encode(self, request: Request) -> Response:
        """Encrypt payloads for the mission in the path."""
        mission = request.path_params.get("mission", "")
        if not mission:
            said = "payloads are encrypted for one mission: write …/missions/ID as the endpoint"
            return PlainTextResponse(said, HTTPStatus.BAD_REQUEST)

        async def encoded(given: Sequence[Payload], namespace: str, person: str) -> list[Payload]:
            del person
            return [self._codec(namespace, mission).close(payload) for payload in given]

        return await self._answered(request, encoded)

    async def login(self, request: Request) -> Response:
        """Keep a token as a cookie, for a browser that sends it along."""
        token = request.query_params.get("token", "")
        try:
            self._access.demand(token)
        except Refusal as refusal:
            return PlainTextResponse(str(refusal), HTTPStatus.UNAUTHORIZED)
        answer = PlainTextResponse("You can read encrypted contents in the Web UI now, for some hours.")
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, token, max_age=LONGEST, httponly=True, samesite="strict", secure=secure)
        answer.headers["referrer-policy"] = "no-referrer"
        return answer

    def _codec(self, namespace: str, mission: str) -> Codec:
        return Codec(self._seal, namespace, mission)

    async def _decoded(self, given: Sequence[Payload], namespace: str, person: str) -> list[Payload]:
        """Decode for the missions that payloads name: only who may read one sees what it made."""
        named = {payload.metadata.get(MISSION, b"") for payload in given if _encrypted(payload)}
        why_not = {
            mission: await self._why_not(person, mission.decode(errors="replace"), namespace) if mission else ""
            for mission in named
        }
        return [
            self._shown(payload, namespace, why_not[payload.metadata.get(MISSION, b"")])
            if _encrypted(payload)
            else payload
            for payload in given
        ]

    def _shown(self, payload: Payload, namespace: str, why_not: str) -> Payload:
        if why_not:
            return _refused(why_not)
        try:
            return self._codec(namespace, payload.metadata.get(MISSION, b"").decode()).open(payload)
        except (Unsealed, UnicodeDecodeError) as why:
            return _refused(str(why))

    async def _answered(self, request: Request, work: Work) -> Response:
        try:
            person = self._access(request)
            given = await _read(request)
            namespace = request.headers.get("x-namespace", "") or self._namespace
            payloads = Payloads(payloads=await work(given.payloads, namespace, person))
        except Refusal as refusal:
            return PlainTextResponse(str(refusal), HTTPStatus.UNAUTHORIZED)
        except (ParseError, ValueError):
            return PlainTextResponse("send payloads as JSON", HTTPStatus.BAD_REQUEST)
        except KeyRefused as error:
            return PlainTextResponse(str(error), HTTPStatus.SERVICE_UNAVAILABLE)
        return JSONResponse(MessageToDict(payloads), headers={"cache-control": "no-store"})


def _encrypted(payload: Payload) -> bool:
    return payload.metadata.get("encoding") == ENCRYPTED


def _refused(why: str) -> Payload:
    """Return what a page shows in the place of something that is refused."""
    return Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(f"refused: {why}").encode())


async def _read(request: Request) -> Payloads:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ValueError("too long")
    said = json.loads(bytes(body))
    if not isinstance(said, dict):
        raise ValueError("no object")
    given: Payloads = ParseDict(said, Payloads())
    return given


def application(seal: Seal, access: Access, namespace: str, why_not: WhyNot) -> Starlette:
    """Return the application."""
    work = Payloadry(seal, access, namespace, why_not)
    routes = [Route("/login", work.login, methods=["GET"])]
    for before in ("", "/pages/{key}"):
        for mission in ("", "/missions/{mission:path}"):
            routes.append(Route(f"{before}{mission}/decode", work.decode, methods=["POST"]))
            routes.append(Route(f"{before}{mission}/encode", work.encode, methods=["POST"]))
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(access.origins),
        allow_methods=["POST"],
        allow_headers=["authorization", "content-type", "x-namespace"],
        allow_credentials=True,
    )
    return Starlette(routes=routes, middleware=[cors])


class Door(uvicorn.Server):
    """Serves beside others in one process: signals are theirs."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever has them."""
        yield


def door(app: Starlette, host: str, port: int) -> Door:
    """Return what serves an application. Nothing is logged: addresses may hold keys."""
    return Door(uvicorn.Config(app, host=host, port=port, log_level="error", access_log=False, lifespan="off"))
