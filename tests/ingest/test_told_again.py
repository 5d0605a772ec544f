"""Days that several files tell: cut in another zone, of several accounts, told again in part, archived, packed anew."""

import gzip
import io
import itertools
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.ingest.delivered import Delivered
from apps.ingest.deliveries import settle
from apps.ingest.landing import landed_path
from apps.ingest.models import LandedFile
from tests.ingest.bills import asked, bill, costs, days, deliver, row, source, states, total
from tests.ingest.providers.test_gcp import usage
from tests.ingest.providers.test_huawei import factor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

State = LandedFile.State


def at(cost: str, moment: str, **cells: str) -> dict[str, str]:
    """A charge of the hour that begins at `01T04`, of October 2026."""
    return row(cost, f"2026-10-{moment[:2]}", **{"ChargePeriodStart": f"2026-10-{moment}:00:00Z"} | cells)


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inside.csv", content)
    return packed.getvalue()


class TestDaysOfAnotherZone:
    """A provider's day is not ours: its files share a day of ours, and no hour of it."""

    def test_of_days_of_china_counted_in_utc_every_file_counts(self, tmp_path):
        one = source(tmp_path / "in", kind="huawei", hold_below="0.8")
        for day in range(1, 6):
            rows = [
                factor("10", 官网价="10", 优惠金额="0", 消费开始时间=f"2026-10-{day:02} {hour:02}:00:00 GMT+08:00")
                for hour in (2, 12, 20)
            ]
            deliver(tmp_path / "in", one, {f"x_PriceFactorBillDetail_202610{day:02}.csv": bill(*rows)})
        assert total() == 150

    @pytest.mark.parametrize("order", [(1, 2, 3, 4), (4, 3, 2, 1), (1, 3, 4, 2)])
    def test_of_days_of_utc_counted_in_china_in_any_order(self, tmp_path, settings, order):
        settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
        one = source(tmp_path / "in")
        for day in order:
            deliver(tmp_path / "in", one, {f"{day}.csv": bill(at("10", f"{day:02}T04"), at("10", f"{day:02}T20"))})
        assert total() == 80

    def test_a_snapshot_replaces_them_all(self, tmp_path):
        one = source(tmp_path / "in")
        files = [
            {"1.csv": bill(at("1", "01T04"), at("1", "01T20"))},
            {"2.csv": bill(at("1", "01T21"), at("1", "02T20"))},
        ]
        whole = bill(at("5", "01T04"), at("5", "01T20"), at("5", "01T21"), at("5", "02T20"))
        deliver(tmp_path / "in", one, *files, {"whole.csv": whole})
        assert total() == 20


class TestSeveralAccounts:
    A, B = days(1, 2, BillingAccountId="A"), days(1, 2, cost="7", BillingAccountId="B")

    @pytest.mark.parametrize("files", ["auto", "snapshots"])
    def test_a_file_of_another_account_replaces_nothing(self, tmp_path, files):
        one = source(tmp_path / "in", files=files)
        deliver(tmp_path / "in", one, {"a.csv": self.A}, {"b.csv": self.B})
        assert total() == 34

    def test_each_is_replaced_by_its_own(self, tmp_path):
        one = source(tmp_path / "in")
        again = days(1, 2, 3, cost="9", BillingAccountId="A")
        deliver(tmp_path / "in", one, {"a.csv": self.A}, {"b.csv": self.B}, {"a2.csv": again})
        assert costs() == ["7", "7", "9", "9", "9"]

    def test_a_file_of_two_is_replaced_by_two_files_found_together(self, tmp_path):
        one = source(tmp_path / "in")
        both = bill(row("1", BillingAccountId="A"), row("1", BillingAccountId="B"))
        deliver(tmp_path / "in", one, {"both.csv": both}, {"a.csv": self.A, "b.csv": self.B})
        assert total() == 34

    @pytest.mark.parametrize("files", ["auto", "snapshots"])
    def test_a_file_of_two_is_not_replaced_by_one_of_them(self, tmp_path, files):
        one = source(tmp_path / "in", files=files)
        both = bill(row("1", BillingAccountId="A"), row("1", BillingAccountId="B"))
        deliver(tmp_path / "in", one, {"both.csv": both}, {"b.csv": self.B})
        assert "told by both.csv as well, of which this leaves something out" in asked(one, "b.csv")
        assert costs() == ["1", "1"]


