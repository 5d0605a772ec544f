"""The worked examples of docs/concepts.md: its tables, given to the real code, come out as it says."""

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import ibis
import numpy as np
import pytest

from apps.finops import why
from apps.finops.money import add_up, converted, less, split
from apps.finops.tables import COSTS
from apps.finops.units import EFFECTS, Measured, split_change
from apps.insights.landing import Ahead, path
from apps.learning import scores
from apps.learning.anomalies.detector import rule_flags
from apps.learning.anomalies.usual import Usual
from apps.learning.effects.sharing import capped, shapley

DOCS = Path(__file__).parents[2] / "docs"
DAY = date(2026, 10, 1)
NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


def tables(heading: str) -> list[list[list[str]]]:
    """The tables below a heading of the page: rows of cells, without the header."""
    section = re.split(r"^## ", (DOCS / "concepts.md").read_text(), flags=re.MULTILINE)
    (text,) = [one for one in section if one.startswith(f"{heading}\n")]
    found = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    return [
        [[cell.strip() for cell in line.strip(" |").split(" | ")] for line in one.splitlines()[2:]] for one in found
    ]


@pytest.fixture
def paper(db, home, tmp_path):
    """The company of the example, filled up to a publication."""
    from apps.ingest.services import add_source
    from apps.pipeline.services import fill
    from apps.teams.services import import_teams

    (tmp_path / "bills").mkdir()
    shutil.copy(DOCS / "examples/paper/bill.csv", tmp_path / "bills")
    usage = str(DOCS / "examples/paper/usage")
    add_source(name="bill", kind="focus", location=str(tmp_path / "bills"), cluster="", options={}, now=NOW)
    add_source(name="usage", kind="usage_files", location=usage, cluster="", options={}, now=NOW)
    import_teams(DOCS / "examples/paper/teams.yaml", NOW)
    steps = ("land", "normalize", "meter", "allocate", "publish")
    report = fill(now=NOW, steps=steps)
    assert (report.failed, report.errors) == ((), ())


def asked(*groups: str, metric: str = "effective_cost") -> dict[tuple[str, ...], Decimal]:
    from apps.marts.query import CostQuery
    from apps.marts.selectors import answer

    found = answer(CostQuery(DAY, DAY + timedelta(days=1), group_by=groups, metric=metric))
    return {tuple(map(str, row[:-2])): row[-1] for row in found.rows}


def test_a_day_of_ten_rows_is_attributed_as_the_page_says(paper):
    from apps.marts.reconciling import reconciliation

    bill, nodes, parts, ((charged, direct, shared, idle, unallocated, difference),) = tables(
        "Attribution: whose cost it is"
    )
    assert add_up(Decimal(row[2]) for row in bill) == add_up(asked("team", metric="billed_cost").values())
    assert add_up(Decimal(row[3]) for row in bill) == Decimal(charged)

    assert asked("team", "kind") == {(team, kind): Decimal(cost) for team, kind, cost in parts}
    by_workload = {
        f"{row[0]}/{row[1]}": cost
        for row, cost in asked("namespace", "workload", "service", "kind").items()
        if row[2] == "Compute"
    }
    told = {workload: Decimal(cost) for _, workload, *_, cost in nodes if workload not in ("idle", "kube-system/dns")}
    assert {workload: by_workload[workload] for workload in told} == told
    assert add_up(Decimal(row[-1]) for row in nodes if row[1] == "idle") == Decimal(idle)

    (row,) = reconciliation()[1]
    found = (row.charged, row.direct, row.shared, row.idle, row.unallocated, row.difference)
    assert found == tuple(map(Decimal, (charged, direct, shared, idle, unallocated, difference)))


def test_a_division_is_exact():
    (parts,) = tables("Exact division")
    found = split(Decimal("1.00"), {team: int(weight) for team, weight, _ in parts})
    assert found == {team: Decimal(part) for team, _, part in parts}
    assert add_up(found.values()) == 1


def test_each_day_is_converted_by_its_rate():
    (days,) = tables("Another currency")
    assert [converted(Decimal(amount), Decimal(rate)) for _, amount, rate, _ in days] == [
        Decimal(row[-1]) for row in days
    ]


