"""`gonogo demo`, what `make demo` runs: the incident mission on a real server, from alert to verdict.

It shows what an operator does with the other verbs, and does it with the same code. The law: leaving at any moment
leaves a mission that this command, or any other verb, takes up again.
"""

import os
from typing import TYPE_CHECKING

from starter.alert import chosen
from starter.connect import settings
from starter.dev import CompanyPort, ServerPort, UiPort, already, foreground
from starter.output import console
from starter.problem import Unreachable, Usage

if TYPE_CHECKING:
    from runtime.settings import Settings
    from starter.stack import Ports

ANSWERS = ("approve", "reject", "modify")
INTERRUPTED = 130


def demo(*, port: ServerPort = 7233, ui_port: UiPort = 8233, company_port: CompanyPort = 8765) -> int:
    """Run the incident mission from alert to verdict.

    On a Temporal server of its own. DECIDE=approve|reject|modify answers for scripts; ALERT=file picks another alert;
    MODEL=local has a small language model on this machine draft.
    """
    from starter.stack import Ports

    choice = os.environ.get("DECIDE", "")
    if choice and choice not in ANSWERS:
        raise Usage(f"DECIDE is {choice!r}: write approve, reject or modify")
    if os.environ.get("MODEL", "") not in {"", "local"}:
        raise Usage(f"MODEL is {os.environ['MODEL']!r}: write local; docs/models.md has how others are named")
    return foreground(lambda: _demo(Ports(port, ui_port, company_port), choice), INTERRUPTED)


async def _demo(ports: "Ports", choice: str) -> int:
    from starter import footprint, local_model
    from starter.codec_pages import with_keys
    from starter.stack import Stack, adopt

    place = settings()
    chosen(place.workspace)
    footprint.prepare(place.home)
    with footprint.supervised(place.home) as alone:
        asked = os.environ.get("MODEL") == "local"
        if not alone:
            if asked:
                raise Usage("MODEL=local is for a demo that starts everything itself: stop `gonogo dev` first")
            ports = _running(place)
            adopt(ports, place)
            from starter.story import play

            return await play(place, ports, choice)
        console().print("starting Temporal, the demo company and a worker …", style="dim")
        footprint.sweep(place.home)
        place = with_keys(place)
        adopt(ports, place)
        async with Stack(place, ports, local_model.beside(place.home) if asked else None) as stack:
            # Loaded here: it is slow, and the worker boots meanwhile.
            from starter.story import play

            return await stack.unless_one_dies(play(place, ports, choice, stack))


def _running(place: "Settings") -> "Ports":
    """Return where the `gonogo dev` of this home listens."""
    from starter import footprint
    from starter.stack import Ports

    known = footprint.read(place.home)
    if known is None:
        raise Unreachable(already(None))
    return Ports(known.port, known.ui_port, known.company_port)
