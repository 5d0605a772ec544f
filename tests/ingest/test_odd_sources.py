"""What is odd about a source only shows beside what it delivered before: days left out, new services, lost tags."""

import pytest

from tests.ingest.bills import bill, put, row, source
from tests.ingest.test_quality import codes, fill

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

MAPPING = """\
name: hosting
inputs:
  day: {column: day, kind: time, required: true}
  what: {column: what, required: true}
  amount: {column: amount, kind: money, required: true}
  used: {column: used, kind: money}
columns:
  BilledCost: amount
  EffectiveCost: amount
  BillingAccountId: what
  BillingCurrency: {constant: CNY}
  BillingPeriodStart: {month_start: day}
  BillingPeriodEnd: {month_end: day}
  ChargePeriodStart: day
  ChargePeriodEnd: {later: day, days: 1}
  ChargeCategory: {constant: Usage}
  ServiceName: what
  ConsumedQuantity: used
"""


class TestASourceAsAWhole:
    def test_days_inside_a_month_without_charges(self, tmp_path):
        assert "missing_days" in codes(tmp_path / "in", row("1", "2026-10-01"), row("2", "2026-10-04"))

    def test_the_first_month_begins_with_the_first_charge(self, tmp_path):
        assert "missing_days" not in codes(tmp_path / "in", row("1", "2026-10-28"), row("2", "2026-10-29"))

    @pytest.mark.parametrize(
        ("october", "code"),
        [
            pytest.param([row("1", "2026-10-01")], None, id="as in the month before"),
            pytest.param([row("1", "2026-10-01", ServiceName="GPU")], "new_service", id="another service"),
            pytest.param([row("8", "2026-10-01"), row("2", "2026-10-01", Tags="")], "tag_drift", id="a fifth untagged"),
            pytest.param([row("9", "2026-10-01"), row("1", "2026-10-01", Tags="")], None, id="a tenth untagged"),
            pytest.param([row("1", "2026-10-01"), row("1", "2026-10-03")], "missing_days", id="a day left out"),
            pytest.param([row("1", "2026-10-01"), row("1", "2026-10-02")], None, id="every day"),
            pytest.param(
                [row("1", "2026-10-01"), row("1", "2026-10-01", BillingCurrency="USD")], "several_currencies",
                id="two currencies of an account",
            ),
            pytest.param(
                [row("1", "2026-10-01"), row("1", "2026-10-01", BillingCurrency="USD", BillingAccountId="2")], None,
                id="an account of each currency",
            ),
            pytest.param([row("1", "2026-10-01"), row("1", "2026-10-01")], "duplicate_rows", id="twice the same"),
            pytest.param([row("1", "2026-10-01"), row("1", "2026-10-01", ResourceId="i-2")], None, id="two alike"),
        ],
    )  # fmt: skip
    def test_what_is_odd_is_told_and_what_is_not_is_not(self, tmp_path, october, code):
        one = source(tmp_path / "in")
        put(tmp_path / "in", "a.csv", bill(row("1", "2026-09-30")))
        fill(one)
        put(tmp_path / "in", "b.csv", bill(*october))
        odd = {"new_service", "tag_drift", "missing_days", "several_currencies", "duplicate_rows"}
        assert {problem.code for problem in fill(one)} & odd == ({code} if code else set())

    def test_bills_of_other_providers_are_looked_through_as_well(self, tmp_path):
        (tmp_path / "mapping.yaml").write_text(MAPPING)
        one = source(tmp_path / "in", kind="csv", mapping=str(tmp_path / "mapping.yaml"))
        put(tmp_path / "in", "a.csv", b"day,what,amount,used\n2026-10-01,disk,1,-5\n2026-10-04,disk,1,5\n")
        assert {"negative_usage", "missing_days"} <= {problem.code for problem in fill(one)}

    def test_a_service_nobody_has_seen(self, tmp_path):
        one = source(tmp_path / "in")
        put(tmp_path / "in", "a.csv", bill(row("1", "2026-09-30")))
        fill(one)
        put(tmp_path / "in", "b.csv", bill(row("1", "2026-10-01"), row("2", "2026-10-01", ServiceName="GPU")))
        (new,) = [problem for problem in fill(one) if problem.code == "new_service"]
        assert "GPU" in new.message

    def test_a_tag_that_gets_lost(self, tmp_path):
        one = source(tmp_path / "in")
        put(tmp_path / "in", "a.csv", bill(row("1", "2026-09-30")))
        fill(one)
        put(tmp_path / "in", "b.csv", bill(row("1", "2026-10-01"), row("9", "2026-10-01", Tags="")))
        (lost,) = [problem for problem in fill(one) if problem.code == "tag_drift"]
        assert "team: 10% of the cost instead of 100%" in lost.message
