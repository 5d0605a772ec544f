"""FOCUS out: rows one can add up on paper, exact sums, harmless text, whole files that pass the checks."""

import csv
import json
from datetime import date
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.test import override_settings

from apps.finops import focus
from apps.marts.models import Publication
from apps.reports.focus_out import export as exporting
from tests.ingest.bills import bill, row
from tests.pipeline import school

DAY = date(2026, 10, 1)
WINDOW = ("--start", "2026-10-01", "--end", "2026-11-01")

pytestmark = [pytest.mark.usefixtures("home"), pytest.mark.django_db]


def fill(folder, teams):
    (folder / "teams.yaml").write_text(teams)
    call_command("import_teams", str(folder / "teams.yaml"))
    call_command("source", "add", "bill", "--kind", "focus", "--location", str(folder / "bill"))
    (folder / "usage").mkdir(exist_ok=True)
    call_command("source", "add", "usage", "--kind", "usage_files", "--location", str(folder / "usage"))
    call_command("fill")


@pytest.fixture(scope="module")
def published_day(django_db_setup, django_db_blocker, tmp_path_factory):
    """Two nodes at 1.20 and storage for 0.10, filled once: the home folder, and what the publication says."""
    folder = tmp_path_factory.mktemp("one_day")
    home = {"COSTOPS_HOME": folder, "COSTOPS_LANDING": folder / "landing", "COSTOPS_LAKE": folder / "lake"}
    school.write_bill(folder / "bill" / "2026-10.csv", [DAY])
    school.write_usage(folder / "usage", [DAY])
    with django_db_blocker.unblock(), override_settings(**home), transaction.atomic():
        fill(folder, school.TEAMS)
        told = Publication.objects.values().get()
        transaction.set_rollback(True)
    return home, told


@pytest.fixture
def one_day(published_day, home, settings):
    folders, told = published_day
    for name, value in folders.items():
        setattr(settings, name, value)
    cache.clear()
    Publication.objects.create(**told)


def exported(path, what, *words):
    call_command("export_focus", "--what", what, *WINDOW, *words, "--to", str(path))
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.usefixtures("one_day")
def test_allocated_cost_is_split_as_on_paper(tmp_path):
    """A node has 8 x 4 cores + 16 GiB = 48 units an hour. On node-a web claims 8 x 3 + 3 = 27 and etl 8 + 1 = 9, on
    node-b etl 18; 12 and 30 units are idle."""
    rows = exported(tmp_path / "out.csv", "allocated")
    found = {
        (each["ResourceId"], each["AllocatedResourceId"], each["x_Team"], each["x_Kind"]): Decimal(
            each["EffectiveCost"]
        )
        for each in rows
    }
    assert found == {
        ("i-a", "live-1/web", "live", "direct"): Decimal("0.675"),
        ("i-a", "data-1/etl", "data", "direct"): Decimal("0.225"),
        ("i-a", "__idle__", "unallocated", "idle"): Decimal("0.3"),
        ("i-b", "data-1/etl", "data", "direct"): Decimal("0.45"),
        ("i-b", "__idle__", "unallocated", "idle"): Decimal("0.75"),
        ("bucket", "", "live", "direct"): Decimal("0.06"),
        ("bucket", "", "data", "direct"): Decimal("0.04"),
    }
    web = next(each for each in rows if each["x_Workload"] == "web")
    (element,) = json.loads(web["AllocatedMethodDetails"], parse_float=Decimal)["Elements"]
    assert (web["AllocatedMethodId"], element["AllocatedRatio"]) == ("costops-node-claims", Decimal("0.5625"))
    assert (web["ChargePeriodStart"], web["ChargePeriodEnd"]) == ("2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z")
    assert list(rows[0])[: len(focus.COLUMNS)] == list(focus.COLUMNS)


@pytest.mark.usefixtures("one_day")
def test_charges_keep_their_rows_and_their_decimals(tmp_path):
    rows = exported(tmp_path / "out.csv", "charges")
    assert sorted(each["BilledCost"] for each in rows) == ["0.100000000000", "1.200000000000", "1.200000000000"]
    assert {each["x_BillingMonth"] for each in rows} == {"2026-10"}


