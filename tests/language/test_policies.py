"""The policies of a workspace: read or refused as a whole, each mistake with its file and line."""

import shutil
from pathlib import Path

import pytest

from activities.people import Directory
from activities.policy import Policy
from contracts.policy import Question
from language.cedar import statements
from language.finding import Rejected
from language.policies import read_policies, shipped_schema
from tests.policies import permit_all

OPEN = '@id("open")\npermit(principal, action, resource);\n'
START = Question(verb="start", who="noor", what="triage", context={"signed": True, "data": [], "budget": {}})
KNOWN = {"Role": ["lead"], "Person": ["noor"], "Agent": ["judge"], "Tool": ["look"]}

MISTAKES = {
    "no policy at all": ("// later\n", "policies:1:1: NO_POLICY"),
    "a comma too few": (OPEN + "\n// why\n  permit(principal action);\n", "policies/p.cedar:5:3: POLICY_SYNTAX"),
    "no semicolon": (OPEN + "forbid(principal, action, resource)", "policies/p.cedar:3:1: POLICY_SYNTAX"),
    "a text that is not closed": (
        OPEN + '@id("x) permit(principal, action, resource);',
        "policies/p.cedar:3:1: POLICY_",
    ),
    "a template": (
        '@id("t")\npermit(principal == ?principal, action, resource);',
        "policies/p.cedar:1:1: POLICY_SYNTAX",
    ),
    "no name": ("permit(principal, action, resource);", "policies/p.cedar:1:1: POLICY_NAME"),
    "a name that is none": ('@id("A b")\npermit(principal, action, resource);', "policies/p.cedar:1:1: POLICY_NAME"),
    "one name twice": (OPEN + OPEN, "policies/p.cedar:3:1: POLICY_NAME a second policy is called 'open'; the first"),
    "an action that nobody asks": (
        '@id("x")\npermit(principal, action == Action::"begin", resource);',
        "policies/p.cedar:1:1: POLICY_TYPE",
    ),
    "a field that there is not": (
        OPEN + '@id("x")\nforbid(principal, action == Action::"start", resource) unless { context.sined };',
        'policies/p.cedar:3:1: POLICY_TYPE attribute `sined` in context for Action::"start" not found',
    ),
    "an unknown role": (
        '@id("x")\npermit(principal in Role::"leed", action, resource);',
        "policies/p.cedar:1:1: UNKNOWN_PERSON unknown role 'leed' (did you mean 'lead'?)",
    ),
    "an unknown tool": (
        '@id("x")\npermit(principal, action, resource) when { resource == Tool::"loook" };',
        "policies/p.cedar:1:1: UNKNOWN_TOOL unknown tool 'loook' (did you mean 'look'?)",
    ),
    "an approval without a number": (
        '@id("x")\n@approval("lead")\npermit(principal, action, resource);',
        "policies/p.cedar:1:1: POLICY_APPROVAL '@approval' is 'lead'",
    ),
    "an approval of what is forbidden": (
        OPEN + '@id("x")\n@approval("lead:1")\nforbid(principal, action, resource);',
        "policies/p.cedar:3:1: POLICY_APPROVAL '@approval' of a policy that forbids",
    ),
    "an approval by nobody known": (
        '@id("x")\n@approval("chief:1")\npermit(principal, action, resource);',
        "policies/p.cedar:1:1: UNKNOWN_PERSON unknown role or person 'chief'",
    ),
}


def policies(folder: Path, text: str) -> Path:
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "p.cedar").write_text(text)
    return folder


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_at_its_place_and_nothing_is_permitted_any_more(tmp_path: Path, name: str):
    text, expected = MISTAKES[name]

    with pytest.raises(Rejected) as caught:
        read_policies(policies(tmp_path, text), KNOWN)

    assert [expected] == [str(one)[: len(expected)] for one in caught.value.findings]


def unreadable(root: Path) -> None:
    (root / "policies" / "broken.cedar").mkdir()


def foreign(root: Path) -> None:
    (root / "policies" / "p.cedar").write_bytes(b"\xff\xfe" + OPEN.encode("utf-16-le"))


def huge(root: Path) -> None:
    (root / "policies" / "p.cedar").write_text(OPEN + "// more\n" * 50_000)


def no_folder(root: Path) -> None:
    (root / "policies" / "p.cedar").unlink()
    (root / "policies").rmdir()


def a_file_for_a_folder(root: Path) -> None:
    no_folder(root)
    (root / "policies").write_text(OPEN)


def a_link_to_nowhere(root: Path) -> None:
    (root / "policies" / "p.cedar").unlink()
    (root / "policies" / "p.cedar").symlink_to(root / "nowhere.cedar")


