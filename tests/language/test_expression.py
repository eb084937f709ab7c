"""Expressions answer alike everywhere, take an error for an error, and end soon whatever they are."""

import os
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.expression import (
    ExpressionError,
    evaluate,
    evaluate_bool,
    names,
    problems,
    render,
    template_expressions,
)

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(("score", "expected"), [(8, False), (8.0, False), (8.5, True), (9, True), (-1, False)])
def test_whole_and_other_numbers_compare(score: float, expected: bool):
    assert evaluate("draft.score > 8", {"draft": {"score": score}}) is expected
    assert evaluate("draft.score > 8.0", {"draft": {"score": score}}) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2", 3),
        ("7 / 2", 3),
        ("0.5 * 3.0", 1.5),
        ("'a' + 'b'", "ab"),
        ("[1, 'a', null, {'b': 2.5}]", [1, "a", None, {"b": 2.5}]),
        ("has(x.a) ? x.a : 0", 1),
        ("has(x.none) ? x.none : 0", 0),
        ("x.list.filter(i, i > 1).map(i, i * 2)", [4, 6]),
        ("x.list.exists(i, i == 3) && x.list.all(i, i > 0)", True),
        ("'c' in x", False),
        ("x.a in [1, 2]", True),
        ("size(x.list)", 3),
        ("x['a'] == 1.0", True),
        ("string(x.a) + '!'", "1!"),
        ("x.name.matches('^w[0-9]+$')", True),
        ("x.when < timestamp('2026-01-02T00:00:00Z') ? 1 : 2", None),
    ],
)
def test_what_expressions_answer(source: str, expected: Any):
    variables = {"x": {"a": 1, "list": [1, 2, 3], "name": "w12"}}
    if expected is None:
        with pytest.raises(ExpressionError):
            evaluate(source, variables)
    else:
        assert evaluate(source, variables) == expected


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x.none", "there is no field 'none'"),
        ("none", "variable 'none' has no value"),
        ("x.a > 'b'", "these do not go together: _>_(int64, string)"),
        ("1 / 0", "divide by zero"),
        ("x.list[7]", "Index error: index=7 size=2"),
        ("1.0 / 0.0", "answers no finite number, which JSON cannot hold"),
        ("{1: 2}", "answers a map whose keys are not all text, which JSON cannot hold"),
        ("timestamp('2026-01-01T00:00:00Z')", "answers a datetime, which JSON cannot hold"),
        ("b'abc'", "answers a bytearray, which JSON cannot hold"),
        ("x.map(k, k)", "map() and filter() need a list; a map has no order"),
        ("{'b': 1, 'a': 2}.filter(k, true)", "map() and filter() need a list; a map has no order"),
        ("x +", "syntax error: the expression ends too soon (line 1, column 4 of the expression)"),
        ("", "the expression is empty (line 1, column 1 of the expression)"),
    ],
)
def test_an_error_is_an_error_and_never_an_answer(source: str, reason: str):
    with pytest.raises(ExpressionError) as caught:
        evaluate(source, {"x": {"a": 1, "list": [1, 2]}})

    assert str(caught.value) == reason


@pytest.mark.parametrize("source", ["x.a", "x.name", "x.none", "x.list", "null", "'true'", "x.a > 'b'", "1 / 0 == 1"])
def test_only_true_is_true(source: str):
    with pytest.raises(ExpressionError):
        evaluate_bool(source, {"x": {"a": 1, "list": [1], "name": "true"}})


def test_true_and_false_are():
    assert evaluate_bool("x.ok == true", {"x": {"ok": True}}) is True
    assert evaluate_bool("x.ok == true", {"x": {"ok": None}}) is False


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a.b.c > d && e['f'] in g", {"a", "d", "e", "g"}),
        ("a.exists(i, i.x == b)", {"a", "b"}),
        ("a.map(a, a + 1)", {"a"}),
        ("[1, 2].map(i, i)", set()),
        ("has(a.b)", {"a"}),
        ("{'k': a, b: 1}", {"a", "b"}),
        (".a == 1", {"a"}),
        ("type(a) == int", {"a"}),
        ("a.map(i, b).exists(i, i == c) ? d : e", {"a", "b", "c", "d", "e"}),
    ],
)
def test_the_variables_that_an_expression_reads(source: str, expected: set[str]):
    assert names(source) == expected


