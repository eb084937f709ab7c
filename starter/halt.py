"""`gonogo halt`, `gonogo lift`, `gonogo halts`: stop an agent, a tool or a team everywhere, and let it go on.

A halt is signed and sent like a decision, to the table of halts (`workflows/halts.py`). Who waits for a lifting is a
visibility query.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from starter.connect import PATIENCE, operate, settings, understood
from starter.options import Json, Person
from starter.output import console, document, plain, print_rows
from starter.problem import DONE, REFUSED, Refused, Unreachable, Usage

if TYPE_CHECKING:
    from temporalio.client import Client

    from contracts.decision import Opening
    from contracts.halt import Halt, HaltTable
    from contracts.workspace import Workspace

Agent = Annotated[str, typer.Option("--agent", metavar="NAME", help="An agent.")]
Tool = Annotated[str, typer.Option("--tool", metavar="NAME", help="A tool.")]
Team = Annotated[str, typer.Option("--team", metavar="NAME", help="A team: its agents, and all that its missions use.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the record.")]
MOST_WAITING = 100


@dataclass(frozen=True)
class Order:
    """What an operator asks for."""

    verb: Literal["halt", "lift"]
    target: str
    reason: str
    person: str

    def what(self) -> str:
        return self.target.replace(":", " ", 1)


def halt(
    *, reason: Reason, agent: Agent = "", tool: Tool = "", team: Team = "", person: Person = "", as_json: Json = False
) -> int:
    """Let nothing more begin that uses an agent, a tool or a team, in any mission, within ten seconds.

    What runs already may finish. What would begin waits until you lift it; nothing fails by it.
    """
    order = Order("halt", _target(agent=agent, tool=tool, team=team), reason, person)
    return _order(order, as_json=as_json)


def lift(
    *, reason: Reason, agent: Agent = "", tool: Tool = "", team: Team = "", person: Person = "", as_json: Json = False
) -> int:
    """Lift a halt: what waits for it goes on."""
    order = Order("lift", _target(agent=agent, tool=tool, team=team), reason, person)
    return _order(order, as_json=as_json)


def halts(*, as_json: Json = False) -> int:
    """Show what is halted, by whom, why, and which missions wait for it."""
    return operate(lambda client: _halts(client, as_json=as_json))


def _target(**named: str) -> str:
    targets = [f"{kind}:{name}" for kind, name in named.items() if name]
    if len(targets) != 1:
        raise Usage("name one: --agent NAME, --tool NAME or --team NAME")
    return targets[0]


def _order(order: Order, *, as_json: bool) -> int:
    if not order.reason.strip():
        raise Usage("say why: --reason 'what happened'")
    if not order.person:
        flag = order.target.replace(":", " ", 1)
        raise Usage(f"who says so? gonogo {order.verb} --{flag} --as PERSON, or set GONOGO_PERSON")
    return operate(lambda client: _ordered(client, order, as_json=as_json))


async def _ordered(client: "Client", order: Order, *, as_json: bool) -> int:
    from starter.sign import Wish, prepare, send, signed

    table = await read(client)
    standing = table.standing(order.target)
    if order.verb == "lift" and standing is None:
        raise Refused(f"{order.what()} is not halted; `gonogo halts` shows what is")
    if order.verb == "halt" and standing is not None:
        raise Refused(f"{standing}; it is halted already")
    if order.verb == "halt":
        workspace = _workspace()
        _demand_known(order.target, workspace)
        _demand_running(order.target, workspace)
    claims = prepare(await _opening(client, table, order.target), Wish(order.verb, order.reason), order.person)
    receipt = await send(client, claims, signed(order.person, claims))
    if as_json:
        document({**plain(receipt), "verb": order.verb, "target": order.target, "by": order.person})
        return DONE if receipt.accepted else REFUSED
    if not receipt.accepted:
        raise Refused(f"refused: {receipt.reason}")
    after = {"halt": "is halted: in a few seconds nothing of it begins any more", "lift": "goes on"}
    console().print(f"{order.what()} {after[order.verb]}; see `gonogo halts`", markup=False)
    return DONE


async def _opening(client: "Client", table: "HaltTable", target: str) -> "Opening":
    """Return what is signed: the target as the table has it. A table that is not there, or was ended, is started."""
    from datetime import UTC, datetime

    from temporalio.common import WorkflowIDConflictPolicy

    from contracts.halt import HALTS, TABLE, HaltsInput
    from contracts.workspace import MISSION_QUEUE

    with understood(HALTS):
        handle = await client.start_workflow(
            HALTS,
            HaltsInput(table=table),
            id=HALTS,
            task_queue=MISSION_QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            memo={TABLE: table},
            static_summary="What is halted in this namespace",
            rpc_timeout=PATIENCE,
        )
        described = await handle.describe(rpc_timeout=PATIENCE)
    first_run = described.raw_description.workflow_execution_info.first_run_id
    return table.opening(target, datetime.now(UTC), HALTS, first_run)


async def read(client: "Client") -> "HaltTable":
    """Return what is halted, as the server has it."""
    from activities.halts import Unread, read_table

    try:
        return await read_table(client)
    except Unread as error:
        raise Unreachable(f"what is halted cannot be read: {error}") from None


def _demand_known(target: str, workspace: "Workspace") -> None:
    """Refuse what the workspace does not know; offer the nearest name."""
    from difflib import get_close_matches

    kind, _, name = target.partition(":")
    known = sorted(_known(kind, workspace))
    if name in known:
        return
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}" if known else "there are none"
    raise Usage(f"no {kind} {name!r} in {settings().workspace}: {hint}")


def _demand_running(target: str, workspace: "Workspace") -> None:
    """Refuse an agent that is people: no worker runs it, so none would heed the halt, and they would be asked on."""
    kind, _, name = target.partition(":")
    if kind == "agent" and workspace.agents[name].runtime == "people":
        raise Refused(
            f"agent {name} is people, whom no halt keeps from being asked: `gonogo pause ID` stops a mission that asks "
            "them, and `gonogo queue --all` lists what they are asked"
        )


def _workspace() -> "Workspace":
    from language.finding import Rejected
    from language.workspace import load_workspace
    from starter.people import directory

    place = settings()
    try:
        return load_workspace(place.workspace, directory())
    except Rejected as error:
        raise Refused(f"the workspace {place.workspace} cannot be used:\n{error}") from None


def _known(kind: str, workspace: "Workspace") -> Iterable[str]:
    from language.finding import Rejected
    from language.loader import load_mission

    if kind == "agent":
        return workspace.agents
    if kind == "tool":
        return workspace.tools
    teams = {agent.team for agent in workspace.agents.values() if agent.team}
    for file in settings().workspace.glob("*/mission.yaml"):
        with suppress(Rejected):
            teams.add(load_mission(file, workspace).team)
    return teams


async def _halts(client: "Client", *, as_json: bool) -> int:
    table = await read(client)
    found = [_told(halt, await _waiting(client, halt)) for halt in table.halts]
    if as_json:
        document(found)
    elif found:
        from starter.table import table as drawn

        print_rows(drawn(("halted", "by", "since", "why", "missions that wait"), [_row(one) for one in found]))
    else:
        console().print("nothing is halted", style="dim", markup=False)
    return DONE


async def _waiting(client: "Client", halt: "Halt") -> list[str]:
    quoted = halt.target.replace("\\", "\\\\").replace("'", "\\'")
    wanted = f"HaltedBy = '{quoted}' AND ExecutionStatus = 'Running'"
    return [one.id async for one in client.list_workflows(wanted, limit=MOST_WAITING)]


def _told(halt: "Halt", waiting: list[str]) -> dict[str, Any]:
    from starter.browse import iso

    return {
        "target": halt.target,
        "by": halt.by,
        "since": iso(halt.since),
        "reason": halt.reason,
        "waiting": waiting,
    }


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    what = one["target"].replace(":", " ", 1)
    return what, one["by"], one["since"] or "", one["reason"], ", ".join(one["waiting"]) or "none"
