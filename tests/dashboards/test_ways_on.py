"""No page is a dead end: what is refused says why, keeps the bar of filters, and leads to what can be seen."""

import re

import pytest

from apps.marts.models import Publication

CUSTOM = "?period=custom&start=2026-10-20&last=2026-10-01"


def way_on(body: str) -> list[str]:
    main = body[body.index('<main id="content"') :]
    return re.findall(r'<a href="([^"]*)"', main)


@pytest.mark.parametrize("address", ["/", "/teams/live-class/", "/bases/", "/why/", "/efficiency/", "/units/"])
def test_a_reversed_period_keeps_the_bar_with_the_days_as_written(published, client_of, address):
    refused = client_of("finance").get(f"{address}{CUSTOM}&currency=CNY")
    body = refused.content.decode()
    assert refused.status_code == 400
    assert "ends on or after the day it starts" in body
    assert re.search(r'name="period"\s+value="custom"\s+checked', body)
    for name, day in (("start", "2026-10-20"), ("last", "2026-10-01")):
        assert f'name="{name}" value="{day}"' in body
    assert 'name="currency" value="CNY"' in body
    assert way_on(body) == [address]
    assert ("Start again with the last 30 days" in body, 'name="metric"' in body) == (True, address != "/efficiency/")


def test_its_bar_asks_of_what_the_question_was_narrowed_to(published, client_of):
    """A refused question of a team is no question of all teams."""
    body = client_of("finance").get(f"/why/{CUSTOM}&team=live-class&billing_currency=CNY").content.decode()
    assert "ends on or after the day it starts" in body
    for name, value in (("team", "live-class"), ("billing_currency", "CNY")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in body


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/channels/new/?kind=pigeon", "/channels/"), ("/alerts/?severity=nonsense", "/alerts/"),
        ("/runs/?state=lost", "/runs/"), ("/explain/", "/explorer/"),
        ("/explain/invoice/?as_of=x", "/invoices/"),
    ],
)  # fmt: skip
def test_what_is_refused_leads_to_a_page_that_can_be_seen(published, client_of, address, leads_to):
    staff = client_of("staff")
    refused = staff.get(address)
    assert refused.status_code == 400
    assert way_on(refused.content.decode()) == [leads_to]
    assert "30 days" not in refused.content.decode()
    assert staff.get(leads_to).status_code == 200


def test_a_publication_that_is_not_there_is_said_so_by_its_number(published, client_of):
    newest = Publication.objects.get().number
    told = client_of("staff").get(f"/changes/?from={newest + 8}&to={newest}").content.decode()
    assert f"There is no publication {newest + 8}" in told
    assert "Nothing has been published yet" not in told
    assert way_on(told) == [f"?to={newest}"]


def test_its_link_drops_the_number_however_it_was_written(published, client_of):
    told = client_of("staff").get("/?publication=0099&metric=list_cost").content.decode()
    assert "There is no publication 99" in told
    assert way_on(told) == ["?metric=list_cost"]


def test_somebody_without_a_role_is_led_to_settings_or_out(published, client_of):
    refused = client_of("newcomer").get("/")
    main = refused.content.decode().partition('<main id="content"')[2]
    assert refused.status_code == 403
    assert way_on(refused.content.decode()) == ["/settings/"]
    assert "Sign out" in main
    assert client_of("newcomer").get("/settings/").status_code == 200
    assert way_on(client_of("lilei").get("/runs/").content.decode()) == ["/"], "where there is an overview"


def test_the_overview_has_one_name_in_chinese(published, client_of):
    chinese = {"headers": {"accept-language": "zh-hans"}}
    told = client_of("lilei").get("/runs/", **chinese).content.decode()
    assert "返回总览" in told
    assert "总览</a>" in told.replace("返回总览", "")
    assert "概览" not in told
