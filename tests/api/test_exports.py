"""FOCUS over HTTP: the same sums as the API's, for the teams one may see, harmless in a spreadsheet, sent in blocks."""

import csv
import io
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.test import Client

from apps.audit.models import ReadEntry
from apps.finops.money import add_up
from apps.marts.models import Publication
from tests.pipeline import school

DAYS = [date(2026, 10, 1), date(2026, 10, 2)]

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def asking(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Client]]:
    """The school's two days, filled, and who asks: a lead of each team, finance, and somebody of none."""
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command
    from django.db import transaction
    from django.test import override_settings

    from apps.teams.models import Membership, Team
    from apps.teams.roles import FINANCE
    from tests.api.company import clients_of

    folder = tmp_path_factory.mktemp("school")
    home = {"COSTOPS_HOME": folder, "COSTOPS_LANDING": folder / "landing", "COSTOPS_LAKE": folder / "lake"}
    school.write_bill(folder / "bill" / "2026-10.csv", DAYS)
    school.write_usage(folder / "usage", DAYS)
    (folder / "teams.yaml").write_text(school.TEAMS.replace("name: data, when", "name: '=data', when"))
    with (
        django_db_blocker.unblock(),
        override_settings(**home, COSTOPS_API_REQUESTS_PER_MINUTE=0),
        transaction.atomic(),
    ):
        call_command("import_teams", str(folder / "teams.yaml"))
        call_command("source", "add", "bill", "--kind", "focus", "--location", str(folder / "bill"))
        call_command("source", "add", "usage", "--kind", "usage_files", "--location", str(folder / "usage"))
        call_command("fill")
        people = {name: User.objects.create_user(name) for name in ("lilei", "finance", "nobody")}
        Membership.objects.create(user=people["lilei"], team=Team.objects.get(name="live"))
        people["finance"].groups.add(Group.objects.create(name=FINANCE))
        yield clients_of(people)
        transaction.set_rollback(True)


def body(response: Any) -> bytes:
    return b"".join(response.streaming_content)


def rows(client: Client, what: str, **given: str) -> list[dict[str, str]]:
    response = client.get(f"/api/v1/exports/{what}/", given)
    assert response.status_code == 200, response.content
    return list(csv.DictReader(io.StringIO(body(response).decode(), newline="")))


def total(found: list[dict[str, str]]) -> Decimal:
    return add_up(Decimal(row["EffectiveCost"]) for row in found)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        pytest.param({}, "allocated", id="everything allocated"),
        pytest.param({}, "charges", id="every charge"),
        pytest.param({"end": "2026-10-02"}, "allocated", id="a day"),
        pytest.param({"filter[team]": "live"}, "allocated", id="a team"),
        pytest.param({"exclude[kind]": "idle"}, "allocated", id="all but what is idle"),
        pytest.param({"service": "Storage"}, "charges", id="charges of a service"),
        pytest.param({"exclude[service]": "Storage"}, "charges", id="charges of all but a service"),
    ],
)
def test_sums_are_those_of_the_api(asking: dict[str, Client], given: dict[str, str], what: str) -> None:
    found = rows(asking["finance"], what, **given)
    said = asking["finance"].get("/api/v1/costs/", given).json()["totals"]
    assert {row["BillingCurrency"] for row in found} == {"CNY"}
    assert total(found) == Decimal(said["CNY"]) > 0


def test_parquet_is_the_same_with_numbers(asking: dict[str, Client]) -> None:
    response = asking["finance"].get("/api/v1/exports/allocated/", {"format": "parquet"})
    table = pq.read_table(io.BytesIO(body(response)))
    assert response["Content-Type"] == "application/vnd.apache.parquet"
    assert str(table.schema.field("EffectiveCost").type) == "decimal128(38, 12)"
    assert add_up(table.column("EffectiveCost").to_pylist()) == total(rows(asking["finance"], "allocated"))
    assert {"x_Team", "x_Kind", "x_Rule", "x_Publication"} <= set(table.column_names)


@pytest.mark.parametrize("what", ["charges", "allocated"])
def test_rows_stand_in_the_order_of_days_and_always_in_the_same(asking: dict[str, Client], what: str) -> None:
    found = rows(asking["finance"], what)
    assert [row["ChargePeriodStart"] for row in found] == sorted(row["ChargePeriodStart"] for row in found)
    assert len(found) > 3
    for day in range(10, 15):  # after all of them: another question with the same answer
        assert rows(asking["finance"], what, end=f"2026-11-{day}") == found


