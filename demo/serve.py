"""Answer requests on a socket that is open already, until told to stop. `company.py` opens it."""

import socket

import uvicorn

from demo.admin import admin_routes
from demo.credential import Gatekeeper
from demo.server import CompanyServer
from demo.store import Store


class AnnouncingServer(uvicorn.Server):
    """Says where it listens once it answers, and not before."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"company listens at {self._url}", flush=True)


def serve(store: Store, listener: socket.socket, host: str, gatekeeper: Gatekeeper | None = None) -> None:
    """Serve MCP at `/mcp` and the back door beside it; close the store in the end."""
    server = CompanyServer(store, gatekeeper)
    # Stateless: a caller's connection survives a restart of the company, since there is no session to lose.
    app = server.streamable_http_app(stateless_http=True, json_response=True, host=host)
    app.router.routes.extend(admin_routes(server))
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=2)
    name = f"[{host}]" if ":" in host else host
    try:
        AnnouncingServer(config, f"http://{name}:{listener.getsockname()[1]}/mcp").run(sockets=[listener])
    finally:
        store.close()
