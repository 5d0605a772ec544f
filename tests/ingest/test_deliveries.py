"""Which files make up a billing period: told twice, renamed, rewritten, re-issued, and read by a run that is killed."""

import errno
import itertools
import os
from dataclasses import replace
from pathlib import Path

import pytest

from apps.finops.tables import CHARGES
from apps.ingest import books, landing, services
from apps.ingest.apart import asking
from apps.ingest.deliveries import Delivered, settle
from apps.ingest.models import LandedFile
from apps.ingest.quality import repeats
from apps.ingest.selectors import day_fingerprints
from apps.ingest.sources import provider_of
from apps.warehouse import lake
from tests.ingest.bills import NOW, bill, costs, errors, ingest, put, row, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

A, B, C = bill(row("1")), bill(row("10")), bill(row("100"))
NEXT_DAY = bill(row("1000", "2026-10-02"))
NOVEMBER = bill(row("5000", "2026-11-01"))
BOTH = bill(row("7", "2026-10-01"), row("70", "2026-11-01"))


@pytest.mark.parametrize(
    ("deliveries", "options", "expected"),
    [
        pytest.param([{"a.csv": A}, {"a.csv": A}], {}, ["1"], id="the same file twice counts once"),
        pytest.param([{"a.csv": A, "b.csv": A}], {}, ["1"], id="the same bytes under two names count once"),
        pytest.param([{"a.csv": A}, {"b.csv": A}], {}, ["1"], id="a renamed copy later counts once"),
        pytest.param([{"a.csv": A}, {"a.csv": B}], {}, ["10"], id="rewritten in place: the new content"),
        pytest.param([{"a.csv": A}, {"a.csv": B}, {"a.csv": A}], {}, ["1"], id="and back again: the old content"),
        pytest.param([{"a.csv": A, "b.csv": B}], {}, ["1", "10"], id="found together: parts"),
        pytest.param([{"a.csv": A}, {"b.csv": B}], {}, ["10"], id="later, the same day: the month is re-issued"),
        pytest.param(
            [{"a.csv": A}, {"b.csv": B}, {"c.csv": A}], {}, ["1"], id="re-issued with the first content again"
        ),
        pytest.param([{"a.csv": A, "b.csv": B}, {"c.csv": C}], {}, ["100"], id="a re-issue replaces all parts"),
        pytest.param([{"a.csv": A}, {"b.csv": NEXT_DAY}], {}, ["1", "1000"], id="later, another day: added"),
        pytest.param([{"a.csv": A}, {"b.csv": NOVEMBER}], {}, ["1", "5000"], id="later, another month: added"),
        pytest.param(
            [{"a.csv": A, "b.csv": B}, {"a.csv": C, "c.csv": bill(row("9"))}],
            {},
            ["10", "100", "9"],
            id="one part rewritten, another new: the new one joins",
        ),
        pytest.param(
            [{"a.csv": BOTH}, {"b.csv": NOVEMBER}], {}, ["5000", "7"], id="a re-issue of one of two months in a file"
        ),
        pytest.param([{"a.csv": A}, {"b.csv": B}], {"files": "parts"}, ["1", "10"], id="files=parts always adds"),
        pytest.param(
            [{"a.csv": A}, {"b.csv": NEXT_DAY}], {"files": "snapshots"}, ["1000"], id="files=snapshots always replaces"
        ),
        pytest.param(
            [{"a.csv": A}, {"a.csv": bill(row("x"))}], {}, ["1"], id="refused: the earlier revision keeps counting"
        ),
        pytest.param(
            [{"a.csv": A}, {"a.csv": bill(row("x"))}, {"a.csv": B}], {}, ["10"], id="and is replaced when mended"
        ),
        pytest.param([{"a.csv": A, "b.csv": bill(row("x"))}], {}, ["1"], id="one refused, the rest goes on"),
        pytest.param([{"a.csv": A, "b.csv": B}, {"a.csv": B, "b.csv": A}], {}, ["1", "10"], id="two files exchanged"),
    ],
)
def test_what_counts(tmp_path, deliveries, options, expected):
    one = source(tmp_path / "in", **options)
    for delivery in deliveries:
        for name, content in delivery.items():
            put(tmp_path / "in", name, content)
        ingest(one)
    assert costs() == sorted(expected)
    version = lake.version(CHARGES)
    ingest(one)
    assert (costs(), lake.version(CHARGES)) == (sorted(expected), version), "told again, nothing changes"