def test_a_lead_gets_own_teams_and_no_charges(asking: dict[str, Client]) -> None:
    mine = rows(asking["lilei"], "allocated")
    asked_for_all = rows(asking["lilei"], "allocated", team="data,live,unallocated")
    assert {row["x_Team"] for row in mine} == {"live"}
    assert mine == asked_for_all
    assert total(mine) == Decimal(asking["lilei"].get("/api/v1/costs/").json()["totals"]["CNY"])
    assert asking["lilei"].get("/api/v1/exports/charges/").status_code == 403
    assert rows(asking["nobody"], "allocated") == []
    assert asking["anonymous"].get("/api/v1/exports/allocated/").status_code == 401


@pytest.mark.parametrize(
    ("who", "given", "teams"),
    [
        pytest.param("finance", {}, None, id="all"),
        pytest.param("finance", {"team": "live"}, ["live"], id="a team"),
        pytest.param("lilei", {"team": "data,live"}, ["live"], id="of those asked for the own"),
    ],
)
def test_the_log_of_reads_says_whose_rows_a_file_has(
    asking: dict[str, Client], settings: Any, who: str, given: dict[str, str], teams: list[str] | None
) -> None:
    settings.COSTOPS_READ_LOG = 30
    rows(asking[who], "allocated", **given)
    read = ReadEntry.objects.latest("pk")
    assert (read.actor, read.is_export, read.teams) == (who, True, teams)


def test_a_file_has_a_name_and_is_not_sent_twice(asking: dict[str, Client]) -> None:
    first = asking["finance"].get("/api/v1/exports/charges/", {"end": "2026-10-02"})
    number = Publication.objects.latest("number").number
    name = f"focus-charges-2026-10-01-2026-10-02-publication-{number}.csv"
    assert first["Content-Disposition"] == f'attachment; filename="{name}"'
    assert int(first["Content-Length"]) == len(body(first))
    headers = {"if-none-match": first["ETag"]}
    again = asking["finance"].get("/api/v1/exports/charges/", {"end": "2026-10-02"}, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    others = [
        asking[who].get("/api/v1/exports/allocated/", given)
        for who in ("finance", "lilei")
        for given in ({}, {"format": "parquet"}, {"team": "live"})
    ]
    assert all(body(other) for other in others)
    assert len({other["ETag"] for other in (first, *others)}) == 7


def test_nothing_stays_behind_and_a_large_file_is_sent_in_blocks(asking: dict[str, Client], settings: Any) -> None:
    response = asking["finance"].get("/api/v1/exports/allocated/")
    response.block_size = 100  # as if the file were ten thousand times as long
    blocks = list(response.streaming_content)
    assert response.streaming
    assert max(map(len, blocks)) <= response.block_size
    assert list((Path(settings.COSTOPS_HOME) / "tmp" / "exports").iterdir()) == []


def test_text_is_harmless_in_a_spreadsheet(asking: dict[str, Client]) -> None:
    rules = {row["x_Rule"] for row in rows(asking["finance"], "allocated", team="data")}
    assert "'=data" in rules


@pytest.mark.parametrize(
    ("address", "parameter", "message"),
    [
        ("charges/?namespace=live-1", "filter", "charges know no namespace; filter by source,"),
        ("charges/?exclude[team]=live", "filter", "charges know no team"),
        ("allocated/?format=xlsx", "format", "format is not one of csv, parquet"),
        ("allocated/?metric=list_cost", "metric", "There is no parameter 'metric' here"),
        ("allocated/?start=2026-10-03&end=2026-10-02", None, "must come after start"),
        ("allocated/?as_of=999999", None, "There is no publication number 999999"),
    ],
)
def test_what_cannot_be_exported_says_why(
    asking: dict[str, Client], address: str, parameter: str | None, message: str
) -> None:
    refused = asking["finance"].get(f"/api/v1/exports/{address}")
    error = refused.json()
    assert (refused.status_code in (400, 404), error["parameter"]) == (True, parameter)
    assert message in error["detail"]
