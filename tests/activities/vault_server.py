"""A small server of our own that speaks the part of Vault's HTTP API that is used: KV version 2, and AppRole logins."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.activities.service import free_port


@dataclass
class VaultServer:
    """What it holds, whom it lets in, and what it was asked."""

    url: str = ""
    secrets: dict[str, dict[str, Any]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {"root-token"})
    logins: int = 0
    asked: list[str] = field(default_factory=list)
    sealed: bool = False

    async def read(self, request: Request) -> JSONResponse:
        path = f"{request.path_params['mount']}/{request.path_params['path']}"
        self.asked.append(path)
        if self.sealed:
            return JSONResponse({"errors": ["Vault is sealed"]}, 503)
        if request.headers.get("x-vault-token") not in self.tokens:
            return JSONResponse({"errors": ["permission denied"]}, 403)
        if path not in self.secrets:
            return JSONResponse({"errors": []}, 404)
        return JSONResponse({"data": {"data": self.secrets[path], "metadata": {"version": 1}}})

    async def login(self, request: Request) -> JSONResponse:
        given = await request.json()
        if given != {"role_id": "executor", "secret_id": "approle-secret"}:
            return JSONResponse({"errors": ["invalid role or secret ID"]}, 400)
        self.logins += 1
        self.tokens = {f"approle-{self.logins}"}
        return JSONResponse({"auth": {"client_token": f"approle-{self.logins}", "lease_duration": 1200}})


@asynccontextmanager
async def vault_serving() -> AsyncIterator[VaultServer]:
    vault = VaultServer()
    routes = [
        Route("/v1/auth/approle/login", vault.login, methods=["POST"]),
        Route("/v1/{mount}/data/{path:path}", vault.read),
    ]
    port = free_port()
    vault.url = f"http://127.0.0.1:{port}"
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), port=port, log_level="critical", lifespan="off"))
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield vault
    finally:
        server.should_exit = server.force_exit = True
        await task