def a_link_to_itself(root: Path) -> None:
    (root / "policies" / "p.cedar").unlink()
    (root / "policies" / "p.cedar").symlink_to(root / "policies" / "p.cedar")


def empty(root: Path) -> None:
    (root / "policies" / "p.cedar").write_text("")


def another_schema(root: Path) -> None:
    (root / "policies" / "schema.cedarschema").write_text("entity Person;\n")


def one_that_is_broken_beside_it(root: Path) -> None:
    (root / "policies" / "q.cedar").write_text("permit(")


def no_semicolon(root: Path) -> None:
    (root / "policies" / "p.cedar").write_text(OPEN.replace(";", ""))


BROKEN = (
    unreadable,
    foreign,
    huge,
    no_folder,
    a_file_for_a_folder,
    a_link_to_nowhere,
    a_link_to_itself,
    empty,
    another_schema,
    one_that_is_broken_beside_it,
    no_semicolon,
)


def clear(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.unlink(missing_ok=True)


@pytest.mark.parametrize("breaking", BROKEN)
def test_whatever_breaks_policies_denies_everything_until_it_is_mended(tmp_path: Path, breaking):
    policy = Policy(policies(tmp_path, OPEN), Directory(), {}, {})
    assert policy.ask(START).allowed()

    breaking(tmp_path)
    denied = policy.ask(START)

    assert ("deny", {}, "") == (denied.outcome, denied.policies, denied.version)
    assert denied.reason.startswith("no policy can be read, so everything is denied: policies")
    clear(tmp_path / "policies")
    assert policy.ask(START).outcome == "deny"
    assert Policy(policies(tmp_path, OPEN), Directory(), {}, {}).ask(START).allowed()
    assert policy.ask(START).allowed()


def test_what_no_policy_permits_is_denied_and_what_one_forbids_by_its_name(tmp_path: Path):
    root = policies(
        tmp_path,
        '@id("signed")\npermit(principal, action == Action::"start", resource) when { context.signed };\n'
        '@id("not_at_night")\nforbid(principal, action, resource in Team::"night");',
    )
    policy = Policy(root, Directory(), {}, {})
    unsigned = START.model_copy(update={"context": {**START.context, "signed": False}})

    assert ("allow", {"signed": "policies/p.cedar:1:1"}) == shown(policy.ask(START))
    assert ("deny", {}) == shown(policy.ask(unsigned))
    assert "noor: start triage: denied: no policy permits it" == str(policy.ask(unsigned))
    assert ("deny", {"not_at_night": "policies/p.cedar:3:1"}) == shown(
        policy.ask(START.model_copy(update={"team": "night"}))
    )
    assert "could not be asked" in policy.ask(START.model_copy(update={"context": {}})).reason


def test_all_that_permit_it_say_whose_approval_it_takes(tmp_path: Path):
    root = policies(
        tmp_path, OPEN + '@id("a")\n@approval("lead:2, noor:1")\npermit(principal, action, resource);\n'
        '@id("b")\n@approval("lead:1")\npermit(principal, action, resource);'
    )  # fmt: skip
    answer = Policy(root, Directory(), {}, {}).ask(START)

    assert ("needs approval", {"lead": 2, "noor": 1}) == (answer.outcome, answer.approval)
    assert "needs approval by 2 lead and 1 noor by a (policies/p.cedar:3:1), b" in str(answer)


def test_roles_are_those_that_people_hold_now(tmp_path: Path):
    root = policies(tmp_path, '@id("leads")\npermit(principal in Role::"lead", action, resource);')
    people = tmp_path / "people.yaml"
    policy = Policy(root, Directory(people), {}, {})
    assert policy.ask(START).outcome == "deny"

    people.write_text("people: {noor: {roles: [lead]}}")
    assert policy.ask(START).allowed()
    people.write_text("people: [")
    assert "nobody's roles can be read" in policy.ask(START).reason


def test_another_text_is_another_version(tmp_path: Path):
    policy = Policy(permit_all(tmp_path), Directory(), {}, {})
    first = policy.version()
    policies(tmp_path, '@id("more")\nforbid(principal, action, resource) when { false };')

    assert first.startswith("sha256:")
    assert first != policy.version()


def test_a_semicolon_in_a_text_or_a_comment_ends_nothing():
    text = '// a; b\n@id("a;b")\npermit(principal, action, resource) // c;\nwhen { "x\\";" like "y" };\n\n  forbid(x);'

    assert [(2, 1), (6, 3)] == [(place.line, place.column) for place, _ in statements(text, "p.cedar")]


def test_the_shipped_workspace_has_the_schema_of_this_release():
    assert shipped_schema() == Path("missions/policies/schema.cedarschema").read_text()


def shown(answer):
    return answer.outcome, answer.policies
