"""docs/deployment.md: what it tells people to type exists, and its tables are complete."""

import re
import shlex
import subprocess
from itertools import takewhile

import pytest
from deployment_check import cli_complaints, is_read
from deployment_file import BIN, PASSWORDS, ROOT, compose

GUIDE = (ROOT / "docs" / "deployment.md").read_text()
TYPED = [
    *(line for block in re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()),
    *(line for line in re.findall(r"`([^`\n]+)`", GUIDE)),
]


def typed(*start: str) -> list[list[str]]:
    """Return what people are told to type that starts so, without it."""
    lines = [shlex.split(line.partition(" < ")[0], comments=True) for line in TYPED if line.startswith(start[0])]
    return [line[len(start) :] for line in lines if line[: len(start)] == list(start) and len(line) > len(start)]


def test_every_verb_and_option_of_gonogo_exists():
    run = [line[line.index("operator") + 1 :] for line in typed("docker", "compose", "run") if "operator" in line]

    assert len(run) > 8
    assert [] == [complaint for line in [*run, *typed("gonogo")] for complaint in cli_complaints(line)]


@pytest.mark.parametrize("line", dict.fromkeys(tuple(line) for line in typed("docker", "compose")), ids=" ".join)
def test_every_verb_and_option_of_compose_exists(line, services):
    verb, *rest = line
    options = list(takewhile(lambda word: word.startswith("-"), rest)) if verb in {"run", "exec", "logs"} else rest
    asked = subprocess.run(
        [BIN / "docker-compose", verb, *options, "--help"], capture_output=True, text=True, check=False
    )

    assert (0, True) == (asked.returncode, f"docker compose {verb} " in asked.stdout)
    assert verb not in {"run", "exec"} or rest[len(options)] in services


def test_every_command_of_temporal_exists():
    lines = typed("temporal")

    assert [0, 0] == [
        subprocess.run([BIN / "temporal", *line, "--help"], capture_output=True, check=False).returncode
        for line in lines
    ]


def test_the_table_of_services_is_complete(services):
    rows = re.findall(r"^\| `([a-z-]+)` \|", GUIDE, re.MULTILINE)

    assert sorted(services) == sorted(rows)


def test_the_table_of_variables_is_complete(text):
    rows = re.findall(r"^\| `([A-Z_]+)` \|", GUIDE, re.MULTILINE)
    asked = compose(text, "--variables", **PASSWORDS).stdout.splitlines()[1:]

    assert sorted(line.split()[0] for line in asked) == sorted(rows)


def test_the_variable_that_names_the_server_is_read(workspace):
    assert "export TEMPORAL_ADDRESS=" in GUIDE
    assert is_read("TEMPORAL_ADDRESS", workspace)


def test_the_file_with_the_password_is_not_in_the_repository():
    file = re.search(r"> (\S+)\)", GUIDE).group(1)
    ignored = (ROOT / ".gitignore").read_text().splitlines()

    assert f"{file.partition('/')[0]}/" in ignored
