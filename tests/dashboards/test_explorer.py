"""The explorer: its numbers are those of the API, everybody sees their own, and what is kept keeps its owner."""

import csv
import io
import re
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection, transaction

from apps.explorer.models import SavedView
from apps.explorer.selectors import NoSuchView
from apps.explorer.services import change, forget, save
from tests.dashboards import company

CHARTS = ("area", "bars", "treemap", "sunburst", "heatmap", "sankey", "table")


def total_of(body: str) -> Decimal:
    found = re.search(r'explorer__numbers.*?<data value="([^"]+)"', body, re.DOTALL)
    assert found
    return Decimal(found[1])


def api_total(client, address: str) -> Decimal:
    return Decimal(client.get(f"/api/v1/costs/?{address}").json()["totals"]["CNY"])


@pytest.mark.parametrize(
    ("address", "api", "charts"),
    [
        pytest.param("period=month", "start=2026-10-01&end=2026-10-31", CHARTS, id="a month in every form"),
        pytest.param("period=7&by=service,team,kind", "start=2026-10-24&end=2026-10-31", ["bars"], id="by three"),
        pytest.param("period=30&team=search&by=", "start=2026-10-01&end=2026-10-31&team=search", ["area"], id="a team"),
        pytest.param(
            "period=30&exclude[team]=search&exclude[service]=none",
            "start=2026-10-01&end=2026-10-31&exclude[team]=search", CHARTS, id="all but a team",
        ),
        pytest.param(
            'period=30&cluster=""&metric=list_cost', "start=2026-10-01&end=2026-10-31&cluster=&metric=list_cost",
            ["table"], id="outside clusters, another basis",
        ),
    ],
)  # fmt: skip
def test_the_total_is_that_of_the_api_and_every_file_adds_up_to_it(published, client_of, address, api, charts):
    finance = client_of("finance")
    expected = api_total(finance, api)
    for chart in charts:
        asked = f"{address}&chart={chart}"
        assert total_of(finance.get(f"/explorer/?{asked}").content.decode()) == expected
        rows = list(csv.reader(io.StringIO(finance.get(f"/explorer/files/csv/?{asked}").content.decode())))
        assert sum(Decimal(row[-1]) for row in rows[1:]) == expected


def test_the_three_files_hold_the_same_rows(published, client_of):
    import pyarrow.parquet as pq
    from openpyxl import load_workbook

    finance = client_of("finance")
    csv_rows, book, parquet = (
        finance.get(f"/explorer/files/{form}/?by=team,service&chart=table&compare=before&period=7").content
        for form in ("csv", "xlsx", "parquet")
    )
    header, *rows = csv.reader(io.StringIO(csv_rows.decode()))
    assert header == ["team", "service", "currency", "effective_cost", "before", "change"]
    table = pq.read_table(io.BytesIO(parquet))
    assert str(table.schema.field("effective_cost").type) == "decimal128(38, 12)"
    assert [[*row[:3], *map(Decimal, row[3:])] for row in rows] == [list(row.values()) for row in table.to_pylist()]
    cells = [list(row) for row in load_workbook(io.BytesIO(book)).worksheets[0].iter_rows(values_only=True)]
    assert cells[0] == header
    assert [round(row[3], 6) for row in cells[1:]] == [round(float(row[3]), 6) for row in rows]


def drawn(client, address: str) -> list[dict]:
    return client.get(f"/figures/explorer/?{address}").json()["data"]


@pytest.mark.parametrize("chart", [chart for chart in CHARTS if chart != "table"])
def test_every_figure_is_one_that_plotly_knows(published, client_of, chart):
    import plotly.graph_objects as go

    for address in ("by=team,service&period=month", "by=team&compare=before&grain=none&period=7"):
        figure = client_of("finance").get(f"/figures/explorer/?{address}&chart={chart}").json()
        assert figure["data"]
        go.Figure(figure)  # refuses what it does not know


