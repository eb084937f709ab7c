"""Find addresses that lead inside and that the workspace does not allow: no worker would call them.

The law: only what says by how it is written that it leads inside is found here. What a name leads to is known when it
is called, by `activities/outward.py`, which refuses the rest.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from contracts.address import inside, literal
from contracts.mind import A2AAgent, HttpAgent
from contracts.workspace import AgentsFile, ToolsFile, Workspace
from language.finding import Finding
from language.workspace import AGENTS, TOOLS, read_part
from language.yaml_source import Value

PORTS = {"http": 80, "https": 443}
LOCAL = "a loopback address"


def check_addresses(root: Path, workspace: Workspace) -> Iterator[Finding]:
    """Find agents and servers of tools at addresses inside, of a workspace in which nothing else is wrong."""
    _, agents = read_part(AgentsFile, root / AGENTS, [])
    _, tools = read_part(ToolsFile, root / TOOLS, [])
    allowed = frozenset(host.lower() for host in workspace.security.allow_hosts)
    found = [
        *((agent.url, agents.find("agents", name, "url"))
          for name, agent in workspace.agents.items() if isinstance(agent, HttpAgent | A2AAgent)),
        *((server.url, tools.find("servers", name, "url")) for name, server in workspace.servers.items()),
    ]  # fmt: skip
    for url, here in found:
        for finding in _led(url, here, allowed):
            yield finding.in_file(str(root / finding.place.file))


def _led(url: str, here: Value, allowed: frozenset[str]) -> Iterator[Finding]:
    parts = urlsplit(url)
    host = (parts.hostname or "").removesuffix(".")
    address = literal(host)
    kind = inside(address) if address else LOCAL if host.rpartition(".")[2] == "localhost" else ""
    spelt, port = str(address or host), parts.port or PORTS.get(parts.scheme, 0)
    if kind and not allowed & {spelt, f"{spelt}:{port}", f"[{spelt}]:{port}"}:
        mend = f"name '{spelt}' under 'allow_hosts' in security.yaml, or write an address outside"
        yield Finding("ADDRESS_INSIDE", f"{spelt} is {kind}, where nothing is called", here.place, mend)
