"""Hostile names in a real browser and in files: they are seen, and do nothing."""

import csv
import io
from urllib.parse import urlencode, urlsplit

import pytest
from openpyxl import load_workbook

from tests.dashboards import canaries
from tests.dashboards.test_browser import visit, wait_for_figures

__all__ = ["visit"]
BY = "team,namespace,service"
PAGES = (
    "/",
    "/teams/canary-0/",
    "/teams/canary-4/",
    "/explorer/?period=month&by=namespace",
    *(f"/explorer/?period=month&by=service&chart={form}" for form in ("treemap", "sankey", "heatmap", "table")),
    "/explorer/?period=month&by=tag:env",
    "/why/?period=7",
    "/efficiency/",
    "/reconciliation/",
    "/sources/",
    "/quality/",
    "/runs/",
    "/audit/",
    "/units/",
    "/closing/",
    "/worklist/",
    "/rules/",
    "/settings/",
    "/publications/",
    "/search/?" + urlencode({"q": canaries.CANARIES["a script"]}),
    "/search/?q=canary",
)
MAILS = ("/reports/weekly/canary-1/", "/reports/weekly/canary-11/")
"""As mail programs get them: with styles of their own, which a browser refuses here and says so."""
HARM = """() => [...document.querySelectorAll("*")].flatMap(part => [...part.attributes].filter(one =>
  /^on/i.test(one.name) || /^(?:srcdoc|formaction)$/i.test(one.name)
  || (/^(?:href|src|action|data|xlink:href|poster)$/i.test(one.name)
      && !["http:", "https:", "data:", "blob:"].includes(new URL(one.value, location.href).protocol))
  || (/^(?:href|src|action|xlink:href)$/i.test(one.name) && /^https?:/.test(new URL(one.value, location.href).protocol)
      && new URL(one.value, location.href).host !== location.host)
  || (/style/i.test(one.name) && /canary/.test(one.value))
).map(one => `${part.tagName} ${one.name}=${one.value.slice(0, 80)}`))"""
SEEN = "document.body.innerText"


def test_no_name_does_anything_in_a_browser(visit, settings, live_server):
    settings.COSTOPS_TAG_KEYS, settings.COSTOPS_SITE_URL = ("env",), live_server.url
    canaries.publish()
    page, dialogs, asked = visit("/login/"), [], []
    mail = page.context.new_page()
    for one in (page, mail):
        one.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        one.on("request", lambda request: asked.append(request.url))
    mail.set_content("<a href='javascript:void 0' style='color:canary'><b onclick=1><img src='https://e.example'>")
    assert len(mail.evaluate(HARM)) == 4, "what harms would be found"
    asked.clear()
    for address in (*PAGES, *MAILS):
        shown = mail if address in MAILS else page
        assert shown.goto(live_server.url + address).status == 200, address
        assert set(wait_for_figures(shown)) <= {"yes"}, address
        assert shown.evaluate(HARM) == [], address
        seen = shown.evaluate("document.body.innerText")
        assert "1337" not in seen, address
        assert not {"\u202e", "\u2066", "\u2028"} & set(seen), address
        assert "\u0336\u0347" * 5 not in seen, address
        assert "long" * 250 not in seen, address
    assert dialogs == []
    assert [url for url in asked if urlsplit(url).netloc not in (urlsplit(live_server.url).netloc, "")] == []


@pytest.mark.parametrize(
    "address",
    [
        pytest.param(f"/api/v1/costs/?group_by={BY}&format=csv", id="an answer of the API"),
        pytest.param(f"/explorer/files/csv/?period=month&by={BY}", id="a question of the explorer"),
        pytest.param("/api/v1/teams/?format=csv", id="teams"),
        pytest.param(f"/api/v1/costs/?group_by={BY}&format=xlsx", id="an answer as a workbook"),
        pytest.param(f"/explorer/files/xlsx/?period=month&by={BY}", id="a question as a workbook"),
    ],
)
def test_no_name_is_a_formula_in_a_file(people, client_of, address):
    canaries.publish()
    answer = client_of("staff").get(address)
    assert answer.status_code == 200
    content = answer.getvalue()
    if "xlsx" in address:
        cells = [cell for sheet in load_workbook(io.BytesIO(content)) for row in sheet.iter_rows() for cell in row]
        assert [cell.value for cell in cells if cell.data_type == "f" or cell.hyperlink] == []
        assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
        return
    texts = [text for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for text in row]
    assert [text for text in texts if text.startswith(canaries.FORMULAS)] == []
    assert any(text.startswith("'=HYPERLINK") for text in texts)
