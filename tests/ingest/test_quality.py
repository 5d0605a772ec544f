"""What is odd about a bill is told by name; what shrinks is held back; what a new issue changed is written down."""

import csv
import io
import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.finops.tables import CHARGES
from apps.ingest import restatements, selectors, services
from apps.ingest.models import Arrival, LandedFile, Restatement, Source
from apps.ingest.quality import checks, rows
from apps.warehouse import fencing, lake
from tests.ingest.bills import NOW, bill, costs, put, row, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def fill(one, now=NOW) -> list:
    services.land(one, now)
    return list(services.normalize(one, now).problems)


def codes(folder, *rows, **options) -> set[str]:
    put(folder, "bill.csv", bill(*rows))
    return {problem.code for problem in fill(source(folder, **options))}


FULL = {"ListCost": "1.50", "ContractedCost": "1.50", "ConsumedQuantity": "1", "PricingQuantity": "1",
        "ListUnitPrice": "1", "ServiceCategory": "Compute", "SubAccountId": "a", "CommitmentDiscountId": "",
        "SkuPriceId": "p"}  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        pytest.param({"BillingCurrency": "cny"}, "currency_code", id="a currency in small letters"),
        pytest.param({"BillingCurrency": "RMB"}, "currency_unknown", id="a currency by another name"),
        pytest.param({"SubAccountId": "1.23E+11"}, "damaged_id", id="an id that a spreadsheet damaged"),
        pytest.param({"Tags": '{"team":NaN}'}, "json_number", id="a tag that is no number"),
        pytest.param({"Tags": '{"a\\"b":"nan", "c": -Infinity}'}, "json_number", id="an endless tag behind a quote"),
        pytest.param({"Tags": '{"team":"a","team":"b"}'}, "tag_twice", id="a tag that stands twice"),
        pytest.param({"ChargeCategory": "usage"}, "charge_category", id="a category FOCUS does not know"),
        pytest.param({"ServiceCategory": "Computing"}, "service_category", id="a service category FOCUS does not know"),
        pytest.param({"ChargePeriodEnd": "2026-10-01T11:00:00Z"}, "period_reversed", id="an end before the start"),
        pytest.param({"ChargePeriodStart": "2026-09-01T12:00:00Z"}, "outside_billing_period", id="last month's charge"),
        pytest.param({"ConsumedQuantity": "-1"}, "negative_usage", id="negative usage"),
        pytest.param({"ListCost": "1"}, "list_below_contracted", id="list below contracted"),
        pytest.param({"ContractedCost": "1"}, "contracted_below_effective", id="contracted below effective"),
        pytest.param({"ListUnitPrice": "", "SkuPriceId": ""}, "missing_price", id="no price"),
        pytest.param({"ListCost": "0"}, "no_list_cost", id="no list cost"),
    ],
)
def test_a_charge_that_breaks_a_rule_is_told_by_code(tmp_path, cells, code):
    assert codes(tmp_path / "good", row(**FULL), name="good") == set()
    assert code in codes(tmp_path / "odd", row(**FULL | cells), name="odd")


@pytest.mark.parametrize("tags", ['{"city":"nanjing, nanning","inf":":nan"}', '{"q":"\\",NaN","b":"[Infinity]"}'])
def test_words_with_the_letters_of_nan_are_words(tmp_path, tags):
    assert codes(tmp_path / "in", row(**FULL | {"Tags": tags})) == set()
    assert costs() == ["1.5"]


def test_a_rule_that_stops_refuses_the_file(tmp_path):
    assert codes(tmp_path / "in", row(BillingCurrency="yuan")) >= {"currency_code"}
    assert costs() == []


def test_repeated_charges_all_count_and_are_told(tmp_path):
    assert "duplicate_rows" in codes(tmp_path / "in", row("2"), row("2"), row("3"))
    assert costs() == ["2", "2", "3"]


