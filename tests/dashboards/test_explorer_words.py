"""The explorer: what cannot be meant is said in both languages, what is left out stays so, what is noted is told."""

import re
from datetime import date
from urllib.parse import parse_qs, unquote

import pytest
from django.utils.translation import override

from apps.dashboards.faults import said
from apps.explorer.question import CannotBeAsked, read
from apps.finops.windows import Window
from tests.dashboards.test_annotations import EVENTS


@pytest.mark.parametrize(
    "address",
    [
        "password=1", "by=&chart=sankey", "period=custom", "period=custom&start=2026-10-02&last=2026-10-01",
        "period=custom&start=2020-10-02&last=2026-10-01", "top=5&top=5", "start=never", "chart=pie", "by=password",
        "by=team,service,kind,cluster", f"team={'a' * 8001}", "team=%00", f"team={','.join(map(str, range(101)))}",
        'exclude[team]="a', "currency=in-XXQ", "publication=-1",
        "period=custom&start=2020-10-02&last=2024-10-01&grain=day",
    ],
)  # fmt: skip
def test_every_fault_is_said_in_both_languages(address):
    with pytest.raises(CannotBeAsked) as refused:
        read(parse_qs(address, keep_blank_values=True)).step(Window(date(2020, 10, 2), date(2024, 10, 2)))
    for fault in refused.value.faults.values():
        with override("en"):
            assert said(fault) == fault
        with override("zh-hans"):
            assert re.search("[一-龥]", said(fault)), fault


@pytest.mark.parametrize(
    ("address", "given", "told"),
    [
        ("/efficiency/?by=planet", None, "不在可选值之内"),
        ("/runs/?state=lost", None, "不在可选值之内"),
        ("/channels/new/?kind=pigeon", None, "不在可选值之内"),
        ("/explain/?start=never", None, "不是日期"),
        ("/explorer/", {"action": "save", "name": ""}, "名称须有"),
        ("/explorer/", {"action": "annotate", "text": "x", "first": "2026-10-05", "link": "ftp://x"}, "开头的地址"),
    ],
)
def test_what_a_page_refuses_it_says_in_the_readers_language(published, client_of, address, given, told):
    staff = client_of("staff")
    ask = {"headers": {"accept-language": "zh-hans"}}
    response = staff.get(address, **ask) if given is None else staff.post(address, given, **ask)
    assert response.status_code == 400
    assert told in response.content.decode()


def test_what_a_form_refuses_stands_beside_its_field_and_is_tied_to_it(published, client_of):
    given = {"action": "annotate", "text": "x", "first": "2026-10-05", "link": "ftp://x"}
    body = client_of("staff").post("/explorer/", given).content.decode()
    (control,) = re.findall(r'<input [^>]*name="link"[^>]*>', body)
    assert 'aria-invalid="true"' in control
    assert 'aria-describedby="fault-link"' in control
    (beside,) = re.findall(r'id="fault-link">(.*?)</span>\s*</div>', body, re.DOTALL)
    assert "https://" in beside
    assert body.count("aria-invalid") == 1


def test_what_is_left_out_is_offered_again_and_stays_when_one_looks_further_in(published, client_of):
    finance = client_of("finance")
    body = finance.get("/explorer/?exclude[team]=search").content.decode()
    assert "Team, all but" in body
    assert 'href="?period=30"' in body, "the address without it"
    values = finance.get("/explorer/values/?exclude[team]=search&dimension=team&q=sear").json()["values"]
    assert [one["value"] for one in values] == ["search"]
    lines = finance.get("/explorer/?exclude[service]=none&exclude[team]=search&chart=table").content.decode()
    further = [unquote(link) for link in re.findall(r'href="\?([^"]*by=namespace[^"]*)"', lines)]
    assert further
    assert all("exclude[team]=search" in link for link in further)


@pytest.mark.parametrize(
    ("address", "figure", "expected"),
    [
        ("/?period=month", "/figures/overview/team/?period=month", ["Release", "Promotion"]),
        ("/teams/live-class/?period=month", "/figures/teams/live-class/kind/?period=month", ["Release", "Promotion"]),
        ("/teams/search/?period=month", "/figures/teams/search/kind/?period=month", ["Promotion"]),
        ("/?period=7", "/figures/overview/team/?period=7", []),
    ],
)
def test_the_numbers_on_a_figure_of_cost_are_said_beneath_it(published, client_of, address, figure, expected):
    finance = client_of("finance")
    finance.post("/api/v1/annotations/file/?name=events.csv", EVENTS, content_type="text/csv")
    lists = re.findall(r'figure__notes".*?</details>', finance.get(address).content.decode(), re.DOTALL)
    assert {tuple(re.findall(r"<bdi>(.*?)</bdi>", one)) for one in lists} == ({tuple(expected)} if expected else set())
    layout = finance.get(figure).json()["layout"]
    assert [mark["text"] for mark in layout.get("annotations", [])] == [str(at + 1) for at in range(len(expected))]
