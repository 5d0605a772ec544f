"""What is asked of a site: one address of every page, the parts they fetch, and every operation of the API that reads."""

import re
from html import unescape
from typing import Any
from urllib.parse import quote

NOT_FOLLOWED = ("/api/", "/figures/", "/i18n/", "/admin/", "/static/", "/reports/archive/")
TEAM = "team-007"
"""Whose addresses these are, where they name a team."""
MONTH = "start=2026-10-01&end=2026-11-01"
API = (
    "/api/v1/costs/?group_by=team&{m}",
    "/api/v1/costs/?group_by=team,day,kind&{m}&limit=500",
    "/api/v1/costs/?group_by=namespace&{m}&filter[limit]=10&compare=previous&order_by[cost]=desc",
    "/api/v1/costs/?group_by=service,month&start=2025-10-01&end=2026-11-01&limit=500",
    "/api/v1/costs/?group_by=department,month&start=2025-10-01&end=2026-11-01",
    "/api/v1/costs/?group_by=workload&filter[team]={team}&{m}",
    "/api/v1/bases/?group_by=team&{m}",
    "/api/v1/efficiency/?by=workload",
    "/api/v1/efficiency/?by=namespace",
    "/api/v1/explain/?team={team}&start=2026-10-20&end=2026-10-21&limit=20",
    "/api/v1/why/?start=2026-10-06",
    "/api/v1/units/?driver=requests",
    "/api/v1/units/change/?driver=requests&start=2026-10-06",
    "/api/v1/drivers/",
    "/api/v1/drivers/quantities/?driver=requests",
    "/api/v1/estimates/?group_by=team,day",
    "/api/v1/teams/",
    "/api/v1/teams/{team}/",
    "/api/v1/sources/",
    "/api/v1/restatements/",
    "/api/v1/publications/",
    "/api/v1/reconciliation/",
    "/api/v1/rates/",
    "/api/v1/forecasts/",
    "/api/v1/anomalies/",
    "/api/v1/alerts/?state=any",
    "/api/v1/alert-rules/",
    "/api/v1/channels/",
    "/api/v1/deliveries/",
    "/api/v1/subscriptions/",
    "/api/v1/budgets/",
    "/api/v1/budgets/file/",
    "/api/v1/calendar/?year=2026",
    "/api/v1/recommendations/?state=any",
    "/api/v1/savings/",
    "/api/v1/savings/ways/",
    "/api/v1/idle/",
    "/api/v1/idle/exclusions/",
    "/api/v1/planned/",
    "/api/v1/plans/",
    "/api/v1/plans/pools/",
    "/api/v1/changes/",
    "/api/v1/closings/",
    "/api/v1/adjustments/",
    "/api/v1/invoices/",
    "/api/v1/disputes/",
    "/api/v1/views/",
    "/api/v1/annotations/?{m}",
    "/api/v1/reports/",
    "/api/v1/rules/",
    "/api/v1/rule-drafts/",
    "/api/v1/worklist/",
    "/api/v1/prices/",
    "/api/v1/commitments/",
    "/api/v1/offers/",
    "/api/v1/quality/",
    "/api/v1/audit/",
    "/api/v1/me/",
    "/api/v1/runs/",
    "/api/v1/runs/progress/",
    "/api/compat/opencost/allocation?window=2026-10-05,2026-10-08",
    "/api/compat/opencost/assets?window=2026-10-05,2026-10-08",
    "/api/compat/opencost/cloudCost?window=2026-10-05,2026-10-08&step=1d",
)
"""Of an operation with parts that cost unlike, one each. Exports are streams and stand in no percentile."""


def of_the_api() -> list[str]:
    """Every address, with the month and the team it asks about."""
    return [address.format(m=MONTH, team=TEAM) for address in API]


class Kept:
    """A client that keeps its answers: pages are read for their links, and again for their parts."""

    def __init__(self, client: Any) -> None:
        self.client, self.answers = client, {}

    def get(self, address: str) -> Any:
        """The first answer of an address."""
        if address not in self.answers:
            self.answers[address] = self.client.get(address)
        return self.answers[address]


def pages(client: Any) -> list[str]:
    """One address of every page that links lead to, from the overview on; `client` has `get`."""
    found, todo = {"overview": "/"}, ["overview"]
    while todo:
        answer = client.get(found[todo.pop(0)])
        if not answer.headers.get("Content-Type", "").startswith("text/html"):
            continue
        for link in map(unescape, re.findall(r'<a\s[^>]*?href="(/[^"]*)"', answer.content.decode())):
            name = _page_of(link)
            if name and name not in found:
                found[name] = link.partition("#")[0]
                todo.append(name)
    return [address for address in found.values() if _is_page(client, address)]


def parts(client: Any, of: list[str]) -> list[str]:
    """What those pages fetch by themselves: figures and panels, one of each kind."""
    found: dict[str, str] = {}
    for page in of:
        text = client.get(page).content.decode()
        for address in map(unescape, re.findall(r'(?:data-figure-url|hx-get)="(/[^"]*)"', text)):
            found.setdefault(_name_of(address), address)
    return sorted(found.values())


def _is_page(client: Any, address: str) -> bool:
    answer = client.get(address)
    return answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html")


def _page_of(address: str) -> str:
    return "" if address.startswith(NOT_FOLLOWED) else _name_of(address)


def _name_of(address: str) -> str:
    """What an address is called among ours, each planner by itself; nothing where it is no page."""
    from django.urls import Resolver404, resolve

    try:
        match = resolve(quote(address.partition("?")[0], safe="/%"))
    except Resolver404:
        return ""
    told = [match.url_name or "", *(str(match.kwargs.get(name, "")) for name in ("planner", "what", "by"))]
    return "" if match.namespace else " ".join(told).strip()
