"""A whole month of Alibaba Cloud under other names: parts cut anew, a part that came late, packed in another way."""

from decimal import Decimal

import pytest

from apps.ingest import services
from apps.ingest.models import LandedFile
from tests.ingest.bills import bill, errors, ingest, put, source, total
from tests.ingest.providers.alibaba_bills import v1
from tests.ingest.test_told_again import asked, deliver, states, zipped

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

State = LandedFile.State


class TestAMonthUnderOtherNames:
    """Alibaba Cloud's names say that a file is all of its month, or a part of it."""

    WHOLE, ONE, TWO = (f"1690_BillingItemDetail_202610{part}.csv" for part in ("", "_1", "_2"))
    FIRST, SECOND = v1(), v1("10.00", 账单日期="2026-10-09")

    @pytest.fixture
    def whole(self, tmp_path):
        one = source(tmp_path / "in", kind="alibaba", hold_below="0.8")
        deliver(tmp_path / "in", one, {self.WHOLE: bill(self.FIRST, self.SECOND)})
        assert total() == Decimal("57.60")
        return one

    @pytest.mark.parametrize("is_apart", [True, False])
    def test_replaces_the_month_when_the_earlier_file_is_gone(self, tmp_path, whole, is_apart):
        (tmp_path / "in" / self.WHOLE).unlink()
        parts = {self.ONE: bill(self.FIRST), self.TWO: bill(self.SECOND)}
        deliver(tmp_path / "in", whole, *([{name: part} for name, part in parts.items()] if is_apart else [parts]))
        if is_apart:
            assert "much smaller" in asked(whole, self.ONE)
            services.decide(whole, "accept")
            ingest(whole)
        assert total() == Decimal("57.60")
        assert [file.path for file in whole.files.filter(state=State.CURRENT)] == [self.ONE, self.TWO]
        deliver(tmp_path / "in", whole, {self.WHOLE: bill(self.FIRST, self.FIRST, self.SECOND)})
        assert State.HELD in states(whole).values(), "and back again: beside the parts it is asked about"
        assert total() == Decimal("57.60")

    def test_is_asked_about_while_the_earlier_file_lies_there(self, tmp_path, whole):
        deliver(tmp_path / "in", whole, {self.ONE: bill(self.FIRST), self.TWO: bill(self.SECOND)})
        assert f"told by {self.WHOLE} as well. Accepted, both count" in asked(whole, self.ONE)
        assert total() == Decimal("57.60")
        assert services.decide(whole, "replace") == 0, "it cannot: both would count"
        services.decide(whole, "reject")
        (tmp_path / "in" / self.WHOLE).unlink()
        ingest(whole)
        assert total() == Decimal("57.60")
        assert {file.path for file in whole.files.filter(state=State.CURRENT)} == {self.ONE, self.TWO}

    def test_a_part_that_comes_late_joins_when_it_is_accepted(self, tmp_path, whole):
        deliver(tmp_path / "in", whole, {self.ONE: bill(v1("3.00"))})
        assert total() == Decimal("57.60")
        services.decide(whole, "accept")
        ingest(whole)
        assert total() == Decimal("60.60")

    def test_a_part_of_other_days_joins(self, tmp_path, whole):
        deliver(tmp_path / "in", whole, {self.ONE: bill(v1("3.00", 账单日期="2026-10-10"))})
        assert total() == Decimal("60.60")

    def test_a_part_that_vanished_keeps_counting(self, tmp_path, whole):
        deliver(tmp_path / "in", whole, {self.ONE: bill(v1("3.00", 账单日期="2026-10-10"))})
        (tmp_path / "in" / self.WHOLE).unlink()
        deliver(tmp_path / "in", whole, {self.ONE: bill(v1("4.00", 账单日期="2026-10-10"))})
        assert total() == Decimal("61.60")

    def test_a_file_that_is_refused_changes_nothing(self, tmp_path, whole):
        put(tmp_path / "in", self.WHOLE, bill(v1("1,5")))
        assert errors(ingest(whole))
        assert total() == Decimal("57.60")

    def test_packed_in_another_way_it_is_the_same(self, tmp_path, whole):
        name = self.WHOLE.replace("csv", "zip")
        deliver(tmp_path / "in", whole, {name: zipped(bill(self.FIRST, self.SECOND))})
        assert states(whole)[name] == State.DUPLICATE
        deliver(tmp_path / "in", whole, {self.WHOLE: bill(v1("50.00"), self.SECOND)})
        assert total() == Decimal("60.00"), "the other packing is of before"