@pytest.mark.parametrize("chart", ["area", "bars"])
def test_bands_over_time_add_up_to_the_total(published, client_of, chart):
    bands = drawn(client_of("finance"), f"chart={chart}&period=month&by=team")
    assert [band["name"] for band in bands] == ["直播课堂", "Homework search", "Unallocated"]
    assert sum(sum(band["y"]) for band in bands) == pytest.approx(1070.5)


@pytest.mark.parametrize("chart", ["treemap", "sunburst"])
def test_parts_add_up_to_what_they_are_parts_of(published, client_of, chart):
    (found,) = drawn(client_of("finance"), f"chart={chart}&period=month&by=team,service,kind")
    held: dict[str, float] = {}
    for above, cost in zip(found["parents"], found["values"], strict=True):
        held[above] = held.get(above, 0) + cost
    whole = dict(zip(found["ids"], found["values"], strict=True))
    assert {place: pytest.approx(cost) for place, cost in held.items() if place} == {
        place: whole[place] for place in held if place
    }
    assert whole["all"] == pytest.approx(1070.5 + 0.5 * 30)  # refunds have no size


def test_flows_keep_what_flows_in(published, client_of):
    (found,) = drawn(client_of("finance"), "chart=sankey&period=month&by=source,service,team")
    link = found["link"]
    come, go = {}, {}
    for source, target, cost in zip(link["source"], link["target"], link["value"], strict=True):
        go[source] = go.get(source, 0) + cost
        come[target] = come.get(target, 0) + cost
    through = set(come) & set(go)
    assert through
    assert {node: pytest.approx(come[node]) for node in through} == {node: go[node] for node in through}


def test_others_are_told_in_one_and_nothing_is_lost(people, client_of):
    company.publish([company.Cost(f"team-{n:02}", f"{n}.25", days=company.OCTOBER) for n in range(20)])
    bands = drawn(client_of("finance"), "period=month&top=5")
    assert len(bands) == 6
    assert bands[-1]["name"] == "All others (15)"
    assert sum(sum(band["y"]) for band in bands) == pytest.approx((190 + 5) * 30)


def test_a_comparison_is_drawn_and_stands_in_the_table(published, client_of):
    body = client_of("finance").get("/explorer/?period=7&compare=before&by=team").content.decode()
    assert "against" in body
    bands = drawn(client_of("finance"), "period=7&compare=before&by=team")
    assert bands[-1]["name"] == "The period before"
    assert bands[-1]["x"] == bands[0]["x"]


def test_what_is_not_published_is_not_compared(published, client_of):
    body = client_of("finance").get("/explorer/?period=7&compare=year").content.decode()
    assert "Not compared" in body
    assert "Relative change" not in body


@pytest.mark.parametrize("address", ["", "?by=team,service,kind&chart=table", "?chart=sankey&by=service,team"])
def test_a_lead_sees_own_cost_only(published, client_of, address):
    lilei = client_of("lilei")
    for place in ("/explorer/", "/figures/explorer/", "/explorer/files/csv/"):
        body = re.sub("(?s)^.*<main|</main>.*$", "", lilei.get(place + address).content.decode())
        assert "homework" not in body.lower().replace("homework_", "")
        assert "search" not in body
    offered = lilei.get("/explorer/values/?dimension=team").json()["values"]
    assert [offer["value"] for offer in offered] == ["live-class"]
    assert lilei.get("/explorer/?team=search").content.decode().count("No cost matches") == 1


def test_values_are_offered_by_what_they_are_called_and_within_the_other_filters(published, client_of):
    finance = client_of("finance")

    def offered(query: str) -> list[str]:
        return [offer["value"] for offer in finance.get(f"/explorer/values/?{query}").json()["values"]]

    assert offered("dimension=team&q=homew") == ["search"]
    assert offered("dimension=service&team=search") == ["GPU", "Refund"]
    assert offered("dimension=team&q=nobody-at-all") == []
    assert '""' in offered("dimension=cluster")
    assert finance.get("/explorer/values/?dimension=password").status_code == 400


