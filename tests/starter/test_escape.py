"""What a text hides is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.visible import HIDDEN, visible


@pytest.mark.parametrize(
    "hidden",
    ["\x1b", "\x07", "\x9b", "\u202e", "\u2066", "\u200b", "\ufeff", "\u00ad", "\ufe0f", "\u3164", "\U000e0041"],
)
def test_a_hidden_character_is_spelt_out(hidden):
    assert f"a<U+{ord(hidden):04X}>b" == visible(f"a{hidden}b")


@pytest.mark.parametrize("plain", ["web-01", "Inês Duarte", "日本語", "naïve — “quoted” €", "e\u0301", "🙂"])
def test_what_people_write_stays_as_it_is(plain):
    assert plain == visible(plain)


@pytest.mark.parametrize(
    ("posing", "told"),
    [
        ("w\u0435b-01", "w<U+0435>b-01"),
        ("r\u043eot", "r<U+043E>ot"),
        ("\u0391dmin", "<U+0391>dmin"),
        ("\u0432\u0435\u0431-01", "\u0432\u0435\u0431-01"),
        ("\u0394t = 3", "\u0394t = 3"),
    ],
)
def test_a_letter_that_poses_as_a_latin_one_is_spelt_out_among_latin_ones(posing, told):
    assert told == visible(posing)


def test_lines_stay_lines_only_where_they_are_asked_for():
    assert ("a\nb", "a<U+000A>b") == (visible("a\nb", lines=True), visible("a\nb"))


@given(st.text())
def test_nothing_hidden_is_ever_left(text):
    import unicodedata

    assert not {letter for letter in visible(text) if unicodedata.category(letter) in HIDDEN}