def test_an_estimate_is_the_last_price_times_the_usage_now(home):
    from apps.estimates.prices import times_over
    from apps.warehouse.engine import rows_of

    (rows,) = tables("Estimates: a day without a bill")
    known = [
        dict.fromkeys(COSTS, Decimal(cost)) | {"resource": name, "now": int(now), "per": int(then)}
        for name, cost, then, now, _ in rows
    ]
    schema = {
        **dict.fromkeys(COSTS, "decimal(38,12)"), "resource": "string", "now": "int64", "per": "int64",
    }  # fmt: skip
    found = times_over(ibis.memtable(known, schema=schema), times="now", per="per")
    assert dict(rows_of(found.select("resource", "effective_cost"))) == {row[0]: Decimal(row[-1]) for row in rows}


def test_a_change_is_split_into_volume_and_price():
    sides, parts = tables("Why cost changed")
    meter = why.Meter("usage", unit="hours")
    before, after = (
        {meter: why.Used(Decimal(cost), Decimal(hours), Decimal(cost), Decimal(cost))} for _, hours, cost in sides
    )
    found = {part: amount for part, amount in why.explain_change(before, after).parts.items() if amount}
    assert found == {part: Decimal(amount) for part, amount in parts}


def test_a_change_of_unit_cost_is_split_into_four():
    given, effects = tables("Cost per unit")
    sides = ({row[0]: Measured(*map(Decimal, row[start : start + 3])) for row in given} for start in (1, 4))
    found = split_change(*sides)
    assert {team: [getattr(change, effect) for effect in EFFECTS] for team, change in found.items()} == {
        row[0]: [Decimal(amount) for amount in row[1:]] for row in effects
    }


def test_a_back_test_is_scored():
    (history,), days, scored = tables("Forecasts and their back-test")
    y = np.array([[float(cost)] for cost in history[1:]])
    actual, forecast, naive = (np.array([[[float(row[at])] for row in days]]) for at in (1, 2, 3))
    found = scores.score(actual, forecast, naive, y)
    assert [
        [f"{found.mase[0]:.3f}", f"{found.naive_mase[0]:.3f}"],
        [f"{found.total_error[0]:.3f}", f"{found.naive_total_error[0]:.3f}"],
    ] == [row[1:] for row in scored]


def test_a_budget_is_exceeded_with_a_probability():
    ((_, mean, *bounds),), budgets = tables("Budgets")
    costs = {DAY + timedelta(days=at): Decimal(12) for at in range(5)}
    off = tuple(Decimal(bound) - Decimal(mean) for bound in bounds)
    ahead = Ahead(DAY + timedelta(days=5), [Decimal(10)] * 4 + [Decimal(12)], [(Decimal(0),) * 4] * 4 + [off])
    (*_, (_, landing)) = path(costs, ahead, DAY, DAY + timedelta(days=10))
    assert landing.mean == Decimal(mean)
    assert {budget: landing.probability_above(Decimal(budget)) for budget, _ in budgets} == {
        budget: Decimal(told) for budget, told in budgets
    }


def test_the_rule_tells_an_anomaly():
    (days,) = tables("Anomalies")
    past, count = 120, len(days)
    rest, spread = np.zeros((past + 1, count)), np.full((past + 1, count), 0.01)
    rest[-1], spread[-1] = [float(row[1]) for row in days], [float(row[2]) for row in days]
    known = Usual(np.ones(count), rest, np.zeros_like(rest), np.zeros_like(rest), spread)
    assert ["yes" if flag else "no" for flag in rule_flags(known)[-1]] == [row[3] for row in days]


def test_savings_are_differences_and_shared_once():
    days, shared = tables("Verified savings")
    *each, total = [[Decimal(cell) for cell in row[1:]] for row in days]
    assert all(less(expected, actual) == saving for expected, actual, saving in (*each, total))
    assert [add_up(column) for column in zip(*each, strict=True)] == total
    *alone, (_, together, _) = shared
    found = shapley(capped({name: float(saving) for name, saving, _ in alone}, float(together)))
    assert found == {name: float(part) for name, _, part in alone}
