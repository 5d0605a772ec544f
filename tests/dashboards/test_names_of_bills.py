"""What stands in a bill as a name can be asked about by that name, wherever an amount leads; pages show it as text."""

import html
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser

from apps.explorer.question import listed
from tests.ingest.bills import bill, charges, ingest, put, row, source
from tests.insights.why_world import FIRST, charge, part, publish
from tests.worlds import publish_costs

NAMES = {
    "a newline": "Elastic\nCompute",
    "a newline of Windows": "Elastic\r\nCompute",
    "a tab": "a\tb",
    "a next line": "a\x85b",
    "an order to a terminal": "a\x1b[31m\x01b",
    "a comma and quotes": 'a, "b", c',
    "a star": "*",
    "stars in a list": '*,"*"',
    "blanks around": "  a ",
    "a very long one": "x" * 4_500,
    "one longer than an address": "x" * 8_500,
    "none": "",
}
ClientOf = Callable[[str], Client]


def hrefs(body: str, start: str) -> set[str]:
    return {html.unescape(href) for href in re.findall(r'href="([^"]+)"', body) if href.startswith(start)}


@pytest.fixture(params=list(NAMES))
def name(request: pytest.FixtureRequest, people: Any) -> str:
    """A day of 24 of that service, and of 10 of Compute."""
    name = NAMES[request.param]
    publish(
        [
            charge(FIRST, "i-1", "24", "24", ServiceName=name or None, x_FileId="f1"),
            charge(FIRST, "i-2", "10", "24", x_FileId="f1", x_Row=2),
        ],
        [part(FIRST, "i-1", "24", "web", service=name), part(FIRST, "i-2", "10", "web")],
    )
    return name


@pytest.mark.parametrize("asked", ["group_by=service", "group_by=service&filter[limit]=1"])
def test_every_row_of_the_api_leads_to_its_amount(name: str, client_of: ClientOf, asked: str) -> None:
    staff = client_of("staff")
    for told in staff.get(f"/api/v1/costs/?{asked}").json()["rows"]:
        if not told["explain"]:
            assert len(name) > 8_000
            assert told["service"] in (name, "Others")
            continue
        answered = staff.get(told["explain"])
        assert answered.status_code == 200, answered.content[:200]
        assert Decimal(answered.json()["answered"]["CNY"]) == Decimal(told["effective_cost"])


@pytest.mark.parametrize("page", ["/explorer/?by=service&chart=table", "/teams/web/"])
def test_every_link_of_a_page_is_answered(name: str, client_of: ClientOf, page: str) -> None:
    staff = client_of("staff")
    body = staff.get(page).content.decode()
    further = {f"/explorer/{link}" for link in hrefs(body, "?") if page.startswith("/explorer")}
    links = further | hrefs(body, "/explain/") | hrefs(body, "/explorer/?") | hrefs(body, "/api/")
    assert len(links) > 3
    for link in links:
        answered = staff.get(link)
        assert answered.status_code == 200, link
        if "/api/" not in link:
            shown = re.sub(r'value="[^"]*"', "", answered.content.decode())  # a field of a form holds it as it is
            assert not set(shown) & set("\x01\x1b\x85")


@pytest.mark.parametrize("name", [key for key, name in NAMES.items() if len(name) <= 8_000], indirect=True)
def test_the_form_of_the_explorer_asks_for_the_name_again(name: str, client_of: ClientOf) -> None:
    """As a browser sends it: without the line breaks that a field of one line does not hold. No field holds a name of
    more than 8,000 characters."""
    staff, question = client_of("staff"), {"chart": "table", "service": listed([name])}
    body = staff.get("/explorer/", question).content.decode()
    (field,) = re.findall(r'<input id="filter-service"[^>]*?value="([^"]*)"', body)
    sent = re.sub(r"[\r\n]", "", html.unescape(field))
    answered = staff.get("/explorer/", question | {"ask": "1", "service": sent})

    assert parse_qs(urlsplit(answered["Location"]).query)["service"] == [question["service"]]
    offered = staff.get("/explorer/values/", {"dimension": "service", "q": sent}).json()["values"]
    assert sent in [one["value"] for one in offered] or not set(name) & set("\r\n")


def test_a_star_that_is_no_name_still_leaves_nothing(people: Any, client_of: ClientOf) -> None:
    for left_out in ("*", "a,*"):
        answered = client_of("staff").get(f"/api/v1/costs/?exclude[service]={left_out}")
        assert answered.status_code == 400
        assert "nothing would be left" in answered.json()["detail"]


@pytest.mark.parametrize("asked", ["service", "filter[service]", "group_by[service]"])
def test_a_star_in_quotes_is_a_name_wherever_values_are_told(people: Any, client_of: ClientOf, asked: str) -> None:
    publish_costs([{"day": FIRST, "effective_cost": "1", "service": name} for name in ("*", "other")])
    told = client_of("staff").get("/api/v1/costs/", {asked: '"*"'}).json()
    assert told["totals"] == {"CNY": "1.000000000000"}


def test_a_nul_is_in_no_name(people: Any, client_of: ClientOf) -> None:
    assert client_of("staff").get("/api/v1/costs/?service=a%00b").status_code == 400
    assert client_of("staff").get("/explorer/?service=a%00b").status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["a newline", "a tab", "a next line", "an order to a terminal", "a star"])
def test_bills_keep_these_names(home: Path, tmp_path: Path, key: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    put(folder, "a.csv", bill(row(ServiceName=NAMES[key])))
    assert ingest(source(folder)) == []
    assert [one["ServiceName"] for one in charges()] == [NAMES[key]]


@pytest.mark.parametrize(
    ("called", "has_link"),
    [
        pytest.param("Azure Database for PostgreSQL flexible server {:03d}", True, id="ninety long names"),
        pytest.param("云数据库产品云数据库产品 {:03d}", False, id="ninety of which an address would be too long"),
    ],
)
def test_the_server_takes_every_address_of_a_page(
    people: Any, client_of: ClientOf, called: str, has_link: bool
) -> None:
    names = [called.format(number) for number in range(130)]
    publish(
        [charge(FIRST, f"i-{n}", "1", "1", ServiceName=s, x_FileId="f1", x_Row=n + 1) for n, s in enumerate(names)],
        [part(FIRST, f"i-{n}", "1", "web", service=s) for n, s in enumerate(names)],
    )
    body = client_of("staff").get("/teams/web/?period=7").content.decode()
    links = hrefs(body, "/")
    assert any(link.count("PostgreSQL") > 50 for link in links) == has_link
    config = Config()
    config.set("limit_request_line", _setting("limit_request_line"))
    for link in links:
        request = next(RequestParser(config, iter([f"GET {link} HTTP/1.1\r\nHost: x\r\n\r\n".encode()]), ("::1", 1)))
        assert request.uri == link


def _setting(name: str) -> int:
    """What stands in `costops.gunicorn`; to import it would begin a server's counts."""
    said = re.search(rf"^{name} = (\d+)", (Path(__file__).parents[2] / "costops/gunicorn.py").read_text(), re.M)
    assert said
    return int(said[1])