@pytest.mark.parametrize(
    ("address", "field"),
    [("by=password", "by"), ("chart=pie", "chart"), ("period=custom", "start"), ('team="a', "team")],
)
def test_a_bad_question_is_said_beside_its_field(published, client_of, address, field):
    response = client_of("finance").get(f"/explorer/?{address}")
    assert response.status_code == 400
    body = response.content.decode()
    assert f"<code>{field}</code>" in body
    assert 'aria-invalid="true"' in body or field == "chart"


def test_a_form_leads_to_the_canonical_address(published, client_of):
    form = "ask=1&metric=effective_cost&period=7&start=&last=&grain=&by=team&by=service&by=&compare=&team=&chart=bars"
    assert (
        client_of("finance").get(f"/explorer/?{form}").headers["Location"]
        == "/explorer/?period=7&by=team%2Cservice&chart=bars"
    )


def test_hostile_names_are_only_names(people, client_of):
    company.publish(company.HOSTILE_COMPANY)
    for chart in CHARTS:
        body = client_of("staff").get(f"/explorer/?by=team,namespace,service&chart={chart}").content.decode()
        assert "<script>alert" not in body
        figure = client_of("staff").get(f"/figures/explorer/?by=team,namespace,service&chart={chart}").content.decode()
        assert "<script>alert" not in figure
    link = re.search(
        r'<a class="further" href="(\?[^"]+)"', client_of("staff").get("/explorer/?by=team").content.decode()
    )
    assert link
    assert client_of("staff").get("/explorer/" + link[1].replace("&amp;", "&")).status_code == 200


def test_looking_further_in_ends_at_the_explanation(published, client_of):
    finance, address, seen = client_of("finance"), "?by=team&period=7&chart=table", 0
    while address.startswith("?"):
        body = finance.get(f"/explorer/{address}").content.decode()
        found = re.search(r'<a class="further" href="([^"]+)"', body)
        assert found
        address, seen = found[1].replace("&amp;", "&"), seen + 1
        assert seen < 8
    assert address.startswith("/explain/?")
    cell = address.partition("?")[2]
    (amount,) = finance.get(f"/api/v1/costs/?{cell}").json()["rows"]
    assert Decimal(amount["effective_cost"])


# --- views


def keep(client, name: str, query: str = "chart=bars", **given: str):
    return client.post(f"/explorer/?{query}", {"action": "save", "name": name, **given})


def names_for(client) -> set[str]:
    return {row["name"] for row in client.get("/api/v1/views/").json()["rows"]}


def test_a_view_is_seen_by_those_it_is_shared_with(published, client_of):
    lilei, hanmeimei, finance = (client_of(name) for name in ("lilei", "hanmeimei", "finance"))
    keep(lilei, "mine")
    keep(lilei, "of the team", shared="team:live-class")
    keep(lilei, "for all", shared="everyone")
    assert names_for(lilei) == {"mine", "of the team", "for all"}
    assert names_for(hanmeimei) == {"for all"}
    assert names_for(finance) == {"of the team", "for all"}


def test_only_its_owner_changes_a_view_and_others_see_their_own_cost_in_it(published, client_of):
    lilei, hanmeimei = client_of("lilei"), client_of("hanmeimei")
    keep(lilei, "for all", "by=team&chart=table", shared="everyone")
    kept = SavedView.objects.get(name="for all")
    assert hanmeimei.post("/explorer/views/", {"number": kept.pk, "action": "delete"}).status_code == 403
    assert hanmeimei.delete(f"/api/v1/views/{kept.pk}/").status_code == 403
    assert hanmeimei.post(f"/api/v1/views/{kept.pk}/?name=other").status_code == 403
    opened = hanmeimei.get(f"/explorer/views/{kept.pk}/", follow=True)
    assert "直播课堂" not in opened.content.decode()
    assert lilei.post("/explorer/views/", {"number": kept.pk, "action": "change", "name": "ours"}).status_code == 302
    assert names_for(lilei) == {"ours"}
    assert lilei.delete(f"/api/v1/views/{kept.pk}/").status_code == 200
    assert not SavedView.objects.exists()