class TestContentToldTwice:
    def test_an_archive_of_a_file_that_is_overwritten_counts_when_nothing_else_holds_it(self, tmp_path):
        one = source(tmp_path / "in", hold_below="0.8")
        for day in range(1, 5):
            content = days(day, cost=f"10{day}")
            deliver(tmp_path / "in", one, {"latest.csv": content}, {f"archive/{day}.csv": content})
        assert costs() == ["101", "102", "103", "104"]
        assert states(one)["archive/4.csv"] == State.DUPLICATE

    def test_also_where_it_is_archived_as_it_is_overwritten(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, {"latest.csv": days(1)}, {"latest.csv": days(2), "archive/1.csv": days(1)})
        assert total() == 20

    @pytest.mark.parametrize("is_late", [True, False])
    def test_an_archive_of_snapshots_is_not_counted_beside_the_newest(self, tmp_path, is_late):
        one = source(tmp_path / "in")
        for day in range(1, 5):
            archived = {} if day == 1 else {f"archive/{day - 1}.csv": days(*range(1, day))}
            newest = {"latest.csv": days(*range(1, day + 1))}
            deliver(tmp_path / "in", one, *([archived, newest] if is_late else [archived | newest]))
        assert total() == 40

    def test_what_was_issued_anew_does_not_come_back_by_its_copy(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, {"a.csv": days(1), "copy.csv": days(1)}, {"b.csv": days(1, 2)})
        deliver(tmp_path / "in", one, {"a.csv": days(5)})
        assert total() == 30

    def test_a_copy_of_what_is_held_back_is_held_back(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, {"a.csv": days(1, 2, 3)}, {"b.csv": days(3, 4), "c.csv": days(3, 4)})
        assert total() == 30

    @pytest.mark.parametrize("apart", [True, False])
    def test_packed_in_other_ways_it_is_the_same(self, tmp_path, apart):
        one = source(tmp_path / "in", files="parts")
        files = {"a.csv": days(1), "a.csv.gz": gzip.compress(days(1)), "a.zip": zipped(days(1))}
        deliver(tmp_path / "in", one, *([{name: content} for name, content in files.items()] if apart else [files]))
        assert total() == 10
        assert sorted(states(one).values()) == [State.CURRENT, State.DUPLICATE, State.DUPLICATE]
        deliver(tmp_path / "in", one, {"a.csv": days(2, cost="3")})
        assert total() == 13, "the other packings tell the first day still"

    def test_packed_in_other_ways_it_is_no_duplicate_in_a_table_that_only_grows(self, tmp_path):
        one = source(tmp_path / "in", kind="gcp")
        content = (json.dumps(usage(10)) + "\n").encode()
        deliver(tmp_path / "in", one, {"a.jsonl": content}, {"a.jsonl.gz": gzip.compress(content)})
        assert states(one) == {"a.jsonl": State.CURRENT, "a.jsonl.gz": State.DUPLICATE}


class TestWhatAnEarlierReleaseRead:
    """It kept days alone: neither accounts nor moments."""

    def forget(self, one):
        for file in one.files.all():
            file.contents = [
                {key: value for key, value in entry.items() if key != "accounts"} for entry in file.contents
            ]
            file.content_sha256 = ""
            file.save()

    def test_is_left_as_it_was_settled(self, tmp_path):
        history = [
            Delivered(f"f{day}", f"{day}.csv", day, 1, {"2026-10": frozenset([f"2026-10-0{day}"])}) for day in (1, 2)
        ]
        more = Delivered("f3", "3.csv", 3, 1, {"2026-10": frozenset(["2026-10-02", "2026-10-03"])})
        assert settle([*history, more]).counting == {("f3", "2026-10")}

    def test_is_read_again_when_its_month_gets_a_new_file(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, {"a.csv": days(1, BillingAccountId="A")})
        self.forget(one)
        deliver(tmp_path / "in", one, {"b.csv": days(1, BillingAccountId="B")})
        assert total() == 20
        assert all("accounts" in entry for file in one.files.all() for entry in file.contents)

    def test_of_other_months_nothing_is_read_again(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, {"a.csv": days(1)})
        self.forget(one)
        deliver(tmp_path / "in", one, {"b.csv": bill(row("5", "2026-11-01"))})
        assert [file.path for file in one.files.all() if "accounts" in file.contents[0]] == ["b.csv"]

    def test_keeps_counting_where_its_bytes_can_be_read_no_more(self, tmp_path):
        one = source(tmp_path / "in")
        deliver(tmp_path / "in", one, {"a.csv": days(1)})
        self.forget(one)
        kept = landed_path(one.files.get().sha256)
        kept.chmod(0o600)
        kept.write_bytes(b"no bill")
        deliver(tmp_path / "in", one, {"b.csv": days(2)})
        assert total() == 20


CELLS = st.dictionaries(
    st.tuples(st.sampled_from("AB"), st.sampled_from(["2026-10-01", "2026-10-02", "2026-10-03"])),
    st.sampled_from([(0, 11), (12, 23), (0, 23)]),
    min_size=1,
)


@given(st.lists(CELLS, max_size=6), st.sets(st.integers(1, 6)))
def test_no_hour_is_told_twice_and_no_day_is_lost(told, copied):
    """Of files that come one by one, each under a name of its own; some come again at the end, under another name."""
    files = [
        Delivered(
            f"f{at}", f"{at}.csv", at, 1, {"2026-10": frozenset(day for _, day in cells)}, {"2026-10": cells},
            content=str(cells),
        )
        for at, cells in enumerate(told, 1)
    ]  # fmt: skip
    files += [
        replace(file, key=f"c{file.key}", path=f"c{file.path}", delivery=9 + file.delivery)
        for file in files
        if file.delivery in copied
    ]
    found = settle(files)
    by_key = {file.key: file.billed["2026-10"] for file in files}
    counting = [by_key[key] for key, _ in found.counting]
    for one, other in itertools.combinations(counting, 2):
        both = one.keys() & other.keys()
        assert not [cell for cell in both if one[cell][0] <= other[cell][1] and other[cell][0] <= one[cell][1]]
    taken = {cell for key, cells in by_key.items() if key not in found.disputed for cell in cells}
    assert {cell for cells in counting for cell in cells} == taken
    assert settle(reversed(files)) == found