def test_problems_have_a_place_and_the_nearest_name():
    assert [tuple(problem) for problem in problems("true &&\n drft.ok", ["draft", "alert"])] == [
        ("unknown variable 'drft'; did you mean 'draft'?", 2, 2)
    ]
    assert problems("draft.ok", ["draft"]) == []


def test_a_map_comes_out_in_the_order_of_its_keys():
    assert list(evaluate("{'b': 1, 'a': {'d': 1, 'c': 2}}", {})) == ["a", "b"]
    assert list(evaluate("x", {"x": {"b": 1, "a": 2}})) == ["a", "b"]


def test_every_process_answers_alike():
    """CEL's maps have an order of their own in every process; none of it may be seen."""
    program = (
        "from language.expression import evaluate\n"
        "x = {chr(97 + n): n for n in range(26)}\n"
        "print(evaluate('x', {'x': x}), evaluate('[x, {\"z\": x, \"y\": 1}].map(i, i)', {'x': x}))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=os.environ
        ).stdout
        for _ in range(3)
    }

    assert len(said) == 1


def test_a_string_that_is_one_expression_keeps_its_type():
    variables = {"x": {"n": 3, "list": [1], "text": "hi"}}

    assert render("${{ x.n }}", variables) == 3
    assert render("${{ x.list }}", variables) == [1]
    assert render({"a": ["${{ x.text }}", 7, None]}, variables) == {"a": ["hi", 7, None]}


def test_within_text_values_stand_as_text_and_json():
    variables = {"x": {"n": 3, "list": [1, "é"], "text": "hi"}}

    assert render("${{ x.text }}: ${{x.n}} of ${{ x.list }}", variables) == 'hi: 3 of [1,"é"]'
    assert render(" ${{ x.n }}", variables) == " 3"


def test_braces_and_quotes_inside_an_expression_do_not_end_it():
    assert render('${{ {"a": {"b": 1}} }}', {}) == {"a": {"b": 1}}
    assert render('${{ \'}}\' + "\\"}}" }}', {}) == '}}"}}'


def test_an_answer_is_data_and_never_a_template_again():
    assert render("${{ x }}", {"x": "${{ 1 + 1 }}"}) == "${{ 1 + 1 }}"


def test_the_expressions_of_a_value():
    value = {"a": ["${{ x }} and ${{y}}", {"b": "${{ z }}"}], "c": "plain", "d": 3}

    assert template_expressions(value) == [" x ", "y", " z "]
    with pytest.raises(ExpressionError, match="without its"):
        template_expressions("${{ x }")


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("x", {"admin\0": True}),
        ("x['admin']", {"admin\0": True}),
        ("x.deep", {"deep": [{"\0": 1}]}),
        ("x == 'admin'", "admin\0, or not"),
        ("x", ["a\0"]),
        ("'a\\u0000b' == 'a'", None),
    ],
)
def test_what_would_be_read_as_something_else_is_refused(source: str, value: Any):
    """CEL takes a text to end at the first NUL: what comes after it would be lost."""
    with pytest.raises(ExpressionError, match="a NUL in"):
        evaluate(source, {"x": value})


@given(JSON)
def test_json_goes_through_an_expression_unchanged(value: Any):
    assert evaluate("x", {"x": value}) == value
    assert evaluate("[x][0] == x", {"x": value}) is True


NUMBERS = list(range(9_000))
TEXTS = ["a" * 1_000] * 9_000
PEOPLE = [{"id": n, "name": str(n)} for n in range(5_000)]
DEEP: list[Any] = []
for _ in range(50_000):
    DEEP = [DEEP]

