"""Explanations on the page and over the API: readable first, the same numbers everywhere, nobody else's."""

import csv
import io
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import transaction
from django.test import Client, override_settings

from apps.allocation.services import allocate
from apps.finops.money import add_up
from apps.finops.windows import ONE_DAY, Window
from apps.insights.explain import explain
from apps.insights.invoiced import invoiced
from apps.marts.cell import question
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from apps.marts.services import publish
from apps.rates.services import import_rates
from apps.teams.models import Membership, Team
from tests.allocation.worlds import DAY, import_rules
from tests.insights.test_explain import NOW, OCTOBER_1, build_world

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]
CELL = {"start": "2026-10-01", "end": "2026-10-02"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    home = tmp_path_factory.mktemp("home")
    folders = {"COSTOPS_HOME": home, "COSTOPS_LANDING": home / "landing", "COSTOPS_LAKE": home / "lake"}
    with django_db_blocker.unblock(), override_settings(**folders), transaction.atomic():
        cache.clear()
        build_world(home)
        import_rates(
            b"date,from,to,rate\n2026-10-01,CNY,USD,0.14\n2026-10-02,CNY,USD,0.15\n", name="r.csv", by="h", now=NOW
        )
        for name in ("web", "data"):
            Membership.objects.create(
                user=User.objects.create_user(f"{name}-lead"), team=Team.objects.create(name=name)
            )
        User.objects.create_user("han").groups.add(Group.objects.get_or_create(name="finance")[0])
        yield
        transaction.set_rollback(True)


def client(name: str) -> Client:
    signed_in = Client()
    signed_in.force_login(User.objects.get(username=name))
    return signed_in


def page(name: str = "han", language: str = "en", **given: str) -> str:
    answered = client(name).get("/explain/", CELL | given, headers={"accept-language": language})
    assert answered.status_code == 200, answered.content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answered.content.decode())).replace("&#x27;", "'")


def api(name: str = "han", **given: str) -> dict[str, Any]:
    answered = client(name).get("/api/v1/explain/", CELL | given)
    assert answered.status_code == 200, answered.content
    return dict(answered.json())


def test_a_readable_sentence_comes_first() -> None:
    said = page(team="web", kind="direct", service="Compute")
    sentence = (
        "17.80 CNY of Effective cost, 1 Oct 2026, is 2 parts of 2 charge pools, given by the rules and policies of "
        "version 1; behind them stand 3 bill rows."
    )
    assert sentence in said
    assert "It adds up." in said
    assert said.index("17.80 CNY of Effective cost") < said.index("Parts of pools") < said.index("october.csv, line 2")


def test_the_sentence_is_told_in_chinese() -> None:
    said = page(language="zh-hans", team="web", kind="direct", service="Compute")
    assert "按版本 1 的规则与策略分摊" in said
    assert "费用池中的份额" in said


def test_the_page_says_weight_share_and_pool() -> None:
    said = page(team="web", namespace="web", service="Compute", kind="direct")
    assert "core-hours' worth" in said
    assert "24.00 of 96.00 core-hours" in said


def test_the_api_answers_the_steps_and_they_re_add() -> None:
    said = api(limit="100")
    assert said["adds_up"] is True
    assert said["answered"] == said["totals"] == {"CNY": "71.200000000001"}
    assert add_up(Decimal(part["amount"]) for part in said["parts"]) == Decimal("71.200000000001")
    assert add_up(Decimal(row["amount"]) for row in said["rows"]) == Decimal(said["bill_total"]["CNY"])
    assert said["pool_total"] == said["bill_total"]
    assert (len(said["parts"]), len(said["rows"])) == (said["part_count"], said["bill_row_count"])
    assert {"october.csv, line 2", "october.csv, line 8"} <= {row["place"] for row in said["rows"]}
    node = next(part for part in said["parts"] if part["pool"] == "node" and part["namespace"] == "web")
    assert (node["rule"], node["ruleset"], node["weight"]["unit"]) == ("web", 1, "core-hour equivalents")
    assert Decimal(node["share"]) == round(Decimal(12) / 48, 12)  # a core and four GiB of four and sixteen


def test_every_row_of_costs_is_explained_as_the_amount_it_shows() -> None:
    rows = client("han").get("/api/v1/costs/", CELL | {"group_by": "team,kind"}).json()["rows"]
    assert len(rows) > 4
    for row in rows:
        assert client("han").get(row["explain"]).json()["answered"] == {"CNY": row["effective_cost"]}


def test_the_page_and_the_api_lead_to_one_another() -> None:
    said = api(team="web")
    assert urlsplit(said["page"]).path == "/explain/"
    assert question(dict(parse_qsl(urlsplit(said["page"]).query))).filters == (("team", ("web",)),)
    assert client("han").get(said["page"]).status_code == 200


