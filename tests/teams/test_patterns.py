"""What a pattern of a condition fits, one value at a time."""

import pytest

from apps.teams.ownership import fits


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [
        pytest.param("web*", ["web", "web-1"], ["my-web", "WEB"], id="a star is any characters"),
        pytest.param("*-api-*", ["a-api-b", "-api-"], ["a-api"], id="stars at both ends"),
        pytest.param("a.[b]?", ["a.[b]?"], ["axbc", "a.b"], id="nothing else is special"),
        pytest.param("exact:a*", ["a*"], ["ab"], id="an exact text keeps its star"),
        pytest.param("prefix:a*", ["a*b", "a*"], ["ab"], id="so does a beginning"),
        pytest.param("re:i-[0-9]+", ["i-12"], ["i-", "xi-1", "i-1x"], id="an expression, from beginning to end"),
        pytest.param("*", ["", "a\nb"], [], id="a star alone is everything, line breaks too"),
    ],
)
def test_a_pattern_fits(pattern: str, fitting: list[str], other: list[str]) -> None:
    assert [fits(value, pattern) for value in fitting] == [True] * len(fitting)
    assert not any(fits(value, pattern) for value in other)