HOSTILE: list[tuple[str, Any]] = [
    ("x.filter(a, a in x)", NUMBERS),
    ("x.filter(a, -1 in x)", NUMBERS),
    ("x.filter(a, x == x)", NUMBERS),
    ("x.map(a, x + x)", NUMBERS),
    ("x.map(a, x).map(b, b + b)", NUMBERS[:500]),
    ("x.map(a, string(a)).size()", NUMBERS),
    ("x.all(a, x.all(b, x.all(c, c >= 0)))", NUMBERS[:1_000]),
    ("x.all(a, x.all(b, x == x))", NUMBERS[:90]),
    ("x.all(a, a + a != x[0])", TEXTS),
    ("x.map(e, {'a': e, 'b': e}).map(e, {'a': e, 'b': e}).map(e, {'a': e, 'b': e})", PEOPLE),
    ("x.exists(e, e.name.matches('(.*a.*){0,80}b'))", PEOPLE),
    ("x.all(a, a.matches('((.*a.*){0,30}){0,30}b') || true)", ["a" * 10] * 900),
    ("x.matches('((.*a.*){0,30}){0,30}b')", "a" * 100_000),
    ("x.text.matches(x.pattern)", {"text": "a" * 100_000, "pattern": "(.*a.*){0,800}b"}),
    ("x.text.contains(x.part)", {"text": "a" * 200_000, "part": "a" * 100_000 + "b"}),
    ("'" + "a" * 16 + "'" + " + x" * 20, "a" * 10_000_000),
    ("['aaaaaaaaaaaaaaaa']" + ".map(s, s + s + s + s + s + s + s + s + s)" * 6, None),
    ("[[1]]" + ".map(s, [s, s, s, s, s, s, s, s])" * 6, None),
    ("[[1]]" + ".map(s, {'a': s, 'b': s, 'c': s, 'd': s, 'e': s})" * 6, None),
    (" || ".join(["x"] * 490), False),
    ("(" * 990 + "x" + ")" * 990, 1),
    ("[" * 990 + "]" * 990, 1),
    ("-" * 1_999 + "x", 1),
    ("x" + ".a" * 990, {}),
    ("x" + "[0]" * 600, []),
    ("x ? " * 300 + "1" + " : 1" * 300, True),
    ("x.all(a, " * 6 + "true" + ")" * 6, NUMBERS[:20]),
    ("x", [1] * 1_000_000),
    ("x == x", DEEP),
    ("x", DEEP),
    ("x", "\ud800"),
    ("x", 2**70),
    ("x", float("nan")),
    ("x", {1: 2}),
    ("x", object()),
    ("\x00", None),
    ("a" * 100_000, None),
]


@pytest.mark.parametrize(("source", "value"), HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_expression_ends_soon(source: str, value: Any):
    """The bound is 100 ms of work; a busy machine takes none of it."""
    took = min(timed(source, value) for _ in range(3))

    assert took < 0.1


def timed(source: str, value: Any) -> float:
    began = time.thread_time()
    try:
        evaluate(source, {"x": value})
    except ExpressionError as error:
        assert str(error)
    return time.thread_time() - began


@given(st.text(alphabet="x.ab()[]{}\"'+-*/%!&|<>=?:,0129 \\\n_é", max_size=60))
def test_no_text_can_crash_the_compiler(source: str):
    try:
        evaluate(source, {"x": {"a": 1}})
    except ExpressionError as error:
        assert str(error)


def test_a_large_variable_costs_no_more_than_the_field_that_is_read():
    variables = {"x": {"ok": True, "rest": [{"n": n} for n in range(200_000)]}}

    assert evaluate("x.ok", variables) is True
    assert min(timed("x.ok", variables["x"]) for _ in range(3)) < 0.01


def test_a_search_through_a_thousand_events_is_within_bounds():
    events = [{"host": f"h{n}", "severity": n % 7} for n in range(1_000)]
    variables = {"events": events, "alert": {"host": "h999"}}

    assert evaluate("events.exists(e, e.host == alert.host && e.severity > 3)", variables) is True


def test_simple_comparisons_are_fast():
    """About 50,000 a second here; the bound leaves room for a slow machine."""
    variables = {"draft": {"score": 9}}
    evaluate("draft.score > 8", variables)
    began = time.thread_time()
    for _ in range(5_000):
        evaluate("draft.score > 8", variables)

    assert 5_000 / (time.thread_time() - began) > 5_000