def test_a_lead_is_told_only_of_the_own_team() -> None:
    mine = api("web-lead")
    assert {part["team"] for part in mine["parts"]} == {"web"}
    assert mine["answered"] == {"CNY": str(answer(CostQuery(**OCTOBER_1, filters=(("team", ("web",)),))).totals["CNY"])}
    foreign = client("web-lead").get("/api/v1/explain/", CELL | {"team": "data"})
    assert (foreign.status_code, foreign.json()["code"]) == (400, "bad_question")
    assert client("web-lead").get("/explain/", CELL | {"team": "data"}).status_code == 400


def test_an_unchanged_explanation_is_not_sent_again() -> None:
    first = client("han").get("/api/v1/explain/", CELL)
    assert client("han").get("/api/v1/explain/", CELL, headers={"if-none-match": first["ETag"]}).status_code == 304


def test_in_a_reporting_currency_the_rate_is_named_and_the_steps_re_add() -> None:
    query = CostQuery(**OCTOBER_1, currency="USD", filters=(("team", ("data",)), ("service", ("Log",))))
    found = explain(query)
    assert found.answered == answer(query).totals == {"USD": Decimal("0.56")}
    assert found.totals == {"CNY": Decimal(4)}
    assert [(one.day, one.currency, one.amount, one.converted) for one in found.conversions] == [
        (DAY, "CNY", Decimal(4), Decimal("0.56"))
    ]
    assert found.adds_up
    assert "billed as 4.00 CNY and converted by CNY→USD 0.14 of 2026-10-01 (version " in found.sentence
    shown = page(currency="USD", team="data", service="Log")
    assert re.search(r"converted by CNY→USD 0\.14 of 1 Oct 2026 \(rates \d+\)", shown)


def test_csv_is_the_bill_rows() -> None:
    answered = client("han").get("/api/v1/explain/", CELL | {"service": "Log", "format": "csv"})
    assert answered.content.decode().splitlines() == [
        "place,day,resource,service,description,currency,amount",
        '"october.csv, line 7",2026-10-01,,Log,logs,CNY,10.000000000001',
    ]


# --- Amounts of pages lead here -------------------------------------------------------------------------------------
LINK = re.compile(r'<a class="cell" href="(/explain/[^"]*)">\s*<data value="([^"]*)"')
OCTOBER = {"period": "custom", "start": "2026-10-01", "last": "2026-10-01"}


@pytest.mark.parametrize(
    ("address", "least"),
    [
        pytest.param("/", 5, id="overview"),
        pytest.param("/teams/web/", 6, id="a team"),
        pytest.param("/teams/web/namespaces/online/web/", 4, id="a namespace"),
        pytest.param("/teams/unallocated/", 3, id="what is nobody's"),
    ],
)
def test_every_amount_of_a_page_leads_to_what_explains_exactly_it(address: str, least: int) -> None:
    answered = client("han").get(address, OCTOBER)
    assert answered.status_code == 200
    links = [(link.replace("&amp;", "&"), Decimal(amount)) for link, amount in LINK.findall(answered.content.decode())]
    assert len(links) >= least
    assert len(links) == answered.content.decode().count("<data value=")
    for link, amount in links:
        asked = question(dict(parse_qsl(urlsplit(link).query, keep_blank_values=True)))
        assert (link, answer(asked).totals) == (link, {"CNY": amount})


def test_the_cost_before_and_after_a_change_leads_here_too() -> None:
    import_rules("rules: [{name: all, when: {namespace: '*'}, team: ops}]")
    allocate(Window(DAY, DAY + ONE_DAY))
    publish(None, now=NOW)
    body = client("han").get("/changes/", {"month": "2026-10"}).content.decode()
    pairs = re.findall(r'<a class="cell" href="(/explain/[^"]*)">\s*<span title="([^"]*)"', body)
    assert len(pairs) >= 4
    for link, amount in pairs:
        asked = question(dict(parse_qsl(urlsplit(link.replace("&amp;", "&")).query, keep_blank_values=True)))
        assert answer(asked).totals == {"CNY": Decimal(amount)}
    classes = re.findall(r'<a class="cell" href="(/api/v1/changes/[^"]*)">\s*<span title="([^"]*)"', body)
    assert classes
    for link, amount in classes:
        rows = csv.DictReader(io.StringIO(client("han").get(link.replace("&amp;", "&")).content.decode()))
        assert add_up(Decimal(row["change"]) for row in rows) == Decimal(amount)


def test_the_charges_of_an_invoice_are_explained_to_the_line() -> None:
    given = {"invoice_id": "", "account": "100", "currency": "CNY"}
    answered = client("han").get("/explain/invoice/", given)
    assert answered.status_code == 200
    assert "october.csv, line 9" in answered.content.decode()
    found = invoiced("", "100", "CNY")
    assert found.total == add_up(row.amount for row in found.bill_rows) == Decimal("90.2")
    assert client("han").get("/explain/invoice/", given | {"account": "101"}).status_code == 404
    assert client("web-lead").get("/explain/invoice/", given).status_code == 403
