"""`gonogo admit`: look at what tool servers say of their tools, and pin it in the workspace's `pins.yaml`.

A tool whose definition changes afterwards is refused by every worker that reads this file, until it is admitted again.
`activities/pins.py` is the half that refuses.
"""

import asyncio
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from starter.connect import settings
from starter.problem import DONE, REFUSED, Refused, Unreachable, Usage

if TYPE_CHECKING:
    from contracts.workspace import Workspace

Names = Annotated[list[str] | None, typer.Argument(metavar="TOOL…", help="Which tools; by default all.")]
Check = Annotated[bool, typer.Option("--check", help="Change nothing; exit 1 where something is not as admitted.")]
HEAD = "# Written by `gonogo admit`: the definition of each tool as somebody looked at it and let it in.\ntools:\n"


def admit(tools: Names = None, *, check: Check = False) -> int:
    """Pin the definitions of tools as their servers list them now; a changed one is refused from then on."""
    from language.finding import Rejected
    from language.workspace import PINS, load_workspace

    root = settings().workspace
    try:
        workspace = load_workspace(root).allowing(settings().allow_hosts)
    except Rejected as rejected:
        raise Refused(str(rejected.findings[0])) from None
    chosen = tools or sorted(workspace.tools)
    if strange := [name for name in chosen if name not in workspace.tools]:
        raise Usage(f"{strange[0]!r} is no tool of {root / 'tools.yaml'}")
    listed = asyncio.run(_listed(workspace, chosen))
    before = {name: tool.pin for name, tool in workspace.tools.items() if tool.pin}
    rows = [(name, _state(before.get(name, ""), listed.get(name, ""))) for name in chosen]
    sys.stdout.write("".join(f"{name}: {state}\n" for name, state in rows))
    if check:
        return REFUSED if any(state != "as admitted" for _, state in rows) else DONE
    kept = {**{name: pin for name, pin in before.items() if name not in chosen}, **listed}
    (root / PINS).write_text(HEAD + "".join(f"  {name}: {kept[name]}\n" for name in sorted(kept)), encoding="utf-8")
    sys.stdout.write(f"{root / PINS}\n")
    return DONE


def _state(before: str, now: str) -> str:
    if not now:
        return "its server lists it no more"
    if not before:
        return "new"
    return "as admitted" if before == now else "changed"


async def _listed(workspace: "Workspace", chosen: list[str]) -> Mapping[str, str]:
    """Return the digests of the chosen tools' definitions, of those that their servers list."""
    from activities.mcp_tools import ToolFailed, ToolServers
    from activities.outward import Outward

    servers = ToolServers(workspace.servers, outward=Outward(workspace.security.allow_hosts))
    known = {name: workspace.tools[name] for name in chosen}
    try:
        lists = {server: await servers.definitions(server) for server in {tool.server for tool in known.values()}}
    except ToolFailed as failed:
        raise Unreachable(f"{failed}; nothing was admitted") from None
    finally:
        await servers.close()
    found = {name: lists[tool.server].get(tool.tool or name) for name, tool in known.items()}
    return {name: pin for name, pin in found.items() if pin}
