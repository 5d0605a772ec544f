"""FOCUS out, of a month with everything in it: every rule that applies is asked of rows, passes, and the sums hold."""

import csv
import json
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings

from apps.finops.money import add_up
from apps.warehouse.conformance import check
from apps.warehouse.conformance.opening import open_file
from apps.warehouse.conformance.rules import rules
from tests.pipeline import school
from tests.reports import full_month

pytestmark = [pytest.mark.django_db]

WINDOW = ("--start", "2026-10-01", "--end", "2026-11-01")
SILENT = {
    "BillingAccountType-C-004-C", "CommitmentDiscountQuantity-C-005-C", "ConsumedQuantity-C-006-C",
    "ContractedUnitPrice-C-006-C", "ContractedUnitPrice-C-011-C", "ListCost-C-009-C", "ListUnitPrice-C-005-C",
    "ListUnitPrice-C-010-C", "PricingCategory-C-004-C", "PricingCurrencyListUnitPrice-C-005-C",
    "PricingQuantity-C-005-C", "SkuId-C-005-C", "SkuPriceId-C-005-C",
}  # fmt: skip
"""No bill is without an account, and the validator asks the rules of charges that are no correction only where
ChargeClass is told, which is then "Correction"."""
FORMS = [(what, form) for what in ("charges", "allocated") for form in ("csv", "parquet")]


@pytest.fixture(scope="module")
def exports(django_db_setup, django_db_blocker, tmp_path_factory):
    """The four files: charges and allocated cost, as CSV and as Parquet."""
    folder = tmp_path_factory.mktemp("full_month")
    home = {"COSTOPS_HOME": folder, "COSTOPS_LANDING": folder / "landing", "COSTOPS_LAKE": folder / "lake"}
    full_month.write(folder)
    (folder / "teams.yaml").write_text(school.TEAMS)
    with django_db_blocker.unblock(), override_settings(**home), transaction.atomic():
        call_command("import_teams", str(folder / "teams.yaml"))
        call_command("source", "add", "bill", "--kind", "focus", "--location", str(folder / "bill"))
        call_command("source", "add", "usage", "--kind", "usage_files", "--location", str(folder / "usage"))
        call_command("fill")
        told = folder / "BilledCost=x"  # reads like a column and its value
        told.mkdir()
        for what, form in FORMS:
            target = str(told / f"{what}.{form}")
            call_command("export_focus", "--what", what, *WINDOW, "--format", form, "--to", target)
        transaction.set_rollback(True)
    return told


def read(path):
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_every_rule_that_applies_passes(exports, what, form):
    report = check.check(exports / f"{what}.{form}")
    assert [(one.rule.id, one.rows, one.example) for one in report.failed] == []
    assert report.count("not applicable") == 0, "every column is there and every criterion met"
    assert report.count("passed") == sum(rule.requirement is not None for rule in rules()) == 266


@pytest.mark.parametrize(("what", "form"), FORMS)
def test_the_four_costs_are_what_was_billed(exports, what, form):
    rows = read(exports / f"{what}.{form}")
    sums = {name: add_up(Decimal(row[name]) for row in rows) for name in full_month.TOTALS}
    assert sums == {name: Decimal(total) for name, total in full_month.TOTALS.items()}


def test_every_condition_is_met_by_some_charge_unless_none_can(exports):
    """A rule whose condition no row meets says nothing."""
    relation, sheet = open_file(exports / "charges.parquet")
    conditional = [rule for rule in rules() if rule.requirement and rule.condition]
    met = ", ".join(f"count(*) FILTER (WHERE {sheet.holds(rule.condition)})" for rule in conditional)
    (counts,) = check.engine.connect().con.execute(f"SELECT {met} FROM {relation}").fetchall()
    silent = {rule.id for rule, count in zip(conditional, counts, strict=True) if not count}
    assert silent == SILENT


SPLIT = ("ResourceId", "AllocatedResourceId", "AllocatedMethodId", "AllocatedTags", "ChargeCategory")


def test_what_kubernetes_shares_is_told_in_the_columns_of_1_3(exports):
    """Of 48 units an hour web claims 27 and etl 9 of i-a, etl 18 of i-b; the refund of i-a is its cost too: 0.80
    in all. The disk's 30 GiB are 20 and 10. The rest has no claims, and its columns are empty."""
    rows = read(exports / "allocated.parquet")
    split = {tuple(row[name] for name in SPLIT): row for row in rows if row["AllocatedMethodId"]}
    claims, disk = "costops-node-claims", "costops-volume-capacity"
    live, data, nobody = '{"team":"live"}', '{"team":"data"}', '{"team":"unallocated"}'
    assert {key: f"{row['EffectiveCost'].normalize():f}" for key, row in split.items()} == {
        ("i-a", "live-1/web", claims, live, "Usage"): "0.45",
        ("i-a", "data-1/etl", claims, data, "Usage"): "0.15",
        ("i-a", "__idle__", claims, nobody, "Usage"): "0.2",
        ("i-b", "data-1/etl", claims, data, "Usage"): "0.3",
        ("i-b", "__idle__", claims, nobody, "Usage"): "0.5",
        ("d-1", "live-1/web", disk, live, "Usage"): "0.2",
        ("d-1", "data-1/etl", disk, data, "Usage"): "0.1",
    }
    ratios = {key[:2]: ratio(row) for key, row in split.items()}
    assert ratios[("i-a", "live-1/web")] == Decimal("0.5625")
    assert ratios[("i-b", "__idle__")] == Decimal("0.625")
    assert ratios[("d-1", "live-1/web")] == Decimal("0.666666666667")
    rest = [row for row in rows if not row["AllocatedMethodId"]]
    assert {row["ChargeCategory"] for row in rest} == {"Usage", "Purchase", "Credit", "Tax", "Adjustment"}
    assert all(value is None for row in rest for name, value in row.items() if name.startswith("Allocated"))


def ratio(row):
    (element,) = json.loads(row["AllocatedMethodDetails"], parse_float=Decimal)["Elements"]
    return element["AllocatedRatio"]
