"""The demo's story: take up or start the incident mission, watch it, answer its gates, say what it came to."""

import asyncio
import os
import uuid
from importlib import import_module

from rich.text import Text
from temporalio.client import Client

from contracts.decision import Opening
from contracts.view import MissionView
from runtime.settings import Settings
from starter import render
from starter.alert import MISSION, chosen
from starter.answer import Answerer
from starter.connect import reach, understood
from starter.document import read_document
from starter.escape import command
from starter.follow import teller
from starter.launch import launch, prepare, signed
from starter.output import console
from starter.people import directory, give_keys
from starter.problem import DONE, REFUSED
from starter.prompt import ask, someone_is_there
from starter.stack import Ports, Stack
from starter.state import read_gates
from starter.watch import watch

PREFIX = "demo-"
REQUESTER = "noor"
EXPECTED = frozenset({"completed", "refused"})
"""A refused mission is a good end too: somebody said no, and nothing happened."""


async def play(settings: Settings, ports: Ports, choice: str, stack: Stack | None = None) -> int:
    """Run the story to its end, or to where a person leaves it. Without a stack of our own the server is another's."""
    give_keys(settings.home, directory().people)
    client = await reach(settings)
    out = console()
    try:
        with understood():
            mission, new = await take_up_or_start(client, settings)
        out.print(Text("new mission  " if new else "taken up again  ", "dim").append(mission, "bold"))
        out.print(Text("Web UI       ", "dim").append(ports.page(mission), "bold cyan"), soft_wrap=True)
        out.print()
        if stack is not None:
            # What a gate is shown with is slow to load, and nothing else is to be done here until the worker serves.
            await asyncio.gather(stack.serving(), asyncio.to_thread(import_module, "activities.books.past"))
        return await _follow(client, settings, mission, choice, stays=stack is None)
    except asyncio.CancelledError:
        out.print("\nleft as it stands; `make demo` takes it up again", style="dim")
        raise


async def take_up_or_start(client: Client, settings: Settings) -> tuple[str, bool]:
    """Return the demo mission that has not ended, or a new one; and whether it is new."""
    alert = chosen(settings.workspace)
    prefix = f"{PREFIX}{alert.stem}-" if os.environ.get("ALERT") else PREFIX
    query = f"MissionName = '{MISSION}' AND ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '{prefix}'"
    async for execution in client.list_workflows(query, limit=1):
        return execution.id, False
    order = prepare(settings, directory(), MISSION, read_document(str(alert)), settings.person or REQUESTER)
    chosen_id = f"{PREFIX}{alert.stem}-{uuid.uuid4().hex[:6]}"
    started = await launch(client, signed(settings.home, order, chosen_id), chosen_id)
    return started.id, True


async def _follow(client: Client, settings: Settings, mission: str, choice: str, *, stays: bool) -> int:
    out, tell = console(), teller(mission, hints=False)
    answerer = Answerer(client, settings, directory(), out, choice)
    async for news in watch(client, mission):
        tell(news)
        while not news.over and (openings := await _open(client, mission, news.view)):
            answered = await answerer.answer(openings[0])
            if answered is None:
                break  # What happened to it is told first.
            if not answered:
                return _left(mission, openings[0].subject.step)
    code = _over(news.view, stays=stays)
    if not stays and not choice and someone_is_there():
        await ask("\nThe Web UI stays up until you press Enter. ")
    return code


async def _open(client: Client, mission: str, view: MissionView) -> list[Opening]:
    return await read_gates(client, mission) if view.waiting else []


def _left(mission: str, step: str) -> int:
    out = console()
    why = "" if someone_is_there() else " Nobody is here to answer, and DECIDE is not set."
    out.print(f"\n{mission} goes on waiting.{why} Next:", markup=False)
    rows = [
        ("make demo", "take it up again and decide here"),
        ("make demo DECIDE=approve", "or reject, or modify"),
        (
            f".venv/bin/{command('approve', mission, step, '--as', 'PERSON')}",
            "decide from anywhere, while `gonogo dev` runs",
        ),
    ]
    out.print(render.indented(render.pairs([(name, Text(text, "dim")) for name, text in rows], style="")))
    return DONE


def _over(view: MissionView, *, stays: bool) -> int:
    out = console()
    out.print()
    out.print(render.bars(view))
    out.print("\nnext")
    other = "approve" if os.environ.get("DECIDE") == "reject" else "reject"
    keep = [] if stays else [(".venv/bin/gonogo dev", "the server, the company and the Web UI again")]
    rows = [
        *keep,
        (f".venv/bin/gonogo audit {view.id}", "who did what when, with the digests that prove it"),
        (f"make demo {_same_alert()}DECIDE={other}", f"the same alert, with {other} at the gate"),
        ("make demo ALERT=NAME", "another alert: large_upload, unlikely_travel, … (missions/incident_triage/alerts)"),
    ]
    out.print(render.indented(render.pairs([(name, Text(text, "dim")) for name, text in rows], style="")))
    return DONE if view.state in EXPECTED else REFUSED


def _same_alert() -> str:
    return f"ALERT={asked} " if (asked := os.environ.get("ALERT")) else ""
