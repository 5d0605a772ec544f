"""What became of a list between two of its pages: nothing is told twice or left out, or a problem says so."""

import base64
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models.signals import post_init
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.alerts import people as noting
from apps.alerts.models import Alert
from apps.api import paging
from apps.api.errors import BadParameterError
from apps.audit.models import AuditEntry
from apps.operations.models import Recommendation
from apps.pipeline.models import StepRun
from apps.prices.models import Price
from apps.reports.models import Content, Delivery
from apps.teams.approval import actor_of
from apps.warehouse.sealed import SecretUnreadable, unseal
from tests.alerts.worlds import a_fact, at, so
from tests.api.company import bring_drivers
from tests.operations.worlds import a_finding, recommend

V1 = "/api/v1/"
NINE = list("abcdefghi")
Change = Callable[[], object]


def pages(client: Client, address: str, *changes: Change) -> list[dict[str, Any]]:
    """All rows of a list, page by page; after the first pages this is done."""
    found, later = [], iter(changes)
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.json()
        found += answer.json()["rows"]
        address = answer.json()["page"]["next"]
        next(later, lambda: None)()
    return found


# --- Alerts ---------------------------------------------------------------------------------------------------------
def nine(but: str = "", **given: Any) -> list[Any]:
    return [a_fact(subject, **given) for subject in NINE if subject not in but]


@pytest.fixture
def finance(callers: dict[str, Client]) -> Client:
    for hour, _subject in enumerate(NINE):
        so(*nine("".join(NINE[hour + 1 :])), hours=hour)
    return callers["finance"]


def the_rule_runs() -> None:
    so(*nine(), hours=24)


def two_end() -> None:
    so(*nine("hi"), hours=24)


def the_last_one_ends() -> None:
    so(*nine("g"), hours=24)


def two_graver_ones_come() -> None:
    so(*nine(), a_fact("y", severity="critical"), a_fact("z", severity="critical"), hours=24)


def one_is_noted(subject: str) -> None:
    user = User.objects.get(username="finance")
    noting.acknowledge(Alert.objects.get(subject=subject), by=actor_of(user), note="looking", now=at(25))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(the_rule_runs, "ihgfedcba", id="the rule ran"),
        pytest.param(two_end, "ihgfedcba", id="two that were told ended"),
        pytest.param(the_last_one_ends, "ihgfedcba", id="the last one that was told ended"),
        pytest.param(two_graver_ones_come, "ihgfedcba", id="two graver ones came"),
        pytest.param(lambda: one_is_noted("g"), "ihgfedcbag", id="the last one that was told went to the end"),
    ],
)
def test_pages_of_alerts_go_on_whatever_became_of_them(finance: Client, change: Change, told: str) -> None:
    assert "".join(row["subject"] for row in pages(finance, f"{V1}alerts/?limit=3", change)) == told


# --- Other lists ----------------------------------------------------------------------------------------------------
def test_recommendations_go_on_after_the_money_of_the_last_one(callers: dict[str, Client]) -> None:
    recommend(*(a_finding(name, saving_per_month=Decimal(f"{10 - place}.1")) for place, name in enumerate(NINE)))

    def change() -> None:
        Recommendation.objects.filter(subject="c").update(state="done")

    told = pages(callers["finance"], f"{V1}recommendations/?limit=3", change)
    assert [row["title"] for row in told] == [f"Delete {name}" for name in NINE]


def fill_lists(client: Client) -> None:
    """Rows that differ in the last column of their order alone."""
    bring_drivers()
    for number, state in enumerate(("done", "running", "failed", "waiting", "done", "running")):
        StepRun.objects.create(step="land", key=f"land {number}", state=state, asked_at=at(0))
        client.post(f"{V1}annotations/?first=2026-10-05&text=release {number}")
    told = {"provider": "a", "sku_id": "s", "unit": "h", "currency": "CNY", "list_unit_price_text": "1"}
    for day, origin in product((date(2026, 10, 5), date(2026, 10, 6)), ("list", "learned")):
        Price.objects.create(valid_from=day, origin=origin, **told)
    content = Content.objects.create(sha256="7", data=b"x")
    for name in "ab":
        letter = Delivery.objects.create(report="lead", team="live-class", period="2026-W41", recipient=f"{name}@x.cn")
        letter.parts.create(place=0, name="letter.txt", size_bytes=1, content=content)


@pytest.mark.parametrize("page", ["runs/?", "annotations/?", "prices/?", "reports/?", "units/?driver=requests&"])
def test_pages_of_one_row_add_up_to_the_whole(callers: dict[str, Client], page: str) -> None:
    client = callers["finance"]
    fill_lists(client)
    whole = client.get(f"{V1}{page}limit=100").json()["rows"]
    assert len(whole) > 1
    assert pages(client, f"{V1}{page}limit=1") == whole