def test_a_vanished_file_keeps_counting(tmp_path):
    one = source(tmp_path / "in")
    path = put(tmp_path / "in", "a.csv", A)
    ingest(one)
    path.unlink()
    assert ingest(one) == []
    assert costs() == ["1"]


def test_a_missing_location_is_an_error(tmp_path):
    one = source(tmp_path / "in")
    (tmp_path / "in").rmdir()
    (problem,) = ingest(one)
    assert problem.startswith("error")
    assert "no such file or folder" in problem


def test_the_old_version_stays_readable(tmp_path):
    one = source(tmp_path / "in")
    put(tmp_path / "in", "a.csv", A)
    ingest(one)
    before = lake.version(CHARGES)
    put(tmp_path / "in", "a.csv", B)
    ingest(one)
    old = lake.scan(CHARGES, at=before).select("BilledCost").to_pyarrow()["BilledCost"].to_pylist()
    assert [int(cost) for cost in old] == [1]


def test_a_reissue_is_one_commit(tmp_path):
    one = source(tmp_path / "in")
    put(tmp_path / "in", "a.csv", A)
    put(tmp_path / "in", "b.csv", B)
    ingest(one)
    before = lake.version(CHARGES)
    put(tmp_path / "in", "c.csv", C)
    put(tmp_path / "in", "d.csv", NEXT_DAY)
    ingest(one)
    assert lake.version(CHARGES) == before + 1
    assert costs() == ["100", "1000"]


def test_landing_keeps_the_bytes(tmp_path):
    one = source(tmp_path / "in")
    put(tmp_path / "in", "a.csv", A)
    services.land(one, NOW)
    put(tmp_path / "in", "a.csv", B)
    services.land(one, NOW)
    kept = [landing.landed_path(file.sha256).read_bytes() for file in one.files.order_by("revision")]
    assert kept == [A, B]


def test_a_file_still_being_written_waits(tmp_path, monkeypatch):
    one = source(tmp_path / "in")
    path = put(tmp_path / "in", "a.csv", A)
    honest = landing._copy_and_hash

    def copy_while_it_grows(origin, target):
        digest = honest(origin, target)
        put(tmp_path / "in", "a.csv", A + b"more")
        return digest

    monkeypatch.setattr(landing, "_copy_and_hash", copy_while_it_grows)
    assert services.land(one, NOW).rows == 0
    monkeypatch.undo()
    path.write_bytes(A)
    assert services.land(one, NOW).rows == 1


@pytest.mark.parametrize(
    ("name", "shown", "said"),
    [
        pytest.param("账单-".encode() + b"\xff.csv", "账单-\\xff.csv", "its path is not UTF-8", id="no text"),
        pytest.param(b"\xd5\xcb/a.csv", "\\xd5\\xcb/a.csv", "its path is not UTF-8", id="a folder that is no text"),
        pytest.param(
            b"d" * 200 + (b"/" + b"d" * 200) * 4 + b"/a.csv", "d" * 120, "its path is longer than 1000 characters",
            id="too long",
        ),
    ],
)  # fmt: skip
def test_a_file_whose_name_cannot_be_kept_is_left_alone(tmp_path, name, shown, said):
    one = source(tmp_path / "in")
    put(tmp_path / "in", "good.csv", A)
    put(tmp_path / "in", os.fsdecode(name), B)
    for _ in range(2):
        assert ingest(one) == [f"warning {shown}: The file was left alone: {said}. Give it another name."]
        assert costs() == ["1"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES])
def test_parts_of_a_bill_wait_for_one_that_cannot_be_copied(tmp_path, monkeypatch, code):
    one = source(tmp_path / "in")
    for name, content in {"part-1.csv": A, "part-2.csv": B, "part-3.csv": C}.items():
        put(tmp_path / "in", name, content)
    honest = landing._copy_and_hash

    def fail_at_the_second(origin, target):
        if origin.name == "part-2.csv":
            raise OSError(code, os.strerror(code))
        return honest(origin, target)

    monkeypatch.setattr(landing, "_copy_and_hash", fail_at_the_second)
    (told,) = errors(ingest(one))
    assert told == f"error part-2.csv: Cannot be copied: {os.strerror(code)}. What was found with it waits for it."
    assert (costs(), one.files.count()) == ([], 0)
    monkeypatch.undo()
    assert ingest(one) == []
    assert costs() == ["1", "10", "100"]


