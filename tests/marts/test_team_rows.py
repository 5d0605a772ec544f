"""Rows of all teams are computed once, and everybody gets those of the own teams."""

import threading
from decimal import Decimal

import ibis
import pyarrow as pa
import pytest

from apps.marts import team_rows
from apps.marts.team_rows import TeamRows

ROWS = [
    ("web", "online", "1.5", "2"),
    ("web", "batch", "0.1", None),
    ("data", "online", "10", None),
    ("ops", "online", "0", "7"),
]
KINDS = {"team": "string", "cluster": "string", "cost": "decimal(38, 12)", "hours": "decimal(38, 6)"}


class Asked:
    """Rows as an expression; for which teams they were computed."""

    def __init__(self) -> None:
        self.of: list[frozenset[str] | None] = []

    def __call__(self, teams):
        self.of.append(teams)
        rows = [
            (team, cluster, Decimal(cost), hours and Decimal(hours))
            for team, cluster, cost, hours in ROWS
            if teams is None or team in teams
        ]
        told = [dict(zip(KINDS, row, strict=True)) for row in rows]
        return ibis.memtable(pa.Table.from_pylist(told, schema=ibis.schema(KINDS).to_pyarrow()))


def picked(kept, asked, *teams, key="one"):
    return sorted(kept.get(key, frozenset(teams), asked, names=1), key=str)


def test_each_gets_the_own_rows_and_they_are_computed_once() -> None:
    kept, asked = TeamRows(), Asked()
    assert picked(kept, asked, "web") == [("batch", Decimal("0.1"), None), ("online", Decimal("1.5"), 2)]
    assert picked(kept, asked, "data") == [("online", Decimal(10), None)]
    assert picked(kept, asked, "data", "web", "nobody") == [
        ("batch", Decimal("0.1"), None), ("online", Decimal("11.5"), 2),
    ]  # fmt: skip
    assert picked(kept, asked) == picked(kept, asked, "nobody") == []
    assert asked.of == [None]
    picked(kept, asked, "web", key="another")
    assert asked.of == [None, None]


def test_more_rows_than_are_kept_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(team_rows, "MOST_ROWS", 3)
    kept, asked = TeamRows(), Asked()
    for _ in range(2):
        assert kept.get("one", frozenset({"data", "web"}), asked, names=1) is None
    assert asked.of == [None]


def test_what_one_alone_asks_is_not_asked_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, web, data = TeamRows(), frozenset({"web"}), frozenset({"data"})
    assert [kept.is_asked_by_others("one", teams) for teams in (web, web, data, web)] == [False, False, True, False]
    picked(kept, Asked(), "data")
    assert kept.is_asked_by_others("one", web)  # they are there
    monkeypatch.setattr(team_rows, "MOST_ASKED", 1)
    assert not kept.is_asked_by_others("two", data)
    kept.clear()
    assert not kept.is_asked_by_others("one", data)


def test_what_was_not_asked_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    kept, asked = TeamRows(), Asked()
    picked(kept, asked, "web", key="first")
    size = kept._held["first"].nbytes
    monkeypatch.setattr(team_rows, "MOST_BYTES", 2 * size)
    for key in ("second", "first", "third"):
        picked(kept, asked, "web", key=key)
    assert [*kept._held] == ["first", "third"]
    monkeypatch.setattr(team_rows, "MOST_BYTES", size - 1)  # larger than all that may be kept: an answer all the same
    assert picked(kept, asked, "data", key="fourth") == [("online", Decimal(10), None)]


def test_those_who_ask_at_once_have_it_computed_once() -> None:
    kept, asked, found = TeamRows(), Asked(), []
    threads = [threading.Thread(target=lambda: found.append(picked(kept, asked, "web"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 8
    assert len(found[0]) == 2
    assert asked.of == [None]


def test_what_is_there_is_told_while_something_else_is_made() -> None:
    kept, asked, begun, go_on = TeamRows(), Asked(), threading.Event(), threading.Event()
    picked(kept, asked, "web")

    def slowly(teams):
        begun.set()
        assert go_on.wait(30)
        return asked(teams)

    slow = threading.Thread(target=lambda: picked(kept, slowly, "web", key="another"))
    slow.start()
    try:
        assert begun.wait(30)
        assert picked(kept, asked, "data") == [("online", Decimal(10), None)]
        assert slow.is_alive()
    finally:
        go_on.set()
        slow.join()
