"""A mission's file as a whole: its head, its size, its encoding, and all findings in one pass."""

from pathlib import Path

import pytest
from desk import codes, findings, load, mission, workspace, written

from language.finding import Rejected
from language.loader import load_mission

STEPS = "steps: [{step: a, agent: architect, task: T}]"


def test_all_findings_come_in_one_pass_in_the_order_of_the_file():
    text = """
        steps:
          - step: a
            agent: archtect
            task: T
            colour: red
            context: drft
          - step: b
            condition: {if: alrt.level > 8, then: nowhere}
          - step: c
            action: send_money
            approval: {approvers: nobody, timeout: 0s, on_timeout: continue}
          - step: d
            loop: {do: d, until: 'true'}
          - step: d
            parallel:
              - {agent: architect, task: T, output: draft}
              - {agent: reviewer, task: 'on', output: draft, retry: {attempts: no}}
    """

    assert codes(mission(text)) == [
        "3:12: UNKNOWN_AGENT",
        "5:5: UNKNOWN_KEY",
        "6:14: UNKNOWN_VARIABLE",
        "8:21: UNKNOWN_VARIABLE",
        "8:43: UNKNOWN_STEP",
        "11:27: UNKNOWN_PERSON",
        "11:44: TIMEOUT_NOT_POSITIVE",
        "11:60: SILENCE_APPROVES",
        "12:5: UNREACHABLE",
        "13:11: LOOP_UNBOUNDED",
        "14:5: UNREACHABLE",
        "14:11: DUPLICATE_STEP",
        "17:47: WRITE_RACE",
        "17:72: WRONG_TYPE",
        "17:72: YAML_AMBIGUOUS",
    ]


WHOLE_FILES = {
    "nothing": ("", "1:1: WRONG_TYPE"),
    "only a comment": ("# nothing\n", "1:1: WRONG_TYPE"),
    "a list": ("- a\n", "1:1: WRONG_TYPE"),
    "an open bracket": ("steps: [\n", "2:1: YAML_SYNTAX"),
    "a tab": ("steps:\n\t- a\n", "2:1: YAML_SYNTAX"),
    "a control character": ("steps: \x07\n", "1:1: YAML_SYNTAX"),
    "two documents": (f"{STEPS}\n---\n{STEPS}\n", "2:1: YAML_DOCUMENTS"),
    "a deep nest": ("[" * 100_000, "1:51: YAML_DEPTH"),
    "a deep nest of maps": ("{a: " * 60_000, "1:198: YAML_DEPTH"),
    "a deep nest of keys": ("? " * 100_000, "1:101: YAML_DEPTH"),
    "too many bytes": ("#" * 256_001, "1:1: YAML_SIZE"),
    "too many values": ("a: [" + "1," * 60_000 + "]", "1:99999: YAML_SIZE"),
}


@pytest.mark.parametrize("name", WHOLE_FILES)
def test_a_file_that_is_no_mission_is_refused_at_once(name: str):
    text, expected = WHOLE_FILES[name]

    assert [expected] == codes(text)


def test_a_bomb_of_aliases_is_never_made():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]

    assert {code.split()[1] for code in codes("\n".join(lines))} >= {"YAML_ALIAS"}


def test_a_file_of_the_greatest_size_loads():
    text = mission(STEPS)
    text += "#" * (256_000 - len(text))

    assert findings(text) == []


def test_500_steps_load_and_one_more_does_not():
    def many(count: int) -> str:
        return "steps:\n" + "".join(f"- {{step: s{n}, agent: architect, task: T}}\n" for n in range(count))

    assert len(load(many(500)).steps) == 500
    assert codes(mission(many(501))) == ["2:1: TOO_MANY_STEPS"]
    assert codes(mission(many(5_000))) == ["2:1: TOO_MANY_STEPS"]


def test_steps_that_call_each_other_in_a_chain_of_500_load():
    steps = ["- {step: s0, agent: architect, task: T, output: first}"]
    steps += [f"- {{step: s{n}, condition: {{if: 'true', then: s{n + 1}}}}}" for n in range(1, 499)]
    text = "\n".join(["steps:", *steps, "- {step: s499, agent: architect, task: T, context: first}"])

    assert findings(mission(text)) == []


def test_a_file_is_named_as_it_was_given_and_its_definition_by_its_place_in_the_workspace(tmp_path: Path):
    good = written(tmp_path, "try_out/mission.yaml", mission(STEPS))
    bad = written(tmp_path, "other/mission.yaml", mission(STEPS.replace("architect", "nobody")))

    assert load_mission(good, workspace(root=str(tmp_path))).source == "try_out/mission.yaml"
    with pytest.raises(Rejected) as caught:
        load_mission(bad, workspace(root=str(tmp_path)))
    assert str(caught.value).startswith(f"{bad}:1:26: UNKNOWN_AGENT unknown agent 'nobody'")


def test_a_file_that_cannot_be_read_is_a_finding(tmp_path: Path):
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("mission: ä".encode("latin-1"))
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"\xff" * 300_000)

    for path, expected in (
        (tmp_path / "none.yaml", "1:1: FILE cannot be read: No such file or directory"),
        (tmp_path, "1:1: FILE cannot be read: Is a directory"),
        (latin, "1:1: YAML_SYNTAX byte 9 is not UTF-8 (save it as UTF-8)"),
        (huge, "1:1: YAML_SIZE the file has more than 256000 bytes (split it up)"),
    ):
        with pytest.raises(Rejected) as caught:
            load_mission(path, workspace())
        assert str(caught.value) == f"{path}:{expected}"
