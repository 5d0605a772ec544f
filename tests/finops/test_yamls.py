"""YAML that people bring and take away: short texts stay small."""

from datetime import date

from apps.finops import yamls


def test_what_stands_twice_is_written_twice():
    day, names = date(2026, 11, 1), ["a", "b"]
    told = yamls.written([{"from": day, "names": names}, {"from": day, "names": names}])
    assert told == "- from: 2026-11-01\n  names:\n  - a\n  - b\n" * 2
