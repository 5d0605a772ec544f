"""The simulated company lives like a real one: its files, its days, its people."""

import csv
import json
import re
from collections import defaultdict
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from apps.demo import incidents
from apps.demo.bill_files import BillFiles
from apps.demo.focus_rows import period_of
from apps.demo.services import list_resources
from apps.demo.timetable import UnsupportedTimeZoneError, business_day
from apps.finops import focus
from apps.finops.tables import USAGE
from apps.teams.documents import read_file
from tests.demo.conftest import Simulate
from tests.demo.readings import USAGE_TABLES, Company, fingerprints, read_bill


def test_the_same_arguments_write_the_same_bytes(tiny: Company, simulate: Simulate) -> None:
    again = simulate(days=3, scale=0.02)
    other = simulate(days=3, scale=0.02, seed=1)
    assert fingerprints(again.folder) == fingerprints(tiny.folder)
    assert fingerprints(other.folder) != fingerprints(tiny.folder)


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    call_command("demo", to=tmp_path, days=2, scale=0.02, metrics_days=0)
    call_command("demo", to=tmp_path, days=1, scale=0.02, metrics_days=0, gzip=True)
    assert [path.name for path in (tmp_path / "billing").iterdir()] == ["alibaba-cloud-2026-10.csv.gz"]
    assert [path.name for path in (tmp_path / "usage" / "node_hours").iterdir()] == ["2026-10-31.parquet"]


def test_bills_are_focus(autumn: Company) -> None:
    assert list(autumn.charges[0]) == list(focus.COLUMNS)
    assert all(charge[column] for charge in autumn.charges for column in focus.REQUIRED)
    categories = defaultdict(set)
    for charge in autumn.charges:
        categories[charge["ServiceName"]].add(charge["ServiceCategory"])
    assert {service: found for service, found in categories.items() if len(found) > 1} == {}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        pytest.param("ChargeCategory", "Purchase", id="commitments are bought"),
        pytest.param("ChargeCategory", "Tax", id="tax is charged"),
        pytest.param("ChargeCategory", "Adjustment", id="a month is rounded"),
        pytest.param("ChargeClass", "Correction", id="an invoiced month is corrected"),
        pytest.param("PricingCategory", "Dynamic", id="spot servers work"),
        pytest.param("PricingCategory", "Committed", id="commitments are used"),
        pytest.param("CommitmentDiscountStatus", "Unused", id="and not all of them"),
        pytest.param("ChargeDescription", "Service level refund", id="part of an hour is paid back"),
        pytest.param("ServiceName", "Elastic Container Instance", id="the evening peak bursts into serverless"),
        pytest.param("Tags", "", id="somebody forgot a tag"),
    ],
)
def test_the_bill_has_its_share_of_everything(column: str, value: str, autumn: Company) -> None:
    assert any(charge[column] == value for charge in autumn.charges)


def test_usage_files_have_exactly_the_documented_columns(tiny: Company) -> None:
    may_be_missing = {"overhead_hours", "service_hours", "network_hours", "disk_hours"}
    assert set(USAGE_TABLES) == set(USAGE) - may_be_missing
    for name, rows in tiny.usage.items():
        assert list(rows[0]) == list(USAGE[name].file_columns)


def test_one_row_per_hour_pod_and_node(autumn: Company) -> None:
    keys = ("hour", "cluster", "namespace", "workload", "pod", "node")
    grain = [tuple(row[key] for key in keys) for row in autumn.usage["workload_hours"]]
    assert len(grain) == len(set(grain))


