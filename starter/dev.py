"""`gonogo dev`: server, company, worker and recorder in the foreground, until Ctrl-C or until one of them dies."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any

import typer

from starter.connect import settings
from starter.output import console
from starter.problem import DONE, Unreachable

if TYPE_CHECKING:
    from starter.stack import Ports, Stack

DEFAULT_ADDRESS = "127.0.0.1:7233"
ServerPort = Annotated[int, typer.Option("--port", min=1, max=65535, help="Temporal server.")]
UiPort = Annotated[int, typer.Option("--ui-port", min=1, max=65535, help="Temporal Web UI.")]
CompanyPort = Annotated[int, typer.Option("--company-port", min=1, max=65535, help="The demo company.")]


def dev(*, port: ServerPort = 7233, ui_port: UiPort = 8233, company_port: CompanyPort = 8765) -> int:
    """Run Temporal, the demo company, a worker and the recorder.

    In the foreground: Ctrl-C stops them all; missions stay.
    """
    from starter.stack import Ports

    return foreground(lambda: _dev(Ports(port, ui_port, company_port)))


async def _dev(ports: "Ports") -> int:
    from starter import footprint
    from starter.codec_pages import with_keys
    from starter.people import directory, give_keys
    from starter.stack import ROOT, Stack, adopt

    place = settings()
    footprint.prepare(place.home)
    with footprint.supervised(place.home) as alone:
        if not alone:
            raise Unreachable(already(footprint.read(place.home)))
        for name in footprint.sweep(place.home):
            console().print(f"ended {name}, which an earlier run had left behind", style="dim", markup=False)
        place = with_keys(place)
        adopt(ports, place)
        if place.workspace.resolve() == ROOT / "missions":
            give_keys(place.home, directory().people)
        async with Stack(place, ports) as stack:
            await stack.serving()
            _print(ports, stack)
            raise await stack.until_one_dies(lambda: _tell(stack.worker.news()))


def already(known: Any) -> str:
    """Say who runs here already."""
    where = f" (process {known.pid}, Temporal on port {known.port})" if known else ""
    return f"`gonogo dev` or `make demo` already runs with this home{where}: use that one, or stop it first"


def foreground(work: Callable[[], Coroutine[Any, Any, int]], interrupted_code: int = DONE) -> int:
    """Run until done; Ctrl-C, a closed terminal and SIGTERM end it cleanly."""
    interrupted = False

    async def main() -> int:
        nonlocal interrupted
        task = asyncio.ensure_future(work())

        def leave() -> None:
            nonlocal interrupted
            interrupted = True
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, leave)
        return await task

    try:
        return asyncio.run(main())
    except asyncio.CancelledError:
        if not interrupted:
            raise
        return interrupted_code


def _tell(lines: list[str]) -> None:
    """Show the notices that the worker writes in its terminal."""
    from contracts.notice import LINE
    from starter.escape import visible

    for line in lines:
        if line.startswith(LINE):
            console().print(visible(line), style="bold yellow", markup=False, soft_wrap=True)


def _print(ports: "Ports", stack: "Stack") -> None:
    from rich.text import Text

    from starter.render import pairs

    rows = [
        ("Temporal Web UI", Text(ports.ui_address, "bold")),
        ("Temporal server", Text(ports.address)),
        ("demo company", Text(ports.company_url)),
        ("contents", Text(*stack.pages.words)),
        ("logs", Text(str(stack.home / "logs"), "dim")),
    ]
    out = console()
    out.print(pairs(rows))
    if ports.address != DEFAULT_ADDRESS:
        out.print(f"\nelsewhere: export TEMPORAL_ADDRESS={ports.address}", style="dim", markup=False)
    out.print("\nCtrl-C stops them all; missions stay. Next: [bold]gonogo queue[/bold], [bold]gonogo list[/bold]")
