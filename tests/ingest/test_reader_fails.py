"""What counts while CostOps itself fails at a file: nothing stops counting for want of it, and nobody has to help."""

import json
from contextlib import contextmanager
from datetime import date

import pytest

from apps.ingest import services
from apps.ingest.apart import asking
from apps.ingest.models import Arrival, LandedFile
from apps.warehouse import failpoints
from tests.ingest.bills import NOW, bill, costs, days, deliver, errors, ingest, put, row, source, states

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]
State = LandedFile.State


@pytest.fixture(autouse=True)
def _apart(settings):
    settings.COSTOPS_READ_APART = True
    yield
    failpoints.arm("")


@contextmanager
def failing_at(path):
    """Within, CostOps fails at a file."""
    honest = asking._told
    failed = {"failed": "OverflowError: a mistake", "trace": ""}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asking, "_told", lambda asked: failed if path in json.dumps(asked) else honest(asked))
        yield


def ingest_twice(one, path):
    """The run fails at a file, and so does the next one."""
    for _ in range(2):
        with pytest.raises(asking.ReaderFailed, match=rf"^{path}: OverflowError: a mistake$"):
            ingest(one)
        yield


def land(folder, one, **files):
    for name, content in files.items():
        put(folder, f"{name}.csv", content)
    services.land(one, NOW)


def test_a_file_of_another_delivery_counts_where_it_adds(tmp_path):
    one = source(tmp_path / "in")
    deliver(tmp_path / "in", one, {"a.csv": bill(row("1"))})
    land(tmp_path / "in", one, a=bill(row("2")))
    land(tmp_path / "in", one, b=bill(row("4", day="2026-11-02")))
    with failing_at("a.csv"):
        for _ in ingest_twice(one, "a.csv"):
            assert costs() == ["1", "4"], "what counted before, and what can be read"
            assert LandedFile.objects.get(path="a.csv", revision=2).state == State.LANDED
    assert Arrival.objects.filter(day=date(2026, 11, 2)).exists(), "it came when it could be read"
    assert errors(ingest(one)) == []
    assert costs() == ["2", "4"]


@pytest.mark.parametrize("below", ["0", "0.8"])
def test_a_delivery_replaces_nothing_without_one_of_its_files(tmp_path, below):
    one = source(tmp_path / "in", hold_below=below)
    deliver(tmp_path / "in", one, {"a1.csv": days(1, 2, cost="10"), "a2.csv": days(1, 2, cost="3")})
    land(tmp_path / "in", one, b1=days(1, 2, cost="11"), b2=days(1, 2, cost="4"))
    with failing_at("b2.csv"):
        for _ in ingest_twice(one, "b2.csv"):
            assert costs() == ["10", "10", "3", "3"]
    assert errors(ingest(one)) == []
    assert costs() == ["11", "11", "4", "4"]


def test_a_copy_that_is_to_count_again_and_cannot_be_read_leaves_what_counted(tmp_path):
    one = source(tmp_path / "in")
    deliver(tmp_path / "in", one, {"b.csv": days(1, 2)}, {"copy.csv": days(1, 2)})
    land(tmp_path / "in", one, b=bill(row("7", day="2026-11-02")))
    with failing_at("copy.csv"):
        for _ in ingest_twice(one, "copy.csv"):
            assert costs() == ["10", "10"]
    assert errors(ingest(one)) == []
    assert costs() == ["10", "10", "7"]


def test_what_a_later_delivery_leaves_out_goes_on_counting_until_the_earlier_is_read(tmp_path):
    one = source(tmp_path / "in")
    deliver(tmp_path / "in", one, {"a.csv": days(1, cost="1"), "b.csv": days(2, 3, cost="2")})
    land(tmp_path / "in", one, a=days(1, 3, cost="1"))
    land(tmp_path / "in", one, b=days(2, cost="2"))
    with failing_at("a.csv"):
        for _ in ingest_twice(one, "a.csv"):
            assert costs() == ["1", "2", "2"]
    assert errors(ingest(one)) == []
    assert costs() == ["1", "1", "2"]


def test_nobody_is_asked_for_want_of_a_file_that_cannot_be_read(tmp_path):
    one = source(tmp_path / "in")
    deliver(tmp_path / "in", one, {"a.csv": days(1, 2, cost="1")})
    land(tmp_path / "in", one, a=days(5, cost="1"))
    land(tmp_path / "in", one, c=days(1, cost="3"))
    with failing_at("a.csv"):
        for _ in ingest_twice(one, "a.csv"):
            assert (costs(), states(one)["c.csv"]) == (["1", "1"], State.LANDED)
    assert errors(ingest(one)) == []
    assert costs() == ["1", "3"]
