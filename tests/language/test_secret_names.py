"""Secrets in a workspace: named, and never in the clear."""

from pathlib import Path

import pytest

from language.finding import Rejected
from language.workspace import load_workspace
from tests.policies import permit_all

FORM = "(write 'secret://NAME', 'secret://file/NAME' or 'secret://vault/MOUNT/PATH#FIELD')"


def findings(folder: Path, server: str = "", agent: str = "") -> list[str]:
    """Return what is wrong with a workspace that has this server, and this agent elsewhere."""
    permit_all(folder)
    (folder / "tools.yaml").write_text(f"servers:\n  edr: {{url: 'http://edr/mcp'{server}}}\ntools: {{}}\n")
    agents = f"agents:\n  ann: {{runtime: http, url: 'https://ann/'{agent}}}\n"
    (folder / "agents.yaml").write_text(agents)
    (folder / "people.yaml").write_text("escalation: {role: lead}\npeople: {lea: {roles: [lead]}}\n")
    try:
        load_workspace(folder)
    except Rejected as rejected:
        return [str(one).partition("BAD_VALUE ")[2] for one in rejected.findings]
    return []


@pytest.mark.parametrize(
    ("server", "agent"),
    [
        (", headers: {Authorization: 'Bearer secret://EDR', X-Team: blue}", ", key: 'secret://vault/kv/ann#token'"),
        (", credential: step, headers: {X-Api-Key: 'secret://file/edr'}", ", key_env: ANN"),
    ],
)
def test_names_of_secrets_are_taken(tmp_path: Path, server: str, agent: str) -> None:
    assert [] == findings(tmp_path, server, agent)


CLEAR, NONE = "has its secret in the clear", "names no secret"
TWICE = "'credential: step' is sent as 'Authorization' already (leave one of them out)"


@pytest.mark.parametrize(
    ("server", "agent", "said"),
    [
        (", headers: {Authorization: 'Bearer abc'}", "", f"the header 'Authorization' {CLEAR} {FORM}"),
        (", headers: {X-Auth-Token: abc}", "", f"the header 'X-Auth-Token' {CLEAR} {FORM}"),
        (", headers: {X-Team: 'secret://aws/x'}", "", f"the header 'X-Team' {NONE} {FORM}"),
        (", headers: {'X Team': blue}", "", "'X Team' is no header of one line of ASCII (write 'X-Name: value')"),
        (", credential: step, headers: {authorization: 'secret://EDR'}", "", TWICE),
        ("", ", key: abc", f"'key' {NONE} {FORM}"),
        ("", ", key: 'secret://file/../x'", f"'key' {NONE} {FORM}"),
    ],
)
def test_what_is_no_name_or_stands_in_the_clear_is_found(tmp_path: Path, server: str, agent: str, said: str) -> None:
    assert [said] == findings(tmp_path, server, agent)
