"""README.md against the code: what it tells people to type, to set and to expect is there, and nothing is left out."""

import re
import shlex
from pathlib import Path

import manual
import pytest
import typer
import yaml
from temporalio.envconfig import ClientConfig

from language.freeze import freeze
from language.loader import load_mission
from language.workspace import load_workspace
from starter import problem
from starter.cli import INTERRUPTED, app
from tests.policies import permit_all

README = manual.text("README.md")
HOUSE = ("contracts", "language", "activities", "workflows", "rehearsal", "runtime", "starter", "missions", "worker.py")
SHOWING = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/operating.md", "docs/architecture.md")
PROFILES = """
[profile.default]
address = "one:1"
[profile.cluster]
address = "two:2"
"""


def test_it_leads_with_the_two_commands():
    assert ["make demo", "make test"] == manual.typed(README)[:2]


@pytest.mark.parametrize("line", sorted({line for page in SHOWING for line in manual.typed(manual.text(page))}))
def test_every_command_that_is_shown_exists(line):
    assert [] == list(manual.complaints(line))


@pytest.mark.parametrize(
    "line", ["gonogo aprove a b", "gonogo list --sate x", "make demos", "make demo LATER=1", "rm -r"]
)
def test_a_command_that_does_not_exist_is_found(line):
    assert list(manual.complaints(line))


@pytest.mark.parametrize("page", manual.pages(), ids=lambda page: str(page.relative_to(manual.ROOT)))
def test_every_mention_of_a_verb_or_target_is_right(page):
    mentions = manual.spans(page.read_text())
    gonogo = [span.split()[1:] for span in mentions if span.startswith("gonogo ")]
    make = [re.sub(r"\|\S+", "", span).split()[1:] for span in mentions if span.startswith("make ")]

    assert [] == [complaint for words in gonogo for complaint in manual.unknown_options(words)]
    assert [] == [complaint for words in make for complaint in manual.unmade(words)]


def test_the_table_of_verbs_is_complete():
    shown = [cell.split()[1] for cell in manual.first_cells(manual.section(README, "Operate it"))]

    assert sorted(typer.main.get_command(app).commands) == sorted(set(shown))


def test_the_table_of_exit_codes_is_complete():
    codes = re.findall(r"^\| (\d+) \|", README, re.MULTILINE)

    assert [problem.DONE, problem.REFUSED, problem.USAGE, problem.UNREACHABLE, INTERRUPTED] == [int(c) for c in codes]


def test_the_table_of_variables_says_what_the_house_reads():
    shown = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", manual.section(README, "Settings")))
    servers = yaml.safe_load(manual.text("missions/tools.yaml"))["servers"]
    read = manual.read_variables(*HOUSE) | {server["url_env"] for server in servers.values()}

    assert read == {name for name in shown if not name.startswith("TEMPORAL_") or name in read}


def test_the_demo_company_s_own_variables_stand_on_its_page():
    shown = set(re.findall(r"`(GONOGO_[A-Z_]+)`", manual.text("demo/README.md")))

    assert manual.read_variables("demo") == shown


def test_temporal_reads_the_variables_that_are_said_to_be_its_own(tmp_path):
    """Each is set alone to something else, and the connection is another one."""
    profiles = tmp_path / "temporal.toml"
    profiles.write_text(PROFILES)
    shown = {cell for cell in manual.first_cells(manual.section(README, "Settings")) if cell.startswith("TEMPORAL_")}
    values = dict.fromkeys(shown, "other") | {"TEMPORAL_PROFILE": "cluster"}
    plain = {"TEMPORAL_CONFIG_FILE": str(profiles)}
    before = ClientConfig.load_client_connect_config(override_env_vars=plain)

    assert "one:1" == before["target_host"]
    for name in sorted(shown - {"TEMPORAL_CONFIG_FILE"}):
        assert before != ClientConfig.load_client_connect_config(override_env_vars={**plain, name: values[name]}), name


def test_the_map_names_every_folder():
    shown = set(re.findall(r"`([a-z]+)/`", manual.section(README, "The house")))
    there = {
        path.name
        for path in manual.ROOT.iterdir()
        if path.is_dir() and not path.name.startswith((".", "_")) and not path.name.endswith(".egg-info")
    }

    assert there - manual.HIDDEN == shown


def test_the_mission_that_it_shows_loads(tmp_path):
    [mission] = manual.blocks(README, "yaml")
    write(tmp_path / "agents.yaml", "agents: {clerk: {callable: 'desk:answer'}}")
    write(tmp_path / "tools.yaml", TOOLS)
    write(tmp_path / "people.yaml", "escalation: {role: helpdesk_lead}\npeople: {ada: {roles: [helpdesk_lead]}}")
    write(tmp_path / "unlock_account/mission.yaml", mission)
    workspace = load_workspace(permit_all(tmp_path))
    plan = freeze(load_mission(tmp_path / "unlock_account/mission.yaml", workspace), workspace)

    assert {"clerk"} == set(plan.agents)
    assert {"unlock_user", "lock_user"} == set(plan.tools)


TOOLS = """
servers: {desk: {url: 'http://127.0.0.1:1/mcp'}}
tools:
  unlock_user: {server: desk, effect: write, idempotency: key, compensated_by: [lock_user]}
  lock_user: {server: desk, effect: write, idempotency: key}
"""


def write(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)


def test_the_pictures_are_small_and_load_nothing():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)

    assert ["docs/images/web-ui.png", "docs/images/follow.svg"] == pictures
    assert all((manual.ROOT / picture).stat().st_size < 250_000 for picture in pictures)
    assert {"http://www.w3.org/2000/svg"} == set(re.findall(r"https?://[^\"' )<]+", manual.text(pictures[1])))
    assert shlex.split("gonogo follow") == re.findall(r"gonogo|follow", manual.text(pictures[1]))[:2]
