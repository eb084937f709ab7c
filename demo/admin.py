"""The company's back door over plain HTTP: health, the ledgers, and orders to go wrong.

For tests and for showing what the world really saw. No tool leads here, and a web page cannot post here:
orders must be JSON by content type, which a browser does not send across origins unasked.
"""

from json import JSONDecodeError

from anyio import to_thread
from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.attempt import attempts
from demo.fault import EVERY_TOOL, Fault, clear_faults, faults, order_fault
from demo.ledger import effects
from demo.server import CompanyServer


def admin_routes(server: CompanyServer) -> list[Route]:
    """Return the routes for `/health`, `/effects`, `/attempts` and `/faults`."""
    store = server.store

    async def health(_: Request) -> Response:
        await to_thread.run_sync(faults, store)
        return JSONResponse({"status": "ok"})

    async def get_effects(_: Request) -> Response:
        return JSONResponse({"effects": await to_thread.run_sync(effects, store)})

    async def get_attempts(request: Request) -> Response:
        found = await to_thread.run_sync(attempts, store, request.query_params.get("tool"))
        return JSONResponse({"attempts": found})

    async def change_faults(request: Request) -> Response:
        if request.method == "POST":
            try:
                order = await _read_order(server, request)
            except ValueError as error:
                return JSONResponse({"error": str(error)}, status_code=400)
            await to_thread.run_sync(order_fault, store, order)
        elif request.method == "DELETE":
            await to_thread.run_sync(clear_faults, store, request.query_params.get("tool"))
        return JSONResponse({"faults": await to_thread.run_sync(faults, store)})

    return [
        Route("/health", health),
        Route("/effects", get_effects),
        Route("/attempts", get_attempts),
        Route("/faults", change_faults, methods=["GET", "POST", "DELETE"]),
    ]


async def _read_order(server: CompanyServer, request: Request) -> Fault:
    """Read a fault from the request's body. Raises `ValueError` with one sentence."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise ValueError("send the order as application/json")
    try:
        order = Fault.model_validate(await request.json())
    except JSONDecodeError as error:
        raise ValueError(f"the order is no JSON: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'the order'}: {first['msg']}") from error
    known = {tool.name for tool in await server.list_tools()} | {EVERY_TOOL}
    if order.tool not in known:
        raise ValueError(f"no tool is named {order.tool!r}; there are {', '.join(sorted(known))}")
    return order