def test_a_private_view_is_not_there_for_others(published, client_of):
    keep(client_of("finance"), "secret")
    number = SavedView.objects.get().pk
    for address in (f"/explorer/views/{number}/", f"/api/v1/views/{number}/"):
        assert client_of("lilei").get(address).status_code == 404


def test_the_explorer_opens_with_the_default_view_of_whoever_opens_it(published, client_of):
    lilei = client_of("lilei")
    keep(lilei, "first", "chart=bars", is_default="on")
    keep(lilei, "second", "chart=treemap&by=service", is_default="on")
    assert lilei.get("/explorer/").headers["Location"] == "/explorer/?by=service&chart=treemap"
    assert SavedView.objects.get(is_default=True).name == "second"
    assert client_of("hanmeimei").get("/explorer/").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_defaults_chosen_at_the_same_time_one_is_left(people):
    """The second waits for the first, which is not committed when it begins."""

    def choose(name):
        save(name=name, query="", by=people["lilei"], now=company.MOMENT, is_default=True)

    def second():
        choose("second")
        connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            choose("first")
            waiting = pool.submit(second)
            time.sleep(0.5)
        waiting.result(30)
    assert SavedView.objects.get(is_default=True).name == "second"


@pytest.mark.django_db(transaction=True)
def test_a_view_deleted_while_it_is_changed_stays_deleted(people):
    """Whoever changes it saw it: the deletion is not committed when they begin."""
    lilei = people["lilei"]
    number = save(name="first", query="", by=lilei, now=company.MOMENT).pk

    def rename():
        try:
            change(number, by=lilei, now=company.MOMENT, name="second")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            forget(number, by=lilei)
            waiting = pool.submit(rename)
            time.sleep(0.5)
        with pytest.raises(NoSuchView, match=f"no view {number}"):
            waiting.result(30)
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    ("given", "parameter"),
    [
        pytest.param("name=&query=chart%3Dbars", "name", id="no name"),
        pytest.param("name=" + "x" * 81, "name", id="a long name"),
        pytest.param("name=a%E2%80%AEb", "name", id="a mark that reorders text"),
        pytest.param("name=a&query=chart%3Dpie", "chart", id="a question that cannot be meant"),
        pytest.param("name=a&shared=team&team=search", "team", id="a team of others"),
        pytest.param("name=a&shared=team", "team", id="no team to share with"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(published, client_of, given, parameter):
    response = client_of("lilei").post(f"/api/v1/views/?{given}")
    assert response.status_code == 400
    assert response.json()["parameter"] == parameter
    assert not SavedView.objects.exists()


def test_a_name_is_kept_once_by_each(published, client_of):
    lilei = client_of("lilei")
    keep(lilei, "costs", "chart=bars")
    keep(lilei, "costs", "chart=treemap")
    keep(client_of("hanmeimei"), "costs")
    assert sorted(SavedView.objects.filter(owner__username="lilei").values_list("query", flat=True)) == [
        "chart=treemap"
    ]
    keep(lilei, "other")
    number = SavedView.objects.get(name="other").pk
    assert lilei.post(f"/api/v1/views/{number}/?name=costs").json()["parameter"] == "name"


def test_tables_of_other_pages_lead_to_the_same_question(published, client_of):
    finance = client_of("finance")
    body = finance.get("/teams/live-class/?period=7").content.decode()
    addresses = [found.replace("&amp;", "&") for found in re.findall(r'href="(/explorer/\?[^"]+)"', body)]
    assert addresses
    headline = re.search(r'headline__total.*?<data value="([^"]+)"', body, re.DOTALL)
    assert headline
    for address in addresses:
        assert parse_qs(urlsplit(address).query)["team"] == ["live-class"]
        assert total_of(finance.get(address).content.decode()) == Decimal(headline[1])