def test_of_many_charges_a_sample_is_compared_and_that_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "SAMPLE", 20)
    told = [row(str(at // 2), ResourceId=f"i-{at // 2}") for at in range(80)]
    put(tmp_path / "in", "bill.csv", bill(*told))
    (found,) = [problem for problem in fill(source(tmp_path / "in")) if "duplicate" in problem.code]
    assert re.search(r"About \d+ charges repeat others, by a sample of the resources\.", found.message)


def test_a_bill_joined_to_itself_is_held_back(tmp_path):
    twelve = [row(str(at), **FULL) for at in range(1, 13)]
    assert {"mostly_duplicates", "held"} <= codes(tmp_path / "in", *twelve, *twelve)
    assert costs() == []
    assert LandedFile.objects.get().state == LandedFile.State.HELD
    assert [*lake.location(CHARGES).rglob("*.parquet")] == [], "and leaves nothing on the disk"


def test_every_check_is_explained():
    said = [*checks.ROW_CHECKS, *checks.SOURCE_CHECKS.values()]
    assert len({check.code for check in said}) == len(said) >= 18
    assert all(check.means.endswith(".") and check.way_out.endswith(".") for check in said)


def month(cost: str, *, days: int = 10, **cells: str) -> bytes:
    return bill(*(row(cost, f"2026-10-{day:02d}", **cells) for day in range(1, days + 1)))


class TestAShrunkenIssue:
    @pytest.fixture
    def held(self, tmp_path):
        one = source(tmp_path / "in", hold_below="0.8")
        put(tmp_path / "in", "a.csv", month("10"))
        assert [p.code for p in fill(one) if p.severity != "note"] == []
        return one

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            pytest.param("a.csv", month("10", days=5), id="half of the charges, in place"),
            pytest.param("a.csv", month("1"), id="a tenth of the cost, in place"),
            pytest.param("a.csv", bill(columns=list(row())), id="emptied in place"),
            pytest.param("b.csv", month("10", days=5), id="half of the charges, as a new file"),
        ],
    )
    def test_is_held_back_and_the_earlier_one_keeps_counting(self, tmp_path, held, name, content):
        put(tmp_path / "in", name, content)
        assert "held" in {problem.code for problem in fill(held)}
        assert costs() == ["10"] * 10
        (state,) = selectors.source_states(NOW)
        assert state.held == 1
        assert "held" in {problem.code for problem in state.problems}
        fill(held)
        assert costs() == ["10"] * 10, "and stays so at the next fill"

    @pytest.mark.parametrize(
        ("name", "content", "day"),
        [
            pytest.param(
                "a.csv", bill(*(row("11", f"2026-10-{day:02d}") for day in range(2, 11))),
                "2026-10-01: 0 charges, no cost instead of 1 charges, 10.00 CNY", id="a day that disappears",
            ),
            pytest.param(
                "b.csv", bill(row("1"), *(row("12", f"2026-10-{day:02d}") for day in range(2, 11))),
                "2026-10-01: 1 charges, 1.00 CNY instead of 1 charges, 10.00 CNY", id="a day of little cost",
            ),
        ],
    )  # fmt: skip
    def test_is_also_one_that_tells_less_of_a_single_day(self, tmp_path, held, name, content, day):
        put(tmp_path / "in", name, content)
        (said,) = [problem.message for problem in fill(held) if problem.code == "held"]
        assert day in said
        assert costs() == ["10"] * 10

    def test_counts_once_it_is_accepted(self, tmp_path, held):
        put(tmp_path / "in", "a.csv", month("1"))
        fill(held)
        assert services.decide(held, "accept") == 1
        assert "held" not in {problem.code for problem in fill(held)}
        assert costs() == ["1"] * 10

    def test_is_forgotten_once_it_is_rejected(self, tmp_path, held):
        put(tmp_path / "in", "a.csv", month("1"))
        fill(held)
        assert services.decide(held, "reject") == 1
        fill(held)
        assert costs() == ["10"] * 10
        assert not LandedFile.objects.filter(state=LandedFile.State.HELD).exists()

    @pytest.mark.parametrize("cost", ["9", "8", "12"])
    def test_a_little_smaller_or_larger_counts_at_once(self, tmp_path, held, cost):
        put(tmp_path / "in", "a.csv", month(cost))
        fill(held)
        assert costs() == [cost] * 10


class TestTheRestatementLedger:
    def test_tells_what_a_new_issue_changed_and_no_more(self, tmp_path):
        later = [row("1", "2026-10-02"), row("3", "2026-10-03")]
        one = source(tmp_path / "in")
        put(tmp_path / "in", "a.csv", bill(row("10"), row("5", ServiceName="RDS"), later[0]))
        fill(one)
        assert not Restatement.objects.exists(), "the first issue restates nothing"
        put(tmp_path / "in", "a.csv", bill(row("10"), row("7.5", ServiceName="RDS"), *later))
        fill(one)
        (told,) = Restatement.objects.get().changes
        assert (told["day"], told["service"]) == ("2026-10-01", "RDS")
        assert Decimal(told["billed_after"]) - Decimal(told["billed_before"]) == Decimal("2.5")

    def test_a_vanished_charge_is_a_change(self, tmp_path):
        one = source(tmp_path / "in")
        put(tmp_path / "in", "a.csv", bill(row("10"), row("5", ServiceName="RDS")))
        fill(one)
        put(tmp_path / "in", "a.csv", bill(row("10")))
        fill(one)
        (told,) = Restatement.objects.get().changes
        assert (told["rows_before"], told["rows_after"], told["effective_after"]) == (1, 0, "0")

    def test_is_the_same_when_it_is_kept_later(self, tmp_path, monkeypatch):
        one = source(tmp_path / "in")
        put(tmp_path / "in", "a.csv", bill(row("10")))
        fill(one)
        put(tmp_path / "in", "a.csv", bill(row("12")))
        with monkeypatch.context() as killed:
            killed.setattr(services.restatements, "catch_up", _dies)
            with pytest.raises(KeyboardInterrupt):
                fill(one)
        one.refresh_from_db()
        assert restatements.catch_up(one, NOW).restated == {"2026-10"}
        assert restatements.catch_up(one, NOW).changed == set(), "and only once"
        (told,) = Restatement.objects.get().changes
        assert (Decimal(told["effective_before"]), Decimal(told["effective_after"])) == (10, 12)

    @pytest.mark.parametrize("is_fenced", [True, False])
    def test_a_worker_that_was_frozen_does_not_keep_it_again(self, tmp_path, monkeypatch, is_fenced):
        """Another took its work over, and kept the ledger to a later version. Where the frozen one is not told that it
        was taken over, the version it began from tells."""
        one, two = source(tmp_path / "in"), source(tmp_path / "two", name="two")
        put(tmp_path / "in", "a.csv", bill(row("10")))
        fill(one)
        put(tmp_path / "in", "a.csv", bill(row("12")))
        honest, taken_over = restatements._restated, []

        def freeze(*cells):
            monkeypatch.undo()
            put(tmp_path / "two", "b.csv", bill(row("1")))
            fill(two)
            fill(Source.objects.get(pk=one.pk), NOW + timedelta(minutes=3))
            taken_over.append(True)
            return honest(*cells)

        monkeypatch.setattr(restatements, "_restated", freeze)
        before = Arrival.objects.filter(source=one).count()
        with fencing.held_while(lambda: not (is_fenced and taken_over)), pytest.raises(fencing.TakenOver):
            fill(one)
        assert Source.objects.get(pk=one.pk).charges_version == lake.version(CHARGES)
        assert Restatement.objects.filter(source=one).count() == 1
        assert Arrival.objects.filter(source=one).count() == before + 1

    def test_a_day_of_two_billing_months_arrives_with_what_both_say(self, tmp_path):
        one = source(tmp_path / "in")
        put(tmp_path / "in", "10.csv", bill(row("10", "2026-10-31")))
        fill(one)
        put(tmp_path / "in", "11.csv", bill(row("5", "2026-10-31", BillingPeriodStart="2026-11-01T00:00:00Z")))
        fill(one)
        seen = Arrival.objects.order_by("pk").values_list("day", "effective_cost")
        assert [(str(day), Decimal(cost)) for day, cost in seen] == [("2026-10-31", 10), ("2026-10-31", 15)]

    def test_every_sight_of_a_day_is_kept(self, tmp_path):
        one = source(tmp_path / "in")
        put(tmp_path / "in", "a.csv", bill(row("10")))
        fill(one)
        put(tmp_path / "in", "a.csv", bill(row("10"), row("2")))
        fill(one, NOW + timedelta(hours=5))
        fill(one, NOW + timedelta(hours=9))
        seen = Arrival.objects.order_by("seen_at").values_list("day", "effective_cost", "seen_at")
        assert [(day, Decimal(cost), at - NOW) for day, cost, at in seen] == [
            (date(2026, 10, 1), 10, timedelta(0)), (date(2026, 10, 1), 12, timedelta(hours=5)),
        ]  # fmt: skip


NOT_FINAL = (("ECS", "1", "10.10"), ("ECS", "2", "20.20"), ("RDS", "2", "5"), ("OSS", "3", "0.000000000002"))
FINAL = (("ECS", "1", "10.10"), ("ECS", "2", "21.20"), ("RDS", "2", "4.75"), ("RDS", "2", "-1"), ("SLS", "3", "2"))


def issue(charges, cost_of_effective=Decimal("0.5")):
    return bill(
        *(
            row(cost, f"2026-10-0{day}", ServiceName=service, EffectiveCost=f"{Decimal(cost) * cost_of_effective:f}")
            for service, day, cost in charges
        )
    )


class TestANotFinalAndAFinalMonth:
    """On the 1st nothing changed; on the 2nd ECS rose by 1 and RDS, two charges now, fell by 1.25; on the 3rd OSS went
    and SLS came. Effective cost is half of what was billed."""

    EXPECTED = (
        ("2026-10-02", "ECS", "1", "1", "20.2", "21.2", "1", "0.5"),
        ("2026-10-02", "RDS", "1", "2", "5", "3.75", "-1.25", "-0.625"),
        ("2026-10-03", "OSS", "1", "0", "0.000000000002", "0", "-0.000000000002", "-0.000000000001"),
        ("2026-10-03", "SLS", "0", "1", "0", "2", "2", "1"),
    )
    TOLD = ("day", "service", "rows_before", "rows_after", "billed_before", "billed_after", "billed_difference",
            "effective_difference")  # fmt: skip

    @pytest.fixture
    def restated(self, tmp_path):
        one = source(tmp_path / "in")
        for charges in (NOT_FINAL, FINAL):
            put(tmp_path / "in", "2026-10.csv", issue(charges))
            fill(one)

    @pytest.mark.parametrize(
        ("asked", "rows"),
        [
            pytest.param((), (0, 1, 2, 3), id="the whole difference"),
            pytest.param(("--service", "RDS"), (1,), id="of a service"),
            pytest.param(("--start", "2026-10-03"), (2, 3), id="from a day on"),
            pytest.param(("--end", "2026-10-03"), (0, 1), id="before a day"),
            pytest.param(("--source", "aliyun", "--month", "2026-10"), (0, 1, 2, 3), id="of a source and month"),
            pytest.param(("--month", "2026-09"), (), id="of another month"),
        ],
    )
    def test_differ_exactly(self, restated, asked, rows):
        out = io.StringIO()
        call_command("restatements", *asked, "--format", "csv", stdout=out)
        told = list(csv.DictReader(io.StringIO(out.getvalue())))
        assert [tuple(_short(one[name]) for name in self.TOLD) for one in told] == [self.EXPECTED[at] for at in rows]

    @pytest.mark.parametrize(
        ("asked", "said"),
        [
            pytest.param(("--source", "nothing"), "no source 'nothing'. Sources: aliyun", id="an unknown source"),
            pytest.param(("--month", "October"), "'October' is no month", id="no month"),
            pytest.param(("--start", "1.10."), "'1.10.' is no day", id="no day"),
        ],
    )
    def test_are_not_asked_in_vain(self, restated, asked, said):
        with pytest.raises(CommandError, match=said):
            call_command("restatements", *asked)


def _short(text):
    """An amount without the zeros behind it; other text as it is."""
    try:
        return f"{Decimal(text).normalize():f}"
    except InvalidOperation:
        return text


def _dies(*_arguments):
    raise KeyboardInterrupt
