"""A closed month stays as it is: later corrections are booked in the open month, and every byte can be rebuilt."""

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.books import selectors, services, statement
from apps.books.changes import month_window
from apps.books.models import GENESIS, Close, TrailEntry
from apps.books.readiness import objections
from apps.finops.money import add_up
from apps.finops.sheets import BadSheet
from apps.finops.tables import COST_MART, COSTS
from apps.ingest.models import LandedFile, Source
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.rates.selectors import locks
from apps.rates.services import MonthIsLocked, import_rates, unlock_month
from apps.warehouse import lake
from tests.allocation.worlds import Row, charge
from tests.books.worlds import LOG, NOW, published

pytestmark = pytest.mark.usefixtures("home", "db")
MONTHS = ("2026-10", "2026-11", "2026-12")
FIRST_DAYS = (0, 31, 61)
"""The first of each month, in days after the first of October."""


def bills(*costs: str, month: int = 0) -> list[Row]:
    """A log charge on every first of a month from a month on."""
    return [
        charge(cost, f"log-{at}", start=24 * FIRST_DAYS[at], x_FileId=f"f{at}", **LOG)
        for at, cost in enumerate(costs, month)
    ]


def daily(days: Iterable[int]) -> list[Row]:
    """A log charge on each of these days, counted from the first of October."""
    return [charge("1", f"d-{day}-{at}", start=24 * day, x_FileId="f0", **LOG) for at, day in enumerate(days)]


def publish(*charges: Row) -> int:
    return published(list(charges), {}, days=62)


def close(month: str, reason: str = "test of the books") -> Close:
    return services.close(month, by="hanmeimei", now=NOW, reason=reason)


def against(month: str, now: datetime = NOW) -> list[str]:
    return [str(one) for one in objections(month, month_window(month), publication(), now)]


def told(closed: Close) -> list[tuple[str, ...]]:
    return [
        (row["original_month"], row["class"], row["team"], f"{Decimal(row['effective_cost']).normalize():f}")
        for row in statement.rows(closed)
    ]


def test_a_correction_of_a_closed_month_is_booked_in_the_open_one() -> None:
    publish(*bills("10", "20"))
    october = close("2026-10")
    assert told(october) == [("2026-10", "", "unallocated", "10")]
    before = statement.rebuilt(october, "json"), statement.rebuilt(october, "csv")
    publish(*bills("13", "20"), charge("-1", "log-0", ChargeCategory="Credit", x_FileId="f9", **LOG))
    assert (statement.rebuilt(october, "json"), statement.rebuilt(october, "csv")) == before
    assert {(row["month"], row["class"], row["effective_cost"]) for row in selectors.pending()} == {
        ("2026-11", "re-priced", "3.000000000000"), ("2026-11", "credited", "-1.000000000000"),
    }  # fmt: skip
    november = close("2026-11")
    assert told(november) == [
        ("2026-11", "", "unallocated", "20"),
        ("2026-10", "credited", "unallocated", "-1"),
        ("2026-10", "re-priced", "unallocated", "3"),
    ]
    assert selectors.pending() == []
    assert [verdict.problem for verdict in services.verify(by="lilei", now=NOW)] == ["", ""]
    assert statement.totals(statement.rows(october) + statement.rows(november)) == {"CNY": Decimal(32)}


def test_a_statement_is_canonical_and_chained() -> None:
    publish(*bills("10", "20"))
    october, november = close("2026-10"), close("2026-11")
    content, table = statement.rebuilt(october, "json"), statement.rebuilt(october, "csv")
    assert hashlib.sha256(content).hexdigest() == october.sha256
    assert hashlib.sha256(table).hexdigest() == october.csv_sha256
    assert table.decode() == (
        "month,original_month,class,team,source,service,kind,currency,"
        "billed_cost,effective_cost,list_cost,contracted_cost\n"
        "2026-10,2026-10,,unallocated,bill,Log Service,unallocated,CNY,"
        "10.000000000000,10.000000000000,10.000000000000,10.000000000000\n"
    )
    said = json.loads(content)
    assert (said["previous_sha256"], said["csv_sha256"]) == (GENESIS, october.csv_sha256)
    assert said["lake_versions"] == Publication.objects.get(number=said["publication"]).versions
    assert json.loads(statement.rebuilt(november, "json"))["previous_sha256"] == october.sha256
    assert content.endswith(b"\n")
    assert b"\r" not in table