def ask(rows: Any, *identity: str, **query: Any) -> dict[str, Any]:
    request = Request(APIRequestFactory().get("/api/v1/things/", {"limit": "2", **query}))
    return paging.cut(request, {"rows": rows}, identity, 100)


AMOUNTS = st.decimals(-5, 5, places=2)


@given(
    worlds=st.lists(st.dictionaries(st.integers(0, 20), AMOUNTS, max_size=20), min_size=1, max_size=12),
    lasting=st.dictionaries(st.integers(21, 30), AMOUNTS),
)
def test_what_stays_where_it_is_is_told_once(worlds: list[dict[int, Decimal]], lasting: dict[int, Decimal]) -> None:
    def key(one: tuple[int, Decimal]) -> tuple[Decimal, date, int]:
        return -one[1], date(2026, 10, 5), one[0]

    told, cursor, later = [], {}, iter(worlds)
    while True:
        rows = sorted((next(later, {}) | lasting).items(), key=key)
        page = ask(paging.SortedRows(rows, lambda one: {"number": one[0]}, key), **cursor)
        told += [row["number"] for row in page["rows"]]
        cursor = {"cursor": page["page"]["next_cursor"]}
        if cursor["cursor"] is None:
            break
    assert [number for number in told if number in lasting] == sorted(lasting, key=lambda one: (-lasting[one], one))


def test_a_list_without_an_order_ends_when_the_last_row_is_gone() -> None:
    rows = [{"number": number} for number in range(5)]
    cursor = ask(rows, "number")["page"]["next_cursor"]
    with pytest.raises(paging.PageIsGone, match="The row that the page before ended with is gone"):
        ask([row for row in rows if row["number"] != 1], "number", cursor=cursor)


@pytest.mark.parametrize("is_sorted", [True, False])
def test_a_cursor_of_an_earlier_release_is_refused(*, is_sorted: bool) -> None:
    plain = [{"number": number} for number in range(5)]
    in_order = paging.SortedRows(plain, dict, lambda one: (one["number"],))
    before, after = (plain, in_order) if is_sorted else (in_order, plain)
    cursor = ask(before)["page"]["next_cursor"]
    with pytest.raises(BadParameterError, match="cursor is of an earlier release"):
        ask(after, cursor=cursor)


def test_a_cursor_shows_nothing_of_a_row() -> None:
    rows = [{"recipient": f"lead{number}@example.com"} for number in range(5)]
    in_order = paging.SortedRows(rows, dict, lambda one: (one["recipient"],))
    first = ask(in_order)["page"]["next_cursor"]
    assert b"lead" not in base64.urlsafe_b64decode(first)
    assert ask(in_order, cursor=first)["rows"] == rows[2:4]
    with pytest.raises(SecretUnreadable, match="another key"):
        unseal(first)


# --- What it costs --------------------------------------------------------------------------------------------------
@pytest.fixture
def read() -> Iterator[list[AuditEntry]]:
    """The audit entries that were read."""
    found: list[AuditEntry] = []

    def count(instance: AuditEntry, **_given: Any) -> None:
        found.append(instance)

    post_init.connect(count, sender=AuditEntry)
    yield found
    post_init.disconnect(count, sender=AuditEntry)


def test_a_next_page_reads_no_more_than_a_page_when_an_entry_came(
    callers: dict[str, Client], read: list[AuditEntry]
) -> None:
    User.objects.filter(username="finance").update(is_superuser=True)
    entries = [AuditEntry(number=number, at=at(0), outcome=200, hash="x") for number in range(1000, 1500)]
    AuditEntry.objects.bulk_create(entries)
    first = callers["finance"].get(f"{V1}audit/?limit=3").json()
    AuditEntry.objects.create(number=1500, at=at(1), outcome=200, hash="x")
    read.clear()
    second = callers["finance"].get(first["page"]["next"]).json()
    assert [row["number"] for row in first["rows"] + second["rows"]] == [1499, 1498, 1497, 1496, 1495, 1494]
    assert len(read) <= 5


def test_a_row_is_looked_for_from_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"number": number} for number in range(1000)]
    cursor = ask(rows, "number", limit="500")["page"]["next_cursor"]
    looked: list[Any] = []
    real = paging._row_digest
    monkeypatch.setattr(paging, "_row_digest", lambda *given: looked.append(given) or real(*given))
    assert ask([{"number": -1}, *rows], "number", cursor=cursor)["rows"] == [{"number": 500}, {"number": 501}]
    assert len(looked) < 6