@pytest.mark.usefixtures("one_day")
@pytest.mark.parametrize(
    ("what", "words", "total"),
    [
        pytest.param("charges", (), "2.5", id="all charges"),
        pytest.param("charges", ("--filter", "service=Storage"), "0.1", id="one service"),
        pytest.param("charges", ("--filter", "service=Nothing"), "0", id="no charge is a file without rows"),
        pytest.param("allocated", ("--filter", "team=data"), "0.715", id="one team"),
        pytest.param("allocated", ("--filter", "kind=idle"), "1.05", id="what idles"),
    ],
)
def test_the_filter_chooses_rows_and_the_file_adds_up(tmp_path, what, words, total):
    rows = exported(tmp_path / "out.csv", what, *words)
    assert sum((Decimal(each["EffectiveCost"]) for each in rows), Decimal(0)) == Decimal(total)


@pytest.mark.usefixtures("one_day")
def test_parquet_holds_exact_decimals(tmp_path):
    target = tmp_path / "out.parquet"
    call_command("export_focus", "--what", "allocated", *WINDOW, "--format", "parquet", "--to", str(target))
    table = pq.read_table(target)
    assert str(table.schema.field("EffectiveCost").type) == "decimal128(38, 12)"
    assert sum(table["EffectiveCost"].to_pylist()) == Decimal("2.5")


@pytest.mark.usefixtures("one_day")
def test_a_file_that_does_not_add_up_is_no_file(tmp_path, monkeypatch):
    target = tmp_path / "out.csv"
    target.write_text("yesterday")
    monkeypatch.setattr(exporting, "_expected", lambda *_: {("bill", "2026-10", "CNY"): (Decimal(3),) * 4})
    with pytest.raises(CommandError, match=r"bill 2026-10 CNY: the file adds up to 2\.5"):
        exported(target, "charges")
    assert target.read_text() == "yesterday"
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []


@pytest.mark.usefixtures("one_day")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("charges", "--filter", "team=web"), "charges know no team", id="charges have no team"),
        pytest.param(("charges", "--as-of", "99"), "no publication number 99", id="no such publication"),
    ],
)
def test_what_cannot_be_exported_says_why(tmp_path, words, said):
    with pytest.raises(CommandError, match=said):
        exported(tmp_path / "out.csv", *words)


@pytest.mark.usefixtures("one_day")
def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="cannot be written"):
        exported(tmp_path / "nowhere" / "out.csv", "charges")


def test_text_is_ascii_where_focus_wants_it_and_never_a_formula(tmp_path):
    names = {"ResourceName": "=直播é", "SkuId": "-1", "ChargeDescription": "  =2", "Tags": '{"team":"直播"}'}
    (tmp_path / "bill").mkdir()
    (tmp_path / "bill" / "2026-10.csv").write_bytes(bill(row("1.5", **names), row("2", **dict.fromkeys(names, ""))))
    fill(tmp_path, "teams: [{name: live, title: Live}]\n")
    told = next(each for each in exported(tmp_path / "out.csv", "charges") if each["BilledCost"].startswith("1.5"))
    assert told["ResourceName"] == r"'=\u76f4\u64ade"
    assert told["x_ResourceNameLocal"] == "'=直播é"
    assert told["SkuId"] == "'-1"
    assert told["ChargeDescription"] == "'  =2"  # some spreadsheets trim before they look
    assert told["Tags"] == '{"team":"直播"}'


def test_a_simulated_company_passes_every_check(tmp_path):
    call_command("demo", to=tmp_path, days=1, scale=0.01, metrics_days=0)
    call_command("import_teams", str(tmp_path / "teams.yaml"))
    call_command("source", "add", "bill", "--kind", "focus", "--location", str(tmp_path / "billing"))
    call_command("source", "add", "usage", "--kind", "usage_files", "--location", str(tmp_path / "usage"))
    call_command("fill")
    for what in ("charges", "allocated"):
        for form in ("csv", "parquet"):
            target = str(tmp_path / f"{what}.{form}")
            call_command("export_focus", "--what", what, *WINDOW, "--format", form, "--to", target)
            call_command("focus_check", target)
