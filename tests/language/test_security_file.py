"""What a workspace demands: `security.yaml` is read as strictly as the files beside it, and need not be there."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from desk import written
from test_workspace import folder

from contracts.security import SecurityFile
from language.finding import Rejected
from language.lint import lint
from language.security import is_host
from language.workspace import load_workspace
from runtime.settings import SettingRefused, Settings


def test_hosts_that_may_be_called_are_read_and_may_be_missing(tmp_path: Path) -> None:
    assert SecurityFile() == load_workspace(folder(tmp_path)).security

    written(tmp_path, "security.yaml", "allow_hosts: [127.0.0.1, 'company:8765']\n")

    workspace = load_workspace(tmp_path).allowing(("relay",))
    assert ("127.0.0.1", "company:8765", "relay") == workspace.security.allow_hosts


@pytest.mark.parametrize(
    "entry",
    [
        "http://company", "company/mcp", "*.company", "10.0.0.0/8", "me@company", "company:", "company:0",
        "company:99999", "company:http", "", " company", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "company.7",
        "0:0:0:0:0:0:0:1", "[::1]", "-company", "b\u00fccher.example", "company.",
    ],
)  # fmt: skip
def test_what_is_not_one_host_is_refused(tmp_path: Path, entry: str) -> None:
    written(folder(tmp_path), "security.yaml", f"allow_hosts: ['{entry}']\n")

    with pytest.raises(Rejected) as rejected:
        load_workspace(tmp_path)

    mend = "write one host as 'name', 'name:port' or an address; no scheme, no path, no pattern"
    expected = f"{tmp_path}/security.yaml:1:15: BAD_VALUE '{entry}' is no host ({mend})"
    assert [expected] == [str(one) for one in rejected.value.findings]


@pytest.mark.parametrize("entry", ["company", "a.b-c.example:443", "127.0.0.1:80", "::1", "[::1]:80", "Company", "b_1"])
def test_one_host_is_taken(entry: str) -> None:
    assert is_host(entry)


def test_the_environment_may_name_hosts_too(tmp_path: Path) -> None:
    assert ("a", "b:1") == Settings.read({"GONOGO_ALLOW_HOSTS": "a, b:1,"}, tmp_path).allow_hosts
    with pytest.raises(SettingRefused, match=r"GONOGO_ALLOW_HOSTS has 'http://a'"):
        Settings.read({"GONOGO_ALLOW_HOSTS": "http://a"}, tmp_path)


URLS = {
    "http://127.0.0.1:9000/judge": "127.0.0.1 is a loopback address",
    "http://localhost/judge": "localhost is a loopback address",
    "https://api.localhost./judge": "api.localhost is a loopback address",
    "http://[::1]:9000/judge": "::1 is a loopback address",
    "http://[::ffff:10.0.0.7]/judge": "::ffff:a00:7 is a private address",
    "http://192.168.1.7/judge": "192.168.1.7 is a private address",
    "http://169.254.169.254/latest": "169.254.169.254 is the metadata of most clouds",
    "https://judge.example.com/judge": "",
    "https://8.8.8.8/judge": "",
}


@pytest.mark.parametrize("url", URLS)
def test_an_agent_at_an_address_inside_is_found_on_its_line_unless_it_is_allowed(tmp_path: Path, url: str):
    root = folder(tmp_path)
    agents = f"\nagents:\n  judge:\n    runtime: http\n    url: '{url}'\n    output: {{type: object}}\n"
    written(root, "agents.yaml", agents)
    written(root, "people.yaml", "escalation: {role: lead}\npeople: {ada: {roles: [lead]}}\n")
    found = lint([], root)
    host = urlsplit(url).hostname.removesuffix(".")
    spelt = URLS[url].partition(" ")[0] or host

    assert ([(f"{root / 'agents.yaml'}:4:10", "ADDRESS_INSIDE", f"{URLS[url]}, where nothing is called")]
            if URLS[url] else []) == [(str(one.place), one.code, one.message) for one in found]  # fmt: skip
    assert [] == lint([], root, [spelt])
    written(root, "security.yaml", f"allow_hosts: ['{spelt}']\n")
    assert [] == lint([], root)


def test_a_server_of_tools_inside_is_found_as_well(tmp_path: Path):
    root = folder(tmp_path)
    tools = (root / "tools.yaml").read_text().replace("https://tools.example.com", "http://10.1.2.3:80")
    (root / "tools.yaml").write_text(tools)

    assert ["ADDRESS_INSIDE"] == [one.code for one in lint([], root)]
    assert [] == lint([], root, ["10.1.2.3:80"])
    assert ["ADDRESS_INSIDE"] == [one.code for one in lint([], root, ["10.1.2.3:81"])]