def test_the_same_state_has_the_same_fingerprint(tmp_path):
    one = source(tmp_path / "in")
    prints = []
    for content in (A, B, A):
        put(tmp_path / "in", "a.csv", content)
        ingest(one)
        prints.append(day_fingerprints())
    assert prints[0] == prints[2] != prints[1]
    assert [str(day) for day in prints[0]] == ["2026-10-01"]


class Killed(BaseException):
    """As if the power failed here."""


FAILPOINTS = {
    "while landing": (landing, "keep"),
    "before the manifest": (services, "_enter"),
    "before the commit": (books, "_commit"),
    "after the commit": (books, "_record"),
}


@pytest.mark.parametrize("where", FAILPOINTS)
def test_a_killed_run_ends_the_same(tmp_path, monkeypatch, where):
    one = source(tmp_path / "in")
    put(tmp_path / "in", "a.csv", A)
    put(tmp_path / "in", "b.csv", NEXT_DAY)
    ingest(one)
    put(tmp_path / "in", "a.csv", C)
    put(tmp_path / "in", "n.csv", NOVEMBER)
    module, name = FAILPOINTS[where]

    def die(*_args, **_kwargs):
        raise Killed

    monkeypatch.setattr(module, name, die)
    with pytest.raises(Killed):
        ingest(one)
    monkeypatch.undo()
    assert errors(ingest(one)) == []
    assert costs() == ["100", "1000", "5000"]
    assert LandedFile.objects.filter(state=LandedFile.State.LANDED).count() == 0


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), Killed()])
@pytest.mark.parametrize("where", [asking, repeats])
def test_a_run_that_fails_while_it_reads_leaves_nothing_in_the_lake(tmp_path, monkeypatch, where, error):
    one = source(tmp_path / "in")
    put(tmp_path / "in", "a.csv", A)
    ingest(one)
    put(tmp_path / "in", "b.csv", NEXT_DAY)
    put(tmp_path / "in", "c.csv", NOVEMBER)
    services.land(one, NOW)
    before = lying()
    honest = asking.read_bill

    def fail_at_the_second(bill):
        if bill.name == "c.csv":
            raise error
        return honest(bill)

    if where is asking:
        monkeypatch.setattr(asking, "read_bill", fail_at_the_second)
    else:
        monkeypatch.setattr(services, "provider_of", lambda one: replace(provider_of(one), only_grows=True))
        monkeypatch.setattr(repeats, "look", lambda *_: (_ for _ in ()).throw(error))
    for _ in range(2):
        with pytest.raises(type(error)):
            services.normalize(one, NOW)
        assert lying() == before
    monkeypatch.undo()
    assert errors(ingest(one)) == []
    assert costs() == ["1", "1000", "5000"]


def lying() -> set[Path]:
    return set(lake.location(CHARGES).rglob("*.parquet"))


def test_a_partition_lost_from_the_lake_is_read_again_from_landing(tmp_path):
    one = source(tmp_path / "in")
    put(tmp_path / "in", "a.csv", A)
    ingest(one)
    lake.commit(CHARGES, add=[], remove=lake.files(CHARGES))
    assert costs() == []
    ingest(one)
    assert costs() == ["1"]


def test_two_sources_do_not_mix(tmp_path):
    first, second = source(tmp_path / "one", name="one"), source(tmp_path / "two", name="two")
    put(tmp_path / "one", "a.csv", A)
    put(tmp_path / "two", "a.csv", A)
    ingest(first)
    ingest(second)
    put(tmp_path / "one", "a.csv", B)
    ingest(first)
    assert costs() == ["1", "10"]


OCTOBER = frozenset(["2026-10-01"])


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_settling_does_not_depend_on_the_order_it_is_told(order):
    history = [
        Delivered("f1", "a.csv", 1, 1, {"2026-10": OCTOBER}),
        Delivered("f2", "b.csv", 1, 1, {"2026-10": OCTOBER}),
        Delivered("f3", "a.csv", 2, 2, {"2026-10": OCTOBER}),
        Delivered("f4", "c.csv", 3, 1, {"2026-10": OCTOBER}),
    ]
    assert settle([history[at] for at in order]).counting == {("f4", "2026-10")}
    assert settle([history[at] for at in order if at < 3]).counting == {("f2", "2026-10"), ("f3", "2026-10")}


