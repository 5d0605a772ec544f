"""YAML that people bring and take away: short texts stay small."""

from contextlib import nullcontext
from datetime import date

import pytest

from apps.finops import yamls


def test_what_stands_twice_is_written_twice():
    day, names = date(2026, 11, 1), ["a", "b"]
    told = yamls.written([{"from": day, "names": names}, {"from": day, "names": names}])
    assert told == "- from: 2026-11-01\n  names:\n  - a\n  - b\n" * 2


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param("a: &a [1]\nb: *a", 2, "write out what *a stands for", id="a list told once and meant twice"),
        pytest.param("a: &day 2026-11-01\nb: *day", 2, "what *day stands for", id="a word"),
        pytest.param("a: &a {x: 1}\nb:\n  <<: *a", 3, "what *a stands for", id="a mapping taken into another"),
        pytest.param("&a [*a]", 1, "what *a stands for", id="a list of itself"),
        pytest.param("\n" + "[" * 5_000, 2, "nested too deeply; 100 levels are read", id="lists in lists"),
        pytest.param("\n" + "{a: " * 5_000, 2, "nested too deeply", id="mappings in mappings"),
    ],
)
def test_what_grows_while_it_is_read_is_refused_by_line(text, line, said):
    with pytest.raises(yamls.Unread) as refused:
        yamls.compose(text)
    assert refused.value.line == line
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param('a: 1\nb: "\\U00110000"', "names no character", id="beyond the last one"),
        pytest.param('a: 1\nb: "\\UFFFFFFFF"', "names no character", id="beyond all numbers"),
        pytest.param('a: 1\nb: "x\\uD83D"', "names half a character", id="half of one"),
        pytest.param('a: 1\n"\\uDE00": b', "names half a character", id="half of one in a key"),
    ],
)
def test_an_escape_that_names_no_character_is_refused_by_line(text, said):
    with pytest.raises(yamls.Unread, match=said) as refused:
        yamls.compose(text)
    assert refused.value.line == 2


def test_an_escape_names_a_character():
    assert yamls.compose('"\\U0001F600"').value == "\U0001f600"


def test_an_anchor_that_nobody_means_is_read():
    assert yamls.compose("a: &a [1, 2]") is not None


@pytest.mark.parametrize("more", [0, 1])
def test_levels_are_counted_from_the_document_on(more):
    inside = yamls.MOST_LEVELS - 1 + more
    with pytest.raises(yamls.Unread) if more else nullcontext():
        yamls.compose("[" * inside + "x" + "]" * inside)
    assert yamls.compose("[" + "[x], " * 1_000 + "]") is not None