def _another_cost(closed: Close) -> None:
    version = lake.version(COST_MART)
    Publication.objects.filter(pk=closed.publication_id).update(
        versions=closed.publication.versions | {COST_MART.name: version}
    )


BREAKS = [
    pytest.param(lambda c: Close.objects.filter(pk=c.pk).update(closed_by="mallory"), "JSON", id="another closer"),
    pytest.param(lambda c: Close.objects.filter(pk=c.pk).update(sha256="0" * 64), "JSON", id="another hash"),
    pytest.param(
        lambda c: Close.objects.filter(pk=c.pk).update(previous_sha256="f" * 64), "chain", id="another predecessor"
    ),
    pytest.param(_another_cost, "CSV", id="another version of the costs"),
    pytest.param(
        lambda c: [path.unlink() for path in lake.location(COST_MART).rglob("*.parquet")], "rebuilt", id="lost files"
    ),
]


@pytest.mark.parametrize(("damage", "message"), BREAKS)
def test_verify_finds_what_was_tampered_with(damage: Any, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    publish(*bills("10", "20"))
    october = close("2026-10")
    publish(*bills("11", "20"))
    call_command("close", "verify")
    damage(october)
    with pytest.raises(CommandError, match="1 of 1 closed months are not as they were closed"):
        call_command("close", "verify", "--format", "csv")
    assert message in capsys.readouterr().out
    assert TrailEntry.objects.order_by("-pk")[0].outcome == "broken: 2026-10"


def test_verify_finds_entries_that_are_not_what_changed() -> None:
    publish(*bills("10", "20"))
    close("2026-10")
    publish(*bills("11", "20"))
    november = close("2026-11")
    november.entries[0]["effective_cost"] = "2.000000000000"
    rows = statement.rows(november)
    november.csv_sha256 = statement.digest(statement.as_csv(rows))
    november.sha256 = statement.digest(statement.as_json(november, rows))
    november.save()
    assert [verdict.problem for verdict in services.verify(by="lilei", now=NOW)] == [
        "", "The adjusting entries are not what changed of earlier months.",
    ]  # fmt: skip


def test_verify_finds_a_missing_statement() -> None:
    publish(*bills("10", "20"))
    close("2026-10")
    close("2026-11")
    Close.objects.filter(month="2026-10").delete()
    (verdict,) = services.verify(by="lilei", now=NOW)
    assert "number 1 before it is gone" in verdict.problem


@pytest.mark.parametrize(
    ("month", "message"),
    [
        pytest.param("2026-11", "2026-10 comes before 2026-11", id="out of order"),
        pytest.param("2026-09", "the next month to close is 2026-10", id="before the first cost"),
        pytest.param("2027-01", "holds no cost of 2027-01", id="nothing to close"),
        pytest.param("October", "month: 'October' is no month", id="no month"),
    ],
)
def test_what_cannot_be_closed(month: str, message: str) -> None:
    publish(*bills("10", "20"))
    with pytest.raises(CommandError, match=message):
        call_command("close", month, "--force", "because")
    assert not Close.objects.exists()


def test_a_closed_month_is_never_opened_again() -> None:
    publish(*bills("10", "20"))
    close("2026-10")
    with pytest.raises(services.CannotClose, match="never opened again: what changes it becomes an adjusting entry"):
        close("2026-10")


def test_an_unready_month_is_closed_with_a_reason_only(capsys: pytest.CaptureFixture[str]) -> None:
    publish(*daily(range(31)))
    Source.objects.create(name="bill", kind="focus", location="/x", created_at=NOW)
    LandedFile.objects.create(
        source=Source.objects.get(), path="late.csv", revision=1, sha256="0" * 64, size=1, modified_ns=0, delivery=1,
        state="held", landed_at=NOW,
    )  # fmt: skip
    with pytest.raises(CommandError, match=r"2026-10 is not closed\. Source bill: 1 files are held back .*--force"):
        call_command("close", "2026-10", "--by", "lilei")
    with pytest.raises(CommandError, match="1 files are held back"):
        call_command("close", "check", "2026-10")
    call_command("close", "2026-10", "--by", "hanmeimei", "--force", "agreed with the CFO")
    assert "2026-10 is closed from publication" in capsys.readouterr().out
    closed = Close.objects.get()
    assert (closed.reason, closed.closed_by) == ("agreed with the CFO", "hanmeimei")
    assert closed.objections == ["Source bill: 1 files are held back or not read yet; see the page Quality."]
    call_command("close", "trail", "--format", "json")
    trail = json.loads(capsys.readouterr().out)
    assert [(row["by"], row["action"], row["why"]) for row in trail] == [
        ("hanmeimei", "forced to close", "agreed with the CFO"), ("lilei", "refused to close", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "message"),
    [
        pytest.param(datetime(2026, 10, 20, tzinfo=UTC), "2026-10 is not over: it ends on 2026-11-01", id="running"),
        pytest.param(
            datetime(2026, 11, 3, tzinfo=UTC), "may still change: they are final from 2026-11-06", id="not final"
        ),
        pytest.param(datetime(2026, 11, 6, tzinfo=UTC), "", id="final"),
    ],
)
def test_a_month_is_final_some_days_after_its_end(now: datetime, message: str) -> None:
    publish(*daily(range(31)))
    found = against("2026-10", now)
    assert message in " ".join(found)
    assert bool(message) == bool(found)


def test_missing_days_and_silent_sources_speak_against_closing() -> None:
    silent = charge("1", "x", start=0, x_SourceName="saas", x_FileId="f7")
    publish(*daily([*range(29), *range(31, 61)]), silent)
    first = against("2026-10")
    assert first == ["Source bill has no charges on 2026-10-30, 2026-10-31: is its bill complete?"]
    (second,) = against("2026-11")
    assert second.startswith("Source saas charged in 2026-10 and has no charges in 2026-11")


def test_a_source_that_charged_daily_is_missed_once_it_hardly_does() -> None:
    publish(*daily(range(31)), *bills("20", month=1))
    (told,) = against("2026-11")
    assert told.startswith("Source bill has no charges on 2026-11-02, 2026-11-03")


@pytest.mark.parametrize(
    ("days", "told"),
    [
        pytest.param([30], ["There are charges on 1 of 31 days of 2026-10: is this first month complete?"], id="one"),
        pytest.param(range(0, 31, 2), [], id="every other day"),
    ],
)
def test_a_first_month_of_few_days_is_not_complete(days: Iterable[int], told: list[str]) -> None:
    publish(*daily(days))
    found = [one for one in against("2026-10") if "first month" in one]
    assert found == told


def test_a_month_after_one_of_few_days_may_have_as_few() -> None:
    publish(*bills("10", "20"))
    assert against("2026-11") == []


def test_what_is_not_published_yet_speaks_against_closing() -> None:
    from apps.finops.tables import CHARGES
    from tests.allocation.worlds import put

    publish(*daily(range(31)))
    put(CHARGES, bills("11"))
    (told,) = against("2026-10")
    assert "lacks the newest charges: run `manage.py fill` first" in told


def in_dollars(days: int) -> None:
    """A rate from dollars to yuan on so many first days of October."""
    lines = [f"2026-10-{day:02d},USD,CNY,7" for day in range(1, days + 1)]
    import_rates("\n".join(["date,from,to,rate", *lines, ""]).encode(), name="rates.csv", by="han", now=NOW)


LOCKED = ["2026-10"]


@pytest.mark.parametrize(
    ("rates", "now", "locked", "objection"),
    [
        pytest.param(31, NOW, LOCKED, "", id="a rate on every day"),
        pytest.param(0, NOW, [], "", id="no rates: nothing was converted, and locked it never could be"),
        pytest.param(30, NOW, [], "none from USD to CNY on 2026-10-31; import it", id="a day without a rate"),
        pytest.param(31, datetime(2026, 10, 31, tzinfo=UTC), [], "is not over", id="forced before it is over"),
    ],
)
def test_closing_locks_the_rates_of_the_month(rates: int, now: datetime, locked: list[str], objection: str) -> None:
    publish(*bills("10", "20"))
    if rates:
        in_dollars(rates)
    found = " ".join(against("2026-10", now))
    assert objection in found
    assert ("2026-10 are incomplete" in found) == (rates == 30)
    services.close("2026-10", by="hanmeimei", now=now, reason="test of the books")
    assert [lock.month for lock in locks()] == locked
    if locked:
        with pytest.raises(MonthIsLocked, match=r"locked by hanmeimei on 2026-12-20 \(closed from publication \d+\)"):
            unlock_month("2026-10")
        with pytest.raises(BadSheet, match="the rates of 2026-10 are locked"):
            import_rates(b"date,from,to,rate\n2026-10-02,USD,CNY,8\n", name="later.csv", by="han", now=NOW)
    else:
        in_dollars(31)


def test_a_month_that_is_over_for_the_business_is_locked_while_it_goes_on_elsewhere(settings: Any) -> None:
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    publish(*bills("10", "20"))
    in_dollars(31)
    early = datetime(2026, 10, 31, 16, 30, tzinfo=UTC)
    services.close("2026-10", by="hanmeimei", now=early, reason="forced: its bills may still change")
    assert [lock.month for lock in locks()] == LOCKED


def by_key(rows: list[dict[str, str]]) -> dict[Any, tuple[Decimal, ...]]:
    """The four costs by team, source, service, kind and currency, without zeros."""
    sums: dict[Any, list[tuple[Decimal, ...]]] = defaultdict(list)
    for row in rows:
        sums[tuple(row[name] for name in statement.KEY)].append(tuple(Decimal(row[basis]) for basis in COSTS))
    added = {key: tuple(add_up(column) for column in zip(*found, strict=True)) for key, found in sums.items()}
    return {key: costs for key, costs in added.items() if any(costs)}


@pytest.mark.timeout(600)  # three publications, two closes and a verification
@pytest.mark.parametrize("seed", [1])
def test_statements_and_entries_are_what_a_fresh_allocation_says(seed: int) -> None:
    """Whatever is corrected between closes, and by whatever rules, nothing is lost and nothing is booked twice."""
    rng = random.Random(seed)

    def bill() -> list[Row]:
        return [
            charge(
                f"{rng.randint(-20, 90)}.{rng.randint(0, 10**12 - 1):012d}", f"log-{at}", start=24 * at,
                ServiceName=rng.choice(("Log Service", "Storage")), x_FileId=f"f{at}",
                ListCost=f"{rng.randint(0, 99)}.5",
            )
            for at in rng.sample(range(90), 12) + list(FIRST_DAYS)
        ]  # fmt: skip

    def fresh(number: int) -> Publication:
        rule = rng.choice(("web", "data", "ops"))
        rules = f"rules: [{{name: r{number}, when: {{service: Storage}}, split: {{{rule}: 37, unallocated: 63}}}}]"
        rules = rules.replace("unallocated: 63", f"{'web' if rule != 'web' else 'data'}: 63")
        return Publication.objects.get(number=published(bill(), {}, rules, days=90))

    stated: list[dict[str, str]] = []
    for number, month in enumerate(MONTHS[:2]):
        fresh(number)
        stated += statement.rows(close(month))
    newest = fresh(9)
    stated += selectors.pending()
    expected = [
        statement.entry(month, month, "", key, costs)
        for month in MONTHS[:2]
        for key, costs in statement.cost_rows(newest, month).items()
    ]
    assert by_key(stated) == by_key(expected)
    assert [verdict.problem for verdict in services.verify(by="lilei", now=NOW + timedelta(days=1))] == ["", ""]