def test_peaks_stand_above_means_and_models_fit_their_cards(autumn: Company) -> None:
    keys = ("hour", "cluster", "namespace", "workload", "pod")
    used: dict[tuple[object, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
    for row in autumn.usage["workload_hours"]:
        names = ("cpu_used_core_hours", "memory_used_gib_hours", "gpu_used_hours", "gpu_request_hours")
        total = used[tuple(row[key] for key in keys)]
        used[tuple(row[key] for key in keys)] = [old + row[name] for old, name in zip(total, names, strict=True)]
    assert {tuple(row[key] for key in keys) for row in autumn.usage["workload_peaks"]} == used.keys()
    rough = Decimal("0.000012")  # the platform's agents are told in millionths of an hour
    for row in autumn.usage["workload_peaks"]:
        cpu, memory, gpu, cards = used[tuple(row[key] for key in keys)]
        assert row["cpu_peak_cores"] + rough >= cpu
        assert row["memory_peak_gib"] + rough >= memory
        assert (row["gpu_peak_share"] is None) == (row["gpu_memory_peak_gib"] is None) == (cards == 0)
        if cards:
            assert gpu <= row["gpu_peak_share"] <= 1
            assert 0 < row["gpu_memory_used_gib_hours"] <= row["gpu_memory_peak_gib"] < 24


def test_autoscalers_bound_what_ran(autumn: Company) -> None:
    bounds = {
        (row["hour"], row["namespace"], row["workload"]): (row["min_replicas"], row["max_replicas"])
        for row in autumn.usage["autoscaler_hours"]
    }
    nodes = defaultdict(set)
    for row in autumn.usage["workload_hours"]:
        nodes[row["hour"], row["namespace"], row["workload"]].add(row["pod"])
    assert all(0 < least < most for least, most in bounds.values())
    assert all(least <= len(nodes[key]) for key, (least, _most) in bounds.items())
    assert {key[1].rpartition("-")[0] for key in bounds} <= {
        "live-class",
        "homework-search",
        "im-push",
        "growth-activity",
    }


def test_the_timetable_fills_the_evenings_and_the_next_two_weeks(autumn: Company) -> None:
    with (autumn.folder / "timetable.csv").open() as stream:
        lessons = [*csv.DictReader(stream)]
    assert list(lessons[0]) == ["module", "class", "start", "end", "expected_students"]
    starts = [datetime.fromisoformat(lesson["start"]) for lesson in lessons]
    assert (min(starts).date(), max(starts).date()) == (date(2026, 10, 27), date(2026, 11, 16))
    assert {start.hour for start in starts if start.date() == date(2026, 10, 27)} == {17, 18, 19, 20, 21, 22}
    assert {lesson["module"] for lesson in lessons} <= {row["namespace"] for row in autumn.usage["workload_hours"]}
    assert all(int(lesson["expected_students"]) > 0 and lesson["start"] < lesson["end"] for lesson in lessons)


def test_the_evening_is_busiest(tiny: Company) -> None:
    used: dict[int, Decimal] = defaultdict(Decimal)
    for row in tiny.usage["workload_hours"]:
        if row["namespace"].startswith("live-class"):
            used[(row["hour"].hour + 8) % 24] += row["cpu_used_core_hours"]
    assert max(used, key=lambda hour: used[hour]) in (19, 20)
    assert used[3] * 3 < used[20]


def test_life_is_untidy(autumn: Company) -> None:
    """Servers exist for parts of hours, jobs for minutes, stateful pods move, GPUs are half used."""
    nodes, pods = autumn.usage["node_hours"], autumn.usage["workload_hours"]
    assert {row["cpu_capacity_core_hours"] for row in nodes if row["node_pool"] == "elastic"} >= {4, 12, 16}
    cron = [row for row in pods if row["namespace"].startswith("cron")]
    assert all(row["cpu_request_core_hours"] < Decimal("0.36") for row in cron)
    places = defaultdict(set)
    for row in pods:
        if row["workload_kind"] == "Deployment" and not row["resource_id"]:
            places[row["cluster"], row["namespace"], row["workload"]].add(row["node"])
    assert max(map(len, places.values())) > 3
    serving = [row for row in pods if row["namespace"].startswith("ml-serving")]
    assert sum(row["gpu_used_hours"] for row in serving) < sum(row["gpu_request_hours"] for row in serving) / 2


def test_disks_are_orphaned_on_the_way(autumn: Company) -> None:
    mounted = {row["volume"] for row in autumn.usage["volume_hours"]}
    billed = {charge["ResourceId"] for charge in autumn.charges if charge["ServiceName"] == "Elastic Block Storage"}
    assert mounted < billed


def test_teams_file_is_well_formed(autumn: Company) -> None:
    teams = autumn.teams["teams"]
    names = [team["name"] for team in teams]
    assert len(names) == len(set(names)) == 40
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)
    assert all(team["lead"]["email"].endswith("@example.com") for team in teams)
    rules = autumn.teams["rules"]
    assert len({rule["name"] for rule in rules}) == len(rules)
    for rule in rules:
        paid_by = rule.get("split") or {rule["team"]: 100}
        assert set(paid_by) <= set(names)
        assert sum(paid_by.values()) == 100
    assert any("valid_from" in rule for rule in rules)


def test_the_teams_file_says_everything_where_it_stands(autumn: Company) -> None:
    assert not re.search(r" [&*]id\d", (autumn.folder / "teams.yaml").read_text("utf-8"))


def test_the_organisation_is_a_tree_in_which_one_team_moves(autumn: Company) -> None:
    tree = read_file(autumn.folder / "teams.yaml").tree
    kinds = [unit.kind for unit in tree.units]
    assert (kinds.count("company"), kinds.count("unit"), kinds.count("department")) == (1, 3, 8)
    spots = {team: tree.spots(team) for team in tree.teams}
    assert all(
        spot.value("company") == "lantern" and spot.value("department") for way in spots.values() for spot in way
    )
    (moving,) = (team for team, way in spots.items() if len(way) > 1)
    before, after = spots[moving]
    assert (moving, before.value("department"), before.value("unit"), before.cost_center, before.until) == (
        "search-ocr", "search", "teaching", "CC-1008", date(2026, 10, 31),
    )  # fmt: skip
    assert (after.value("department"), after.value("unit"), after.cost_center) == ("ai", "technology", "CC-300")


def test_no_prefix_of_one_team_catches_the_sandboxes_of_another(autumn: Company) -> None:
    names = [team["name"] for team in autumn.teams["teams"]]
    assert [(a, b) for a in names for b in names if b.startswith(f"{a}-")] == []


def test_tags_are_json_objects_of_text(autumn: Company) -> None:
    tags: list[dict[str, Any]] = [json.loads(charge["Tags"]) for charge in autumn.charges if charge["Tags"]]
    assert all(isinstance(value, str) for bag in tags for value in bag.values())
    assert {"team", "owner", "项目组"} <= {key for bag in tags for key in bag}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        pytest.param({"days": 0}, "--days", id="no days"),
        pytest.param({"scale": 0.0}, "--scale", id="nobody there"),
        pytest.param({"seed": -1}, "--seed", id="a seed below zero"),
        pytest.param({"days": 3, "late_days": 3}, "--late-days", id="no bill in time"),
    ],
)
def test_impossible_plans_are_refused(options: dict[str, Any], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("demo", to=tmp_path / "never", **options)
    assert not (tmp_path / "never").exists()


def test_late_bills_stand_apart_and_make_the_bill_whole(tiny: Company, simulate: Simulate) -> None:
    late = simulate(days=3, scale=0.02, late_days=1, metrics_days=0)
    last = max(row["ChargePeriodStart"] for row in tiny.charges)[:10]
    assert last not in {row["ChargePeriodStart"][:10] for row in late.charges}
    files = sorted((late.folder / "billing-late").iterdir())
    assert [path.name for path in files] == [f"alibaba-cloud-{last[:7]}-late-{last}.csv"]
    together = [*late.charges, *(row for path in files for row in read_bill(path))]
    assert sorted(map(repr, together)) == sorted(map(repr, tiny.charges))
    assert late.truth == tiny.truth
    assert (late.folder / "invoices.csv").read_text().count("\n") == 1  # its month is not invoiced yet


def test_late_bills_are_named_after_their_days(tmp_path: Path) -> None:
    """A correction of the 28th is in the next month's bill, which begins before the day after it."""
    days = [date(2026, 12, 28), date(2026, 12, 31), date(2027, 1, 1)]
    with BillFiles(tmp_path / "in time", compress=False, late_folder=tmp_path / "late", late_from=days[0]) as bill:
        for day in days:
            bill.begin(day)
            bill.add(period_of(day, ZoneInfo("UTC")))
        bill.begin(days[0])
        bill.add(period_of(days[-1], ZoneInfo("UTC")))
    assert sorted(path.name for path in (tmp_path / "late").iterdir()) == [
        "alibaba-cloud-2026-12-late-2026-12-28.csv",
        "alibaba-cloud-2026-12-late-2026-12-31.csv",
        "alibaba-cloud-2027-01-late-2026-12-28.csv",
        "alibaba-cloud-2027-01-late-2027-01-01.csv",
    ]


def test_a_time_zone_of_half_hours_is_refused_with_advice() -> None:
    from datetime import date

    with pytest.raises(UnsupportedTimeZoneError, match="COSTOPS_TIME_ZONE"):
        business_day(date(2026, 10, 1), ZoneInfo("Asia/Kolkata"))


def test_invoices_are_what_is_billed_in_whole_cents(autumn: Company) -> None:
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for charge in autumn.charges:
        billed[charge["InvoiceId"]] += Decimal(charge["BilledCost"])
    with (autumn.folder / "invoices.csv").open() as stream:
        totals = {row["invoice_id"]: Decimal(row["total"]) for row in csv.DictReader(stream)}
    assert totals == {invoice: total.quantize(Decimal("0.01"), ROUND_HALF_UP) for invoice, total in billed.items()}


def test_students_and_searches_are_told_every_day(autumn: Company) -> None:
    with (autumn.folder / "drivers.csv").open() as stream:
        rows = [*csv.DictReader(stream)]
    days = {charge["ChargePeriodStart"][:10] for charge in autumn.charges}
    assert {row["driver"] for row in rows} == {"students-in-class", "searches"}
    assert len({row["date"] for row in rows}) in (len(days), len(days) - 1, len(days) + 1)  # a day is one of Beijing
    assert all(int(row["quantity"]) > 0 for row in rows)
    assert {team["name"] for team in autumn.teams["teams"]} >= {row["team"] for row in rows}


def test_what_goes_wrong_is_written_down_and_nothing_does_in_a_short_window(tmp_path):
    """For three days one project writes eight times its logs; before that, and in a short window, all is usual."""
    resources, end = list_resources(seed=1, scale=0.1), date(2026, 11, 1)
    usual = resources.quantity
    storm = next(one for one in incidents.INCIDENTS if one.kind == "spike")
    place = incidents.struck(storm, resources)

    def on(day: date) -> int:
        return int(incidents.disturbed(usual, resources, day, end=end)[place])

    assert on(date(2026, 10, 8)) == on(date(2026, 10, 10)) == 8 * int(usual[place])
    assert on(date(2026, 10, 7)) == on(date(2026, 10, 11)) == int(usual[place])
    for days, count in ((60, 3), (10, 0)):
        incidents.write(tmp_path / "incidents.csv", resources, end=end, days=days)
        assert len((tmp_path / "incidents.csv").read_text().splitlines()) == 1 + count
