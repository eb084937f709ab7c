"""Every code is raised, explained, and what its example gives; the page of all codes is what would be made now."""

import ast
from pathlib import Path

import pytest
from desk import HEAD, workspace, written

from activities.signature import why_unsigned
from language import reference
from language.codes import codes, written_out
from language.finding import Rejected
from language.lint import lint
from language.loader import load_mission, load_text
from language.workspace import load_workspace
from tests.policies import permit_all

LANGUAGE = Path(__file__).parents[2] / "language"
FILES = {
    "agents.yaml": "agents: {}\n",
    "tools.yaml": """
        servers: {company: {url: 'https://tools.example.com/mcp'}}
        tools:
          look_up: {server: company, effect: read}
          write_file: {server: company, effect: write}
        """,
    "people.yaml": """
        escalation: {role: director}
        people: {cy: {roles: [director]}}
        """,
}


def raised() -> set[str]:
    """Every text of the language's code that has the form of a code."""
    trees = [ast.parse(path.read_text()) for path in LANGUAGE.rglob("*.py")]
    texts = {node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if isinstance(text, str) and len(text) > 3 and text.replace("_", "").isalpha()} & {
        text for text in texts if isinstance(text, str) and text.isupper()
    }


def found(name: str, example: str, folder: Path) -> set[str]:
    """The codes that an example gives."""
    text = written_out(example)
    try:
        match codes()[name].where:
            case "steps":
                load_text(text + HEAD, "m.yaml", workspace())
            case "mission":
                load_text(text, "m.yaml", workspace())
            case "path":
                written(folder, "missions/try_out/mission.yaml", "steps: [{step: a, agent: architect, task: T}]" + HEAD)
                load_mission(folder / text.split()[-1], workspace())
            case "policies":
                permit_all(folder)
                (folder / "policies" / "open.cedar").write_text(text)
                for other, usual in FILES.items():
                    written(folder, other, usual)
                load_workspace(folder)
            case file:
                permit_all(folder)
                for other, usual in (FILES | {file: text}).items():
                    written(folder, other, usual)
                return {finding.code for finding in lint([], folder, why_unsigned=why_unsigned)}
    except Rejected as rejected:
        return {finding.code for finding in rejected.findings}
    return set()


def test_every_code_that_is_raised_is_explained_and_no_other():
    assert raised() == set(codes())


@pytest.mark.parametrize("name", codes())
def test_a_bad_example_gives_its_code_alone_and_its_mended_form_none(name: str, tmp_path: Path):
    assert {name} == found(name, codes()[name].bad, tmp_path)
    assert set() == found(name, codes()[name].good, tmp_path)


def test_what_is_made_is_what_would_be_made_now():
    assert [] == reference.drifted()


def test_a_page_that_was_edited_by_hand_is_found(tmp_path: Path):
    page = written(tmp_path, "errors.md", reference.errors() + "\nand more\n")

    assert not reference.same(page, reference.errors())
