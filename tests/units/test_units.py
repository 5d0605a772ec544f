"""Drivers are kept as versions; cost per unit and its change are what can be added up by hand."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.finops.errors import CostOpsError
from apps.finops.sheets import BadSheet
from apps.finops.windows import Window
from apps.ingest.services import add_source
from apps.marts.query import BadQuestion, Scope
from apps.teams.models import Team
from apps.units import fetching, services
from apps.units.models import DriverVersion
from apps.units.query import UnitQuery
from apps.units.selectors import driver_version, drivers, quantities, unit_change, unit_costs, versions
from tests.worlds import publish_costs

NOW = datetime(2026, 11, 5, 8, tzinfo=UTC)
HEADER = "date,driver,team,quantity\n"
SEPTEMBER, OCTOBER = date(2026, 9, 30), date(2026, 10, 1)
COSTS = [
    {"day": SEPTEMBER, "team": "web", "namespace": "shop", "effective_cost": "400", "list_cost": "500"},
    {"day": SEPTEMBER, "team": "data", "namespace": "etl", "effective_cost": "200", "list_cost": "250"},
    {"day": OCTOBER, "team": "web", "namespace": "shop", "effective_cost": "800", "list_cost": "900"},
    {"day": OCTOBER, "team": "web", "namespace": "cart", "effective_cost": "10", "list_cost": "0"},
    {"day": OCTOBER, "team": "data", "namespace": "etl", "effective_cost": "180", "list_cost": "225"},
    {"day": OCTOBER, "team": "unallocated", "namespace": "", "effective_cost": "7"},
]
DRIVERS = HEADER + (
    "2026-09-30,requests,web,100\n2026-09-30,requests,data,100\n2026-10-01,requests,web,150\n"
    "2026-10-01,requests,data,90\n2026-09-30,gpu-seconds,web,200\n2026-09-30,gpu-seconds,data,100\n"
    "2026-10-01,gpu-seconds,web,270\n2026-10-01,gpu-seconds,data,90\n"
)
BOTH = {"start": SEPTEMBER, "end": date(2026, 10, 2)}

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def world(db, home):
    for name in ("web", "data"):
        Team.objects.create(name=name)
    publish_costs(COSTS)


def brought(text=DRIVERS, name="drivers.csv"):
    return services.import_drivers(text.encode(), name=name, by="han", now=NOW)


def costs(driver="requests", by="team", **asked):
    found = unit_costs(UnitQuery(driver, by, **(BOTH | asked)))
    return {(row.period, row.subject): row for row in (*found.rows, *found.totals)}


def change(**asked):
    query = UnitQuery("requests", "team", **({"start": OCTOBER, "end": date(2026, 10, 2)} | asked))
    return unit_change(query, Window(SEPTEMBER, OCTOBER))


def said(*words):
    out, err = io.StringIO(), io.StringIO()
    call_command(*words, stdout=out, stderr=err)
    return out.getvalue()


def test_cost_per_unit_by_day():
    brought()
    found = costs()
    assert {key: (row.cost, row.quantity, row.unit_cost) for key, row in found.items() if key[1] in ("web", "")} == {
        ("2026-09-30", "web"): (400, 100, 4),
        ("2026-09-30", ""): (600, 200, 3),
        ("2026-10-01", "web"): (810, 150, Decimal("5.4")),
        ("2026-10-01", ""): (990, 240, Decimal("4.125")),
    }
    assert found["2026-10-01", ""].cost_without_driver == 7
    assert found["2026-10-01", "unallocated"].unit_cost is None


def test_cost_per_unit_by_month_counts_only_days_that_were_told():
    brought(HEADER + "2026-09-30,requests,web,3\n")
    found = costs(grain="month")
    assert found["2026-09", "web"].unit_cost == Decimal("133.333333333333")
    web = found["2026-10", "web"]
    assert (web.days, web.cost, web.quantity, web.unit_cost, web.cost_without_driver) == (0, 0, None, None, 810)


def test_cost_of_no_units_is_not_divided():
    brought(HEADER + "2026-10-01,requests,web,0\n2026-10-01,requests,data,2\n")
    found = costs(start=OCTOBER)
    assert (found["2026-10-01", "web"].cost, found["2026-10-01", "web"].unit_cost) == (810, None)
    assert found["2026-10-01", ""].unit_cost == 495


def test_currencies_stay_apart():
    publish_costs([*COSTS, {"day": OCTOBER, "team": "web", "effective_cost": "75", "currency": "USD"}])
    brought()
    rows = unit_costs(UnitQuery("requests", "team", **BOTH)).rows
    told = {row.currency: row.unit_cost for row in rows if (row.period, row.subject) == ("2026-10-01", "web")}
    assert told == {"CNY": Decimal("5.4"), "USD": Decimal("0.5")}
    assert {bridge.currency: bridge.total.total for bridge in change().bridges} == {"CNY": 390, "USD": 75}


def test_the_change_by_a_resource_that_was_told():
    brought()
    (bridge,) = change(resource="gpu-seconds").bridges
    total = bridge.total
    assert (total.before, total.volume, total.mix, total.efficiency, total.price, total.after) == (
        600, 120, 60, -60, 270, 990,
    )  # fmt: skip
    assert bridge.without_driver == (0, 7)


def test_the_change_by_list_cost_is_what_was_paid_against_what_was_used():
    """web: 400 at list 500, 810 at list 900: at old price 720, at old use 600. data: 180 at list 225: 180 both."""
    brought()
    (bridge,) = change().bridges
    web = bridge.subjects["web"]
    assert (web.volume, web.mix, web.efficiency, web.price) == (80, 120, 120, 90)
    assert bridge.total.total == 390


def test_units_of_days_that_have_not_come_make_nothing_cheaper():
    brought(DRIVERS + "2026-10-02,requests,web,1000\n")
    found = costs(end=date(2026, 10, 3), grain="all")
    assert found["2026-09-30..2026-10-03", "web"].quantity == 250


def test_a_change_is_of_the_days_that_came_with_as_many_just_before():
    second = date(2026, 10, 2)
    publish_costs([*COSTS, {"day": second, "team": "web", "effective_cost": "7"}])
    brought()
    found = unit_change(UnitQuery("requests", "team", second, date(2026, 11, 1)))
    assert (found.query.start, found.query.end) == (second, date(2026, 10, 3))
    assert found.before == Window(OCTOBER, second)
    assert found.bridges == unit_change(UnitQuery("requests", "team", second, date(2026, 10, 3))).bridges != ()


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        pytest.param(date(2026, 10, 1), date(2026, 10, 11), ("2026-09-01", "2026-09-11"), id="a month so far"),
        pytest.param(
            date(2026, 10, 1), date(2026, 11, 1), ("2026-09-01", "2026-09-11"), id="a month, as far as it came"
        ),
        pytest.param(date(2026, 9, 1), date(2026, 10, 1), ("2026-08-01", "2026-09-01"), id="a whole month"),
        pytest.param(date(2026, 10, 2), date(2026, 10, 11), ("2026-09-23", "2026-10-02"), id="any other days"),
    ],
)
def test_a_unit_is_compared_with_the_days_that_cost_is(admin_client, start, end, before):
    """`previous` of cost over the API, and this month and the last one on pages."""
    days = [date(2026, 8, 1) + timedelta(days=number) for number in range(71)]  # until 10 October
    publish_costs([{"day": day, "team": "web", "effective_cost": f"{day.day}"} for day in days])
    brought(HEADER + "".join(f"{day},requests,web,1\n" for day in days))
    asked = {"start": start, "end": end}
    found = admin_client.get("/api/v1/units/change/", {"driver": "requests", "by": "team"} | asked).json()
    costs = admin_client.get("/api/v1/costs/", {"compare": "previous"} | asked).json()["comparison"]
    assert (found["before_start"], found["before_end"]) == (costs["start"], costs["end"]) == before
    assert f"Against {'..'.join(before)}; publication" in said(
        "units", "change", "requests", "--start", f"{start}", "--end", f"{end}"
    )


@pytest.mark.parametrize(
    ("start", "end", "because"),
    [
        ("2026-10-05", "2026-10-09", "None of the days of 2026-10-05..2026-10-09 is published"),
        ("2026-09-30", "2026-10-01", "Not all days of 2026-09-29..2026-09-30 are published"),
    ],
)
def test_where_nothing_can_be_compared_it_says_why(admin_client, start, end, because):
    brought()
    asked = {"driver": "requests", "start": start, "end": end}
    found = admin_client.get("/api/v1/units/change/", asked).json()
    assert found["unknown_because"].startswith(because)
    assert found["rows"] == []
    assert because in said("units", "change", "requests", "--start", start, "--end", end)


def test_a_later_upload_replaces_its_days_and_older_versions_stay_readable():
    first = brought()
    second = brought(HEADER + "2026-10-01,requests,web,300\n", name="corrected.csv")
    window = Window(SEPTEMBER, date(2026, 10, 2))
    now = quantities("requests", "team", window, driver_version())
    assert now == {(SEPTEMBER, "web"): 100, (SEPTEMBER, "data"): 100, (OCTOBER, "web"): 300}
    assert quantities("requests", "team", window, driver_version(first.number))[OCTOBER, "web"] == 150
    assert quantities("gpu-seconds", "team", window, driver_version())[OCTOBER, "web"] == 270
    assert costs(drivers_as_of=first.number)["2026-10-01", "web"].unit_cost == Decimal("5.4")
    assert costs()["2026-10-01", "web"].unit_cost == Decimal("2.7")
    told = [(one.number, one.origin, one.created_by, one.created_at) for one in versions()]
    assert told == [(second.number, "corrected.csv", "han", NOW), (first.number, "drivers.csv", "han", NOW)]


def test_the_same_again_is_no_new_version():
    clicks = HEADER + "2026-10-01,clicks,web,3\n"
    first, second = brought(), brought(clicks)
    assert brought().number == brought(clicks).number == second.number > first.number
    assert brought(clicks.replace(",3\n", ",4\n")).number > second.number


def test_scopes_are_kept_apart():
    brought()
    brought("date,driver,namespace,quantity\n2026-10-01,requests,shop,1600\n")
    assert costs(by="namespace")["2026-10-01", "shop"].unit_cost == Decimal("0.5")
    assert costs()["2026-10-01", "web"].unit_cost == Decimal("5.4")
    assert drivers() == [("gpu-seconds", "team"), ("requests", "namespace"), ("requests", "team")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param("2026-10-02,requests,wbe,1", "line 10, column team: there is no team 'wbe'", id="no such team"),
        pytest.param("2026-10-02,requests,web,-1", "line 10, column quantity: -1 is negative", id="negative"),
        pytest.param(
            "2026-10-02,requests,web,many", "line 10, column quantity: 'many' is not a number", id="no number"
        ),
        pytest.param("2026-10-02,Requests!,web,1", "line 10, column driver: 'Requests!'", id="a strange name"),
        pytest.param("2026-10-01,requests,web,1", "on 2026-10-01 stands in line 4 already; keep one", id="told twice"),
        pytest.param("2026-02-30,requests,web,1", "line 10, column date: '2026-02-30'", id="no day"),
        pytest.param("2026-10-02,requests,,1", "line 10, column team: is empty", id="nobody"),
        pytest.param("2026-10-02,requests,web", "line 10: 3 values for 4 columns", id="a column short"),
    ],
)
def test_a_file_with_a_wrong_line_is_refused_whole(line, message):
    with pytest.raises(BadSheet) as refused:
        brought(DRIVERS + line + "\n")
    assert message in str(refused.value)
    assert DriverVersion.objects.count() == 0
    assert drivers() == []


def test_a_file_says_whose_quantities_it_holds():
    with pytest.raises(
        BadSheet, match="date,driver,team,quantity or date,driver,service,quantity or date,driver,names"
    ):
        brought("date,driver,cluster,quantity\n2026-10-01,requests,a,1\n")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        pytest.param({"by": "cluster"}, "by: 'cluster' is not one of", id="by what is not told"),
        pytest.param({"driver": "../etc"}, "driver: '../etc' is not the name", id="no name"),
        pytest.param({"end": SEPTEMBER}, "must come after start", id="no days"),
        pytest.param({"grain": "hour"}, "grain: 'hour'", id="no grain"),
        pytest.param(
            {"by": "namespace", "scope": Scope(frozenset({"web"}))}, "may ask by team", id="a lead by namespace"
        ),
        pytest.param({"drivers_as_of": 99}, "no version 99 of the drivers", id="no version"),
    ],
)
def test_what_cannot_be_asked(asked, message):
    brought()
    with pytest.raises(BadQuestion, match=message):
        unit_costs(UnitQuery(**({"driver": "requests", "by": "team"} | BOTH | asked)))


def test_a_lead_sees_units_of_own_teams_only():
    brought()
    found = unit_costs(UnitQuery("requests", "team", scope=Scope(frozenset({"web"})), **BOTH))
    assert {row.subject for row in found.rows} == {"web"}
    assert {row.quantity for row in found.totals} == {100, 150}


def test_the_terminal(tmp_path):
    path = tmp_path / "drivers.csv"
    path.write_text(DRIVERS)
    assert said("drivers", "import", str(path)).startswith("Kept 8 quantities as version ")
    (row,) = csv.DictReader(io.StringIO(said("drivers", "list", "--format", "csv")))
    assert (row["drivers"], row["by"], row["first_day"], row["last_day"]) == (
        "gpu-seconds, requests", "team", "2026-09-30", "2026-10-01",
    )  # fmt: skip
    days = ("--start", "2026-10-01", "--end", "2026-10-02")
    shown = said("drivers", "show", "requests", "--by", "team", *days, "--format", "csv").splitlines()
    assert shown[1].startswith("2026-10-01,data,90.000000000000,")
    answers = json.loads(said("units", "cost", "requests", *days, "--format", "json"))
    assert [(row["subject"], row["unit_cost"]) for row in answers] == [
        ("data", "2.000000000000"), ("unallocated", None), ("web", "5.400000000000"), ("", "4.125000000000"),
    ]  # fmt: skip
    before = ("--before-start", "2026-09-30", "--before-end", "2026-10-01")
    table = said("units", "change", "requests", *days, *before, "--resource", "gpu-seconds")
    assert "600.00  120.00   60.00      -60.00  270.00  990.00" in table
    assert "Cost without a driver: 0.00 before, 7.00 after, CNY." in table
    with pytest.raises(CommandError, match="go together"):
        said("units", "change", "requests", *days, "--before-start", "2026-09-01")
    with pytest.raises(CommandError, match="no source 'prod'"):
        said("drivers", "fetch", "prod", "--driver", "requests", "--by", "team", "--query", "x", *days)


METRICS = """# TYPE requests counter
requests_total{namespace="shop",pod="a"} 0 1790812800
requests_total{namespace="shop",pod="a"} 43200 1790856000
requests_total{namespace="shop",pod="a"} 86400 1790899200
requests_total{namespace="etl",pod="b"} 0 1790812800
requests_total{namespace="etl",pod="b"} 10 1790856000
requests_total{namespace="etl",pod="b"} 20 1790899200
# EOF
"""
"""One counter of two namespaces from 2026-10-01 to 2026-10-02, UTC."""
QUERY = "sum by (namespace) (max_over_time(requests_total[$window]))"


@pytest.fixture
def prometheus(prometheus_server):
    server = prometheus_server([METRICS])
    return add_source(name="prod", kind="prometheus", location=server.url, cluster="online", options={}, now=NOW)


def fetched(source, query=QUERY, **asked):
    window = Window(OCTOBER, date(2026, 10, 3))
    given = {"driver": "requests", "scope": "namespace", "label": "", "window": window, "by": "han", "now": NOW}
    return services.fetch_drivers(source, query, **(given | asked))


def test_quantities_from_prometheus(prometheus):
    done = fetched(prometheus)
    assert (done.rows, done.origin) == (4, f"prod: {QUERY}")
    second, window = date(2026, 10, 2), Window(OCTOBER, date(2026, 10, 3))
    assert quantities("requests", "namespace", window, driver_version()) == {
        (OCTOBER, "etl"): 10, (OCTOBER, "shop"): 43200, (second, "etl"): 20, (second, "shop"): 86400,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "asked", "message"),
    [
        pytest.param("up", {}, r"The query has no \[\$window\]", id="no window"),
        pytest.param("sum(increase(requests_total[$window]))", {}, "no label namespace", id="no label"),
        pytest.param(QUERY, {"driver": "A b"}, "is not a name of a driver", id="no name"),
        pytest.param(QUERY, {"scope": "team", "label": "namespace"}, "no team 'etl'", id="no team"),
        pytest.param("sum by (namespace) (0 * requests_total[$window]) / 0", {}, "refuses", id="no PromQL"),
        pytest.param("sum by (namespace) (max_over_time(requests_total[$window])) / 0", {}, "'\\+Inf'", id="no number"),
        pytest.param("-1 * " + QUERY, {}, "a quantity is not negative", id="negative"),
        pytest.param("sum by (namespace) (max_over_time(nothing[$window]))", {}, "answers nothing", id="nothing"),
    ],
)
def test_what_prometheus_answers_and_cannot_be_kept(prometheus, query, asked, message):
    with pytest.raises(CostOpsError, match=message):
        fetched(prometheus, query, **asked)
    assert DriverVersion.objects.count() == 0


@pytest.mark.parametrize("values", [[], [None], [[1]]], ids=str)
def test_an_answer_without_a_sample_is_refused(values):
    series = [{"metric": {"team": "web"}, "values": values}]
    with pytest.raises(fetching.BadDriverQuery, match="which is no sample"):
        list(fetching._of_day(series, date(2026, 10, 1), driver="requests", scope="team", label="team"))


def test_a_day_is_one_of_the_business_time_zone(prometheus, settings):
    """In New York the first of October holds the reading of midnight UTC of the second."""
    settings.COSTOPS_TIME_ZONE = "America/New_York"
    fetched(prometheus, window=Window(OCTOBER, date(2026, 10, 2)))
    told = quantities("requests", "namespace", Window(OCTOBER, date(2026, 10, 3)), driver_version())
    assert told == {(OCTOBER, "etl"): 20, (OCTOBER, "shop"): 86400}
