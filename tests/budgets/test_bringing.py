"""Many budgets in a file: all or nothing, mistakes by line and column, and an export that changes nothing."""

import csv
import io

import pytest
from django.core.management import call_command

from apps.budgets import services
from apps.budgets.models import Budget, BudgetVersion
from apps.finops.sheets import BadSheet
from apps.teams.approval import Actor, NotYours
from tests.budgets.worlds import FINANCE, NOW, budget, hire, publish

pytestmark = pytest.mark.django_db
HEAD = "name,dimension,value,grain,amount,currency,valid_from\n"
GOOD = "web,team,web,month,300.5,CNY,2026-11-01\n"


@pytest.fixture(autouse=True)
def company(home):
    hire()
    publish()


def bring(rows: str) -> services.Brought:
    return services.bring(f"{HEAD}{rows}".encode(), "b.csv", by=FINANCE, now=NOW)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("web2,team,nobody,month,1,CNY,2026-11-01", "column value: there is no team 'nobody'"),
        ("x,team,web,month,-1,CNY,2026-11-01", "column amount: -1 is negative"),
        ("x,team,web,month,1e99,CNY,2026-11-01", "column amount: '1e99' is not a number"),
        ("x,team,web,month,1,XXX,2026-11-01", "column currency: 'XXX'"),
        ("x,team,web,quarter,1,CNY,2026-11-01", "column valid_from: 2026-11-01 is not the first day of a quarter"),
        ("x,team,,month,1,CNY,2026-11-01", "column value: name what"),
        ("x,colour,red,month,1,CNY,2026-11-01", "column dimension: 'colour'"),
        ("x,department,none,month,1,CNY,2026-11-01", "there is no department 'none'"),
        ("x,,,month,1,CNY,tomorrow", "column valid_from: 'tomorrow' is not a day"),
        ("web,,,month,1,CNY,2026-11-01", "column name: 'web' stands on line 2 too"),
    ],
)
def test_a_bad_line_refuses_the_whole_file(row, says):
    with pytest.raises(BadSheet, match=f"b.csv: line 3, .*{says}"):
        bring(f"{GOOD}{row}\n")
    assert not Budget.objects.exists()


def test_a_known_budget_changes_where_it_differs():
    assert bring(GOOD) == services.Brought(1, 0, 0)
    assert bring(GOOD) == services.Brought(0, 0, 1)
    assert bring(GOOD.replace("300.5", "301")) == services.Brought(0, 1, 0)
    assert list(BudgetVersion.objects.order_by("pk").values_list("amount_text", flat=True)) == ["300.5", "301"]
    with pytest.raises(BadSheet, match="line 2, column grain"):
        bring("web,team,web,year,300.5,CNY,2026-01-01\n")


def test_what_is_exported_can_be_imported_and_changes_nothing(tmp_path):
    budget(valid_to=None, profile="terms", weights="1.5", rollover="both", owner_team="data")
    out = io.StringIO()
    call_command("budgets", "export", "--format", "csv", stdout=out)
    (tmp_path / "b.csv").write_text(out.getvalue())
    said = io.StringIO()
    call_command("budgets", "import", str(tmp_path / "b.csv"), stdout=said)
    assert said.getvalue() == "0 budgets are new, 0 changed, 1 as they were.\n"
    call_command("budgets", "list", "--format", "csv", stdout=(listed := io.StringIO()))
    (row,) = csv.DictReader(io.StringIO(listed.getvalue()))
    assert (row["amount"], row["spent"], row["state"]) == ("300", "200.000000000000", "unknown")


def test_finance_sets_budgets():
    with pytest.raises(NotYours):
        services.bring(b"", "b.csv", by=Actor("lilei", frozenset({"web"})), now=NOW)
