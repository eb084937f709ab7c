"""The Dockerfile: everything that runs is in the image, nothing else is, and it runs as nobody in particular."""

import re
import tomllib

import pytest
from deployment_file import ROOT, instructions
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def lines():
    return list(instructions((ROOT / "Dockerfile").read_text()))


@pytest.fixture(scope="module")
def copied(lines):
    """What goes from here into the image, with the place that it gets."""
    copies = [rest.split() for word, rest in lines if word == "COPY" and not rest.startswith("--from")]
    return {source: target for *sources, target in copies for source in sources}


@pytest.fixture(scope="module")
def allowed():
    """What .dockerignore lets Docker see."""
    return {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}


def test_every_package_of_the_project_is_in_the_image(copied):
    setup = PROJECT["tool"]["setuptools"]
    needed = {name.partition(".")[0] for name in setup["packages"]} | {f"{name}.py" for name in setup["py-modules"]}

    assert needed == copied.keys() - {"pyproject.toml", "requirements.lock"}
    assert {name: "./" if name.endswith(".py") else name for name in needed} == {name: copied[name] for name in needed}


def test_what_is_copied_is_there_and_docker_sees_it_and_nothing_else(copied, allowed):
    assert copied.keys() == allowed
    assert [] == [name for name in allowed if not (ROOT / name).exists()]


def test_docker_sees_nothing_unless_it_is_named():
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    assert "*" == rules[0]
    assert ["**/__pycache__", "**/.*"] == [rule for rule in rules[1:] if not rule.startswith("!")]


def test_what_the_image_holds_imports_nothing_that_stays_outside(copied):
    outside = {path.name for path in ROOT.iterdir() if path.is_dir()} - copied.keys()
    files = [file for name in copied for file in (ROOT / name).rglob("*.py")] + [ROOT / "worker.py"]
    imported = {name for file in files for name in re.findall(r"(?m)^\s*(?:from|import) (\w+)", file.read_text())}

    assert set() == imported & outside


def test_packages_come_from_the_lock_with_their_hashes(lines):
    install = next(rest for word, rest in lines if word == "RUN" and "uv pip install" in rest)

    assert "--require-hashes --constraint requirements.lock --requirement pyproject.toml" in install


def test_everything_that_is_needed_at_run_time_is_locked():
    locked = {line.partition("==")[0].lower() for line in (ROOT / "requirements.lock").read_text().splitlines()}
    needed = {Requirement(text).name.lower() for text in PROJECT["project"]["dependencies"]}

    assert set() == needed - locked


def test_no_registry_has_its_address_in_the_image(lines):
    assert [] == [rest for _, rest in lines if re.search(r"https?://|index-url|find-links|PIP_INDEX|UV_INDEX", rest)]


def test_the_installer_is_the_one_that_make_uses(lines):
    pinned = re.search(r"^UV_VERSION := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE).group(1)

    assert [pinned] == re.findall(r"uv==(\S+)", " ".join(rest for _, rest in lines))


def test_both_stages_have_one_pinned_python_that_the_project_accepts(lines):
    bases = [rest.split()[0] for word, rest in lines if word == "FROM"]
    version = re.fullmatch(r"python:(\d+\.\d+\.\d+)-slim-[a-z]+", bases[0]).group(1)

    assert 2 == len(bases)
    assert 1 == len(set(bases))
    assert version in SpecifierSet(PROJECT["project"]["requires-python"])


def test_nothing_is_installed_after_the_user_has_changed_and_the_user_is_not_root(lines):
    at = [word for word, _ in lines].index("USER")
    user = lines[at][1]

    assert "0" not in user.split(":")
    assert re.fullmatch(r"\d+:\d+", user)
    assert f"--gid {user.split(':')[1]} " in " ".join(rest for _, rest in lines)
    assert f"--uid {user.split(':')[0]} " in " ".join(rest for _, rest in lines)
    assert ["CMD"] == [word for word, _ in lines[at + 1 :]]


def test_folders_under_volumes_belong_to_that_user(lines, services):
    made = next(rest for word, rest in lines if word == "RUN" and "install --directory" in rest)
    laid = {mount["target"] for said in services.values() if "build" in said for mount in said.get("volumes", ())}

    assert laid <= set(made.split())
    assert "--owner gonogo --group gonogo --mode 0700" in made
