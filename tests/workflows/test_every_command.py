"""Every operator's command in every state of a mission, on a real server: what its sender is told, what comes of it.

Each cell once plain, and once with a crash between: the commands are sent while no worker runs, and the worker that
rules on them has nothing cached. Whoever finishes a mission releases it, resumes it, and says yes to everything.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from contracts.decision import DECIDE, CommandVerb, Receipt
from starter.state import read_receipt
from tests.interpreter.fakes import plan_of
from tests.workflows.house import House, Started, house, moved
from tests.workflows.stage import PATIENCE, Stage, drive, replay

COMMANDS = (
    "pause",
    "resume",
    "skip",
    "retry",
    "redirect",
    "rollback",
    "amend",
    "note",
    "interrupt",
    "escalate",
    "abort",
)
ABOUT_ALL = ("pause", "resume", "amend", "abort")
TABLE = Path(__file__).with_name("every_command.txt")


def act(name: str, n: Any, **more: Any) -> dict[str, Any]:
    return {
        "kind": "action",
        "step": name,
        "action": "file",
        "with": {"n": n},
        "compensate": {"tool": "unfile"},
        **more,
    }


def agent(name: str, who: str = "ann") -> dict[str, Any]:
    return {"kind": "agent", "step": name, "agent": who, "task": name}


FIRST, LAST = act("first", 1), act("last", 9)


@dataclass(frozen=True)
class State:
    """How a mission comes to stand in a way, the step that commands are about, and where `redirect` goes."""

    steps: tuple[dict[str, Any], ...]
    target: str
    begun: str
    """The path that has reached an agent or a tool once the mission stands so."""
    state: str = "running"
    reported: bool = True
    """Whether the path reaches anybody; a timer and a gate only have a record."""
    letter: bool = False
    inner: tuple[dict[str, Any], ...] = ()
    paused: bool = False


GATE = {"approvers": ["lead"], "timeout": "1h", "on_timeout": "refuse"}
MAP = {"over": "[2, 3]", "max_concurrency": 1, "do": [act("did", "${{ item }}"), agent("work")]}
LOOP = {
    "do": [act("did", "${{ iteration + 1 }}"), agent("work")],
    "until": "iteration == 2",
    "max_iterations": 3,
    "on_max": "abort",
}
BOTH = {"kind": "parallel", "step": "both", "parallel": [act("beside", 2), agent("work")]}
INNER = {"kind": "mission", "step": "work", "mission": "inner", "accept": ["done"], "on_parent_close": "undo"}
SLOW = act("first", 1, **{"with": {"n": 1, "slow": True}})
SHY = {"with": {"n": 2, "shy": True}, "retry": {"attempts": 99, "first": "3s", "factor": 1.0}}
SICK = agent("work", "ben")


def between(step: dict[str, Any], target: str = "work", begun: str = "", **more: Any) -> State:
    return State((FIRST, step, LAST), target, begun or target, **more)


STATES = {
    "agent": between(agent("work")),
    "timer": between({"kind": "wait", "step": "work", "wait": {"for": "6s"}}, reported=False),
    "gate": between({"kind": "gate", "step": "work", "gate": GATE}, state="waiting", reported=False),
    "parallel": between(BOTH, "both/work"),
    "map": between({"kind": "map", "step": "each", "map": MAP}, "each[0]/work"),
    "loop": between({"kind": "loop", "step": "again", "loop": LOOP}, "again[1]/work"),
    "child": between(INNER, begun="inside", inner=(act("did", 5), agent("inside"))),
    "compensation": State((SLOW, SICK, LAST), "work", "first/undo", "compensating"),
    "retry wait": between(act("work", 2, **SHY)),
    "paused": between(agent("work"), state="paused", paused=True),
    "dead letter": between(SICK, state="dead_letter", letter=True),
}


@dataclass
class Cell:
    """One mission in one state, and one command to it."""

    state: str
    verb: str
    started: Started
    stage: Stage

    async def ready(self) -> None:
        wanted, here = STATES[self.state], self.started.handle.id
        async with asyncio.timeout(PATIENCE):
            while True:
                view = await self.started.state()
                open_ = {record.path for record in view.records if record.status in {"running", "waiting"}}
                reached = wanted.begun in (self.stage.begun[here] if wanted.reported else open_)
                if reached and view.state == wanted.state:
                    return
                if wanted.paused and reached and view.paused is None:
                    await self.started.command("pause")
                await asyncio.sleep(0.15)

    def token(self) -> str:
        step = {"rollback": "first", "redirect": "last", **dict.fromkeys(ABOUT_ALL, "")}.get(
            self.verb, STATES[self.state].target
        )
        changes = {"name": "who", "value": "them"} if self.verb == "amend" else None
        return self.started.order(self.verb, step, changes=changes)

    async def told(self, token: str) -> Receipt:
        receipt = await read_receipt(self.started.house.client, self.started.handle.id, token, timedelta(seconds=30))
        assert receipt is not None
        return receipt

    async def finish(self) -> str:
        self.stage.free[self.started.handle.id].set()
        view = await drive(self.started)
        await replay(self.started)
        found = {record.path: f"{record.status}~{record.generation}" for record in view.records}
        own = found.get(STATES[self.state].target, "gone")
        return f"{view.state}; {own}; {self.stage.world(self.started.handle.id)}"


async def play(state: str, client: Any, home: Any, *, crash: bool) -> dict[str, tuple[str, str]]:
    """Return for each command what its sender was told, and what the mission came to."""
    stage, scene = Stage(), STATES[state]
    given = {"inputs": {"type": "object", "properties": {"who": {"type": "string"}}}}
    if scene.letter:
        given["dead_letter"] = {"timeout": "1h"}

    async def set_up(h: House) -> list[Cell]:
        inner = {"inner": moved(plan_of(list(scene.inner), mission="inner"), h.queue)} if scene.inner else None
        cells = [
            Cell(state, verb, await h.start(list(scene.steps), given={"who": "us"}, missions=inner, **given), stage)
            for verb in COMMANDS
        ]
        await asyncio.gather(*(cell.ready() for cell in cells))
        return cells

    async def ended(cells: list[Cell], tokens: list[str]) -> dict[str, tuple[str, str]]:
        receipts = await asyncio.gather(*(cell.told(token) for cell, token in zip(cells, tokens, strict=True)))
        ends = await asyncio.gather(*(cell.finish() for cell in cells))
        said = [receipt.state if receipt.accepted else receipt.reason for receipt in receipts]
        return {cell.verb: found for cell, *found in zip(cells, said, ends, strict=True)}

    async def send(cells: list[Cell]) -> list[str]:
        for cell in cells if scene.letter else ():
            # Tried again it works: what it comes to must not hang on who is quicker.
            stage.free[cell.started.handle.id].set()
        tokens = [cell.token() for cell in cells]
        await asyncio.gather(
            *(cell.started.handle.signal(DECIDE, token) for cell, token in zip(cells, tokens, strict=True))
        )
        return tokens

    async with house(client, home, stage.activities(), leaves=crash) as h:
        cells = await set_up(h)
        if not crash:
            return await ended(cells, await send(cells))
    tokens = await send(cells)
    async with house(client, home, h.activities, h.queue) as h:
        return await ended([replace(cell, started=Started(h, cell.started.handle)) for cell in cells], tokens)


def table() -> dict[tuple[str, str], list[str]]:
    """Return what is expected of each cell, from the table beside this file."""
    lines = [line.split(" | ") for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return {(state.strip(), verb.strip()): [said.strip(), end.strip()] for state, verb, said, end in lines}


def test_the_table_has_every_command_in_every_state():
    assert {(state, verb) for state in STATES for verb in COMMANDS} == set(table())
    assert set(get_args(CommandVerb)) == set(COMMANDS)


@pytest.mark.slow
@pytest.mark.parametrize("crash", [False, True], ids=["plain", "crash"])
@pytest.mark.parametrize("state", STATES)
async def test_a_command_in_a_state_comes_to_what_the_table_says(client, home, state, crash):
    found = await play(state, client, home, crash=crash)

    assert {verb: end for (there, verb), end in table().items() if there == state} == found