def released(key: str, release: str, *, refused: bool = False) -> Delivered:
    return Delivered(
        key, f"{key}.csv", 1, 1, {} if refused else {"2026-10": frozenset(["2026-10-01"])},
        period="October", release=release, is_refused=refused,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("files", "counting"),
    [
        pytest.param([released("a", "1"), released("b", "1")], {"a", "b"}, id="all files of one release"),
        pytest.param([released("a", "1"), released("b", "2")], {"b"}, id="only those of the last release"),
        pytest.param([released("b", "2"), released("a", "1")], {"b"}, id="in whatever order they came"),
        pytest.param(
            [released("a", "1"), released("b", "2"), released("c", "2", refused=True)], {"a"},
            id="a release with a refused file does not count",
        ),
    ],
)  # fmt: skip
def test_a_release_replaces_its_period_whole(files, counting):
    assert settle(files).counting == {(key, "2026-10") for key in counting}


def monthly(key: str, month: str, release: str, *windows: str) -> Delivered:
    days = {window: frozenset([f"{window}-01"]) for window in windows}
    return Delivered(key, f"{key}.csv", 1, 1, days, period=f"1690 {month}", release=release)


@pytest.mark.parametrize(
    ("release", "counting"),
    [
        pytest.param("days", {("oct", "2026-10"), ("nov", "2026-10"), ("nov", "2026-11")}, id="late rows add"),
        pytest.param("final", {("oct", "2026-10"), ("nov", "2026-11")}, id="a final month has them already"),
    ],
)
def test_a_final_release_closes_its_month(release, counting):
    files = [monthly("oct", "2026-10", release, "2026-10"), monthly("nov", "2026-11", "days", "2026-10", "2026-11")]
    assert settle(files).counting == counting


def test_a_final_release_closes_the_month_of_its_own_account_only():
    other = Delivered("o", "o.csv", 1, 1, {"2026-10": OCTOBER}, period="1691 2026-11", release="days")
    assert settle([monthly("oct", "2026-10", "final", "2026-10"), other]).counting == {
        ("oct", "2026-10"),
        ("o", "2026-10"),
    }


OCT, SEP = "2026-10", "2026-09"


def month_of_days(month, count):
    return {month: frozenset(f"{month}-{day:02}" for day in range(1, count + 1))}


@pytest.mark.parametrize(
    ("periods", "counting"),
    [
        pytest.param(
            {"s 202609-202610": month_of_days(SEP, 30) | month_of_days(OCT, 31),
             "s 202610": month_of_days(OCT, 31)},
            {("s 202609-202610", SEP), ("s 202610", OCT)}, id="the month by itself",
        ),
        pytest.param(
            {"202609-202610": month_of_days(SEP, 30) | month_of_days(OCT, 31),
             "202610": month_of_days(OCT, 7)},
            {("202609-202610", SEP), ("202609-202610", OCT)}, id="a week of the month does not replace it",
        ),
        pytest.param(
            {"s 202609-202610": month_of_days(SEP, 30) | month_of_days(OCT, 9),
             "s 202608-202610": month_of_days(SEP, 30) | month_of_days(OCT, 31)},
            {("s 202609-202610", SEP), ("s 202608-202610", OCT)}, id="two over several months",
        ),
        pytest.param(
            {"a 202609-202610": month_of_days(OCT, 31), "b 202610": month_of_days(OCT, 31)},
            {("a 202609-202610", OCT), ("b 202610", OCT)}, id="another scope",
        ),
        pytest.param(
            {"s 202610": month_of_days(OCT, 31), "s 202611": month_of_days(OCT, 2)},
            {("s 202610", OCT), ("s 202611", OCT)}, id="late rows in the month after are added",
        ),
    ],
)  # fmt: skip
def test_periods_over_several_months_tell_no_month_twice(periods, counting):
    files = [
        Delivered(key, f"{key}.csv", 1, 1, windows, period=key, release="20261102") for key, windows in periods.items()
    ]
    assert settle(files).counting == counting
