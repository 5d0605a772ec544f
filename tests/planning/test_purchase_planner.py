"""The purchase mix of a small bill, and the table of what can be bought."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command

from apps.finops.sheets import BadSheet
from apps.finops.tables import ALLOCATED, CHARGES, COST_MART, NODE_HOURS, PASSED_ON, WORKLOAD_HOURS
from apps.marts.models import Publication
from apps.planning import offers, services
from apps.planning.drafts import Draft, checked
from apps.planning.models import OfferTable
from apps.planning.planners.purchase import PLANNER
from apps.teams.approval import Actor, NotYours
from tests.allocation.worlds import charge
from tests.insights.idle_world import write

pytestmark = pytest.mark.django_db
FIRST = date(2026, 9, 1)
NOW = datetime(2026, 10, 20, 3, tzinfo=UTC)
FINANCE = Actor("fin", None)
HEAD = ",".join(offers.COLUMNS)


def publish(days: int = 42) -> Publication:
    """A server on demand of 24 a day, 30 by the list, all the time; and a reserved one of 12 of which 3 are unused."""
    rows: list[dict[str, Any]] = []
    costs = []
    for number in range(days):
        day = FIRST + timedelta(days=number)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC)
        common = {
            "ServiceName": "Compute", "ServiceCategory": "Compute", "RegionId": "r1", "SkuId": "ecs.g7.large",
            "ChargePeriodStart": at, "ChargePeriodEnd": at + timedelta(days=1), "x_ChargeDay": day,
            "BillingPeriodStart": at.replace(day=1), "x_BillingMonth": f"{day:%Y-%m}",
        }  # fmt: skip
        reserved = {"CommitmentDiscountId": "ri", "CommitmentDiscountType": "Reserved", "PricingCategory": "Committed"}
        rows += [
            charge("24", "i-1") | common | {"ListCost": Decimal(30), "PricingCategory": "Standard"},
            charge("9", "i-2") | common | reserved | {"ListCost": Decimal(18), "CommitmentDiscountStatus": "Used"},
            charge("3", "") | common | reserved | {"ListCost": Decimal(6), "CommitmentDiscountStatus": "Unused"},
        ]
        costs.append({
            "day": day, "pool": "node", "resource": "i-1", "cluster": "c", "namespace": "n", "workload": "w",
            "kind": "direct", "team": "web", "currency": "CNY", "source": "bill", "billing_month": f"{day:%Y-%m}",
            "charge_category": "Usage", "effective_cost": Decimal(24),
        })  # fmt: skip
    hour = {"source": "h", "day": FIRST, "file_id": "f", "hour": datetime(2026, 9, 1, tzinfo=UTC), "cluster": "c"}
    tables = (
        (CHARGES, rows), (ALLOCATED, costs), (PASSED_ON, []),
        (COST_MART, [row | {"month": row["billing_month"]} for row in costs]), (NODE_HOURS, []),
        (WORKLOAD_HOURS, [hour | {"namespace": "n", "workload": "w", "pod": "p", "node": "x"}]),
    )  # fmt: skip
    versions = {table.name: write(table, told) for table, told in tables}
    cache.clear()
    end = FIRST + timedelta(days=days)
    return Publication.objects.create(
        created_at=NOW, versions=versions, ruleset=0, status="final", first_day=FIRST, end_day=end
    )


def made(home: Path, **given: float) -> Draft:
    (case,) = PLANNER.read(publish(), NOW)
    assert (case.subject, case.withheld) == ("Compute · r1 · ecs.g7", None)
    return checked(PLANNER.make(case.data, PLANNER.defaults | given))


def test_what_runs_all_the_time_is_committed_step_by_step(home: Path) -> None:
    """One an hour on demand, 1.25 by the list: three years at 0.45 of the list are 0.5625 of what is paid."""
    draft = made(home)
    assert draft.is_verified
    assert draft.cost_per_month == Decimal(24 * 365) / 12
    first = draft.tables["purchases"][0]
    assert {row[1]: row[5] for row in draft.tables["purchases"]}["Reserved instance 3 years"] == 0.5625
    assert first[0] == 0
    assert 0 < Decimal(first[3]) <= Decimal("0.5")
    assert 0 < draft.saving_per_month <= draft.cost_per_month
    assert [action.team for action in draft.actions] == ["web"]
    assert "samples that come with the program" in str(draft.unknowns[0])
    for shape in PLANNER.figures:
        assert PLANNER.draw(draft, shape.name)["data"]


def test_what_is_held_is_told_exactly(home: Path) -> None:
    """28 days: 252 used, 84 unused, 504 by the list: 168 saved, used to 75 %, a third of the list saved."""
    (row,) = made(home).tables["held"]
    assert [Decimal(value) for value in row[2:5]] == [252, 84, 168]
    assert row[5:] == [0.75, 0.3333, 0.5]


def test_spot_takes_what_may_be_interrupted(home: Path) -> None:
    rows = {row[0]: row for row in made(home, interruptible=50).tables["mix"]}
    assert Decimal(rows["spot"][1]) == Decimal(12 * 365) / 12
    assert Decimal(rows["spot"][2]) < Decimal(rows["spot"][1])


def test_a_careful_pace_buys_less(home: Path) -> None:
    careful, bold = (made(home, pace=pace).tables["purchases"][0][3] for pace in (10, 80))
    assert Decimal(careful) < Decimal(bold)


def test_three_weeks_are_too_few(home: Path) -> None:
    (case,) = PLANNER.read(publish(21), NOW)
    assert str(case.withheld) == "21 days are billed; what to commit to is planned from 28."


def test_an_own_table_takes_the_place_of_the_samples(home: Path) -> None:
    before = services.identity()
    offers.bring(f"{HEAD}\nDear,reserved,,,12,0.99,,,\n".encode(), "own.csv", by=FINANCE, now=NOW)
    assert services.identity() != before
    draft = made(home)
    assert draft.says[0].text.startswith("Nothing is advised") or draft.tables["purchases"] == []
    assert draft.saving_per_month == 0
    with pytest.raises(NotYours):
        offers.bring(b"", "x", by=Actor("mei", frozenset({"web"})), now=NOW)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("A,lease,,,12,0.5,,,", "line 2, column kind: 'lease'", id="no such kind"),
        pytest.param("A,reserved,,,0,0.5,,,", "line 2, column term_months", id="a commitment without a term"),
        pytest.param("A,spot,,,3,0.5,,,", "line 2, column term_months", id="spot with a term"),
        pytest.param("A,reserved,,,12,1.5,,,", "column ratio: 1.5 is not between", id="dearer than the list"),
        pytest.param("A,reserved,,,12,free,,,", "column ratio: 'free' is not a number", id="no number"),
        pytest.param(",reserved,,,12,0.5,,,", "column name: is empty", id="no name"),
        pytest.param("A,reserved,,,12,0.5,,,\nA,reserved,,,1,0.6,,,", "the same offer as in line 2", id="twice"),
    ],
)
def test_a_table_with_a_mistake_is_refused_whole(line: str, said: str) -> None:
    with pytest.raises(BadSheet, match=said.replace("(", r"\(")):
        offers.bring(f"{HEAD}\n{line}\n".encode(), "t.csv", by=FINANCE, now=NOW)
    assert not OfferTable.objects.exists()


def test_plans_at_the_terminal(home: Path, tmp_path: Path) -> None:
    publish()
    services.plan(now=NOW, planners=[PLANNER])

    def told(*words: str) -> str:
        out = StringIO()
        call_command("plans", *words, stdout=out)
        return out.getvalue()

    assert "purchase" in told("list")
    assert "HOLDS" in told("show", "purchase").upper()
    assert told("show", "purchase", "--file", "held.csv").startswith("commitment,kind,used")
    assert "is planned by" in told("choose", "purchase", "--set", "pace=20")
    table = tmp_path / "offers.csv"
    table.write_text(told("offers"))
    assert "5 offers, version" in told("bring", "purchase", str(table))
    for wrong in (
        ("show", "purchase", "--set", "pace"), ("show", "purchase", "--file", "no.csv"),
        ("bring", "purchase", str(tmp_path / "none.csv")), ("choose", "purchase", "--set", "pace=900"),
    ):  # fmt: skip
        with pytest.raises(CommandError):
            told(*wrong)
