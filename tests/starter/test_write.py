"""The author's verbs: what they print, and how they leave."""

from pathlib import Path

from language.codes import codes

from starter.cli import run


def test_explain_without_a_code_lists_all(capsys):
    assert 0 == run(["explain"])
    assert list(codes()) == [line.split()[0] for line in capsys.readouterr().out.splitlines()]


def test_explain_prints_why_the_mend_and_both_examples(capsys):
    assert 0 == run(["explain", "loop_unbounded"])
    out = capsys.readouterr().out
    code = codes()["LOOP_UNBOUNDED"]
    assert all(part in out for part in (code.title, code.why, code.mend, "max_iterations: 5", "Refused:", "Mended:"))


def test_a_code_like_none_is_one_sentence_that_says_where_all_are(capsys):
    assert 2 == run(["explain", "quux"])
    assert "`gonogo explain` lists all" in capsys.readouterr().err


def test_lint_says_once_where_more_is_said_and_only_to_people(tmp_path, capsys):
    mission = tmp_path / "mission.yaml"
    mission.write_text("steps: []\n")

    assert 1 == run(["lint", str(mission)])
    told = capsys.readouterr()
    assert ("`gonogo explain CODE` says more\n", False) == (told.err, "explain" in told.out)
    assert 1 == run(["lint", str(mission), "--json"])
    assert "" == capsys.readouterr().err


def test_schema_prints_what_is_shipped(capsys):
    assert 0 == run(["schema"])
    shipped = Path(__file__).parents[2] / "docs" / "language" / "mission.schema.json"
    assert shipped.read_text() == capsys.readouterr().out
