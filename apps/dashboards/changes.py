"""Why cost changed between two publications, as a page shows it: a bridge, and a row per team, service or source."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.books.changes import ChangeQuery, changes, costs_of, month_window, previous
from apps.books.explaining import CLASSES
from apps.charts import bridge
from apps.charts.labels import plain
from apps.dashboards import naming
from apps.dashboards.asking import METRICS
from apps.dashboards.cells import link
from apps.dashboards.templatetags.costs import change, money
from apps.dashboards.trends import FigureLink
from apps.finops.money import add_up
from apps.finops.windows import ONE_DAY, Window
from apps.marts import selectors as marts
from apps.marts.cell import listed
from apps.marts.models import Publication
from apps.marts.query import BadQuestion, CostQuery, Scope

TITLES: dict[str, Promise] = {
    "new": gettext_lazy("New"),
    "vanished": gettext_lazy("Vanished"),
    "re-priced": gettext_lazy("Re-priced"),
    "credited": gettext_lazy("Credited"),
    "re-measured": gettext_lazy("Re-measured"),
    "re-ruled": gettext_lazy("Re-ruled"),
}
MEANINGS: dict[str, Promise] = {
    "new": gettext_lazy("charges that only the later bill has"),
    "vanished": gettext_lazy("charges that only the earlier bill had"),
    "re-priced": gettext_lazy("the same usage at another cost"),
    "credited": gettext_lazy("credits, refunds, adjustments and corrections"),
    "re-measured": gettext_lazy("the same charges, other measured usage"),
    "re-ruled": gettext_lazy("the same charges and usage, other rules"),
}
BY: dict[str, Promise] = {
    "team": gettext_lazy("Team"),
    "service": gettext_lazy("Service"),
    "source": gettext_lazy("Source"),
}
ZERO = Decimal(0)


@dataclass(frozen=True)
class Ask:
    """What the address asks: publications, month (all when empty), cost basis, what rows are, currency."""

    query: ChangeQuery
    month: str
    by: str
    currency: str

    @property
    def params(self) -> str:
        query = self.query
        asked = {"from": query.before, "to": query.after, "month": self.month, "metric": query.metric}
        return urlencode({name: value for name, value in (asked | {"currency": self.currency}).items() if value})


@dataclass(frozen=True)
class ChangeRow:
    """One team, service or source: its cost before and after, and the change by class, in the order of CLASSES.

    `links` lead to what explains its cost before, and after; `rows` to the rows of each class.
    """

    title: str
    before: Decimal
    classes: tuple[Decimal, ...]
    after: Decimal
    links: tuple[str, str] = ("", "")
    rows: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[tuple[Promise, Decimal, str], ...]:
        """The change by class: what the class is called, the amount, and the address of its rows."""
        titles = (TITLES[name] for name in CLASSES)
        return tuple(zip(titles, self.classes, self.rows or ("",) * len(self.classes), strict=True))

    @property
    def change(self) -> Decimal:
        return add_up([self.after, self.before.copy_negate()])

    @property
    def adds_up(self) -> bool:
        return self.change == add_up(self.classes)


@dataclass(frozen=True)
class ChangePage:
    """The page: the question, what may be chosen, the rows, and all of them together."""

    asked: Ask
    publications: tuple[Publication, ...]
    months: tuple[str, ...]
    currencies: tuple[str, ...]
    rows: tuple[ChangeRow, ...]
    total: ChangeRow
    figure: FigureLink
    api: str

    @property
    def adds_up(self) -> bool:
        return all(row.adds_up for row in (*self.rows, self.total))

    @property
    def why_params(self) -> str:
        """What the page that says why is asked of the later publication: the month chosen, against the one before."""
        query = self.asked.query
        days = {"period": "month"} if query.window is None else {
            "period": "custom", "start": str(query.window.start), "last": str(query.window.end - ONE_DAY),
        }  # fmt: skip
        return urlencode(days | {"metric": query.metric, "currency": self.asked.currency, "publication": query.after})

    @property
    def classes(self) -> list[tuple[str, str, Decimal]]:
        """Title, meaning and change of every class."""
        told = zip(CLASSES, self.total.classes, strict=True)
        return [(str(TITLES[kind]), str(MEANINGS[kind]), amount) for kind, amount in told]

    @property
    def bys(self) -> list[tuple[str, str, str]]:
        """Key, title and address of what rows may be."""
        return [(key, str(title), f"?{self.asked.params}&by={key}") for key, title in BY.items()]


def read(data: Mapping[str, Any], scope: Scope) -> Ask:
    """The question of an address; raises BadQuestion for what cannot be asked."""
    before, after = previous(_number(data, "to"))
    month, by = data.get("month", ""), data.get("by", "team")
    if by not in BY:
        raise BadQuestion(_("Rows are teams, services or sources."))
    query = ChangeQuery(
        _number(data, "from") or before,
        after,
        group_by=(by, "class"),
        metric=data.get("metric") or "effective_cost",
        window=month_window(month) if month else None,
        scope=scope,
    )
    return Ask(query, month, by, data.get("currency", "")[:20])


def _number(data: Mapping[str, Any], name: str) -> int | None:
    text = data.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadQuestion(_("A publication is a whole number."))
    return int(text) if text else None


def page(asked: Ask) -> ChangePage:
    """The page of a question, in the currency asked for, else the one that changed most."""
    found = changes(asked.query)
    sides = [costs_of(asked.query, number, asked.by) for number in (asked.query.before, asked.query.after)]
    by_currency: dict[str, dict[tuple[str, str], Decimal]] = defaultdict(dict)
    for value, kind, currency, amount in found.rows:
        by_currency[currency][value, kind] = amount
    currencies = tuple(sorted({key[-1] for side in sides for key in side} | by_currency.keys()))
    currency = asked.currency if asked.currency in currencies else _most_changed(by_currency, currencies)
    asked = replace(asked, currency=currency)
    explained = {number: _explained(asked, number) for number in (asked.query.before, asked.query.after)}
    costs = [{key[0]: amount for key, amount in side.items() if key[-1] == currency} for side in sides]
    rows = _rows(by_currency[currency], *costs, asked=asked, explained=explained)
    total = ChangeRow(
        title=str(_("Together")),
        before=add_up(costs[0].values()),
        classes=tuple(add_up(row.classes[at] for row in rows) for at in range(len(CLASSES))),
        after=add_up(costs[1].values()),
        links=_links(asked, explained),
        rows=_class_rows(asked),
    )
    return ChangePage(
        asked=asked,
        publications=tuple(marts.publications()),
        months=_months(marts.publication(asked.query.after)),
        currencies=currencies,
        rows=rows,
        total=total,
        figure=_figure_link(asked, total),
        api=f"{reverse('api-changes')}?{_api_params(asked)}",
    )


def _most_changed(found: Mapping[str, Mapping[Any, Decimal]], currencies: Sequence[str]) -> str:
    sizes = {name: add_up(abs(amount) for amount in found.get(name, {}).values()) for name in currencies}
    return max(currencies, key=lambda name: sizes[name], default="")


def _rows(
    told: Mapping[tuple[str, str], Decimal],
    before: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
    *,
    asked: Ask,
    explained: Mapping[int, CostQuery | None],
) -> tuple[ChangeRow, ...]:
    """A row for whatever changed, the largest change first."""
    teams, by = naming.directory(), asked.by
    rows = [
        ChangeRow(
            title=plain(teams.title(value) if by == "team" else naming.called(by, value)),
            before=before.get(value, ZERO),
            classes=tuple(told.get((value, kind), ZERO) for kind in CLASSES),
            after=after.get(value, ZERO),
            links=_links(asked, explained, **{by: value}),
            rows=_class_rows(asked, **{by: value}),
        )
        for value in sorted({value for value, _ in told} | before.keys() | after.keys())
    ]
    changed = [row for row in rows if any(row.classes) or row.change]
    return tuple(sorted(changed, key=lambda row: -abs(row.change)))


def _explained(asked: Ask, number: int) -> CostQuery | None:
    """The question of all that a publication says a page's currency cost; None where it holds nothing."""
    pinned, query = marts.publication(number), asked.query
    if pinned.first_day is None or pinned.end_day is None:
        return None
    window, filters = query.window or Window(pinned.first_day, pinned.end_day), (("currency", (asked.currency,)),)
    return CostQuery(window.start, window.end, metric=query.metric, filters=filters, as_of=number, scope=query.scope)


def _links(asked: Ask, explained: Mapping[int, CostQuery | None], **filters: str) -> tuple[str, str]:
    """What explains a cost before, and after."""
    named = tuple((name, (value,)) for name, value in filters.items())
    whole = (explained[number] for number in (asked.query.before, asked.query.after))
    before, after = (link(replace(one, filters=(*one.filters, *named))) if one else "" for one in whole)
    return before, after


def _class_rows(asked: Ask, **filters: str) -> tuple[str, ...]:
    """The addresses of the rows of each class: by day, service and billed resource."""
    query = asked.query
    given = {"from": query.before, "to": query.after, "metric": query.metric, "billing_currency": asked.currency}
    given |= {"month": asked.month} if asked.month else {}
    given |= {"group_by": "day,service,namespace,resource,class", "format": "csv"}
    listed_filters = {name: listed([value]) for name, value in filters.items()}
    path = reverse("api-changes")
    return tuple(f"{path}?{urlencode(given | listed_filters | {'class': kind})}" for kind in CLASSES)


def _months(publication: Publication) -> tuple[str, ...]:
    """The months of a publication, the newest first."""
    if publication.first_day is None or publication.end_day is None:
        return ()
    found, month = [], publication.first_day.replace(day=1)
    while month < publication.end_day:
        found.append(f"{month:%Y-%m}")
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return tuple(reversed(found))


def _api_params(asked: Ask) -> str:
    query = asked.query
    given = {"from": query.before, "to": query.after, "group_by": f"{asked.by},class", "metric": query.metric}
    return urlencode(given | ({"month": asked.month} if asked.month else {}) | {"format": "csv"})


def _figure_link(asked: Ask, total: ChangeRow) -> FigureLink:
    steps = [f"{TITLES[kind]} {change(amount)}" for kind, amount in zip(CLASSES, total.classes, strict=True) if amount]
    told = _("From %(before)s to %(after)s: %(steps)s.") % {
        "before": money(total.before), "after": money(total.after), "steps": _(", ").join(steps) or _("no change"),
    }  # fmt: skip
    return FigureLink(
        id="figure-changes",
        url=f"{reverse('figure-changes')}?{asked.params}",
        title=_("From one publication to the other"),
        unit=f"{METRICS[asked.query.metric]} · {plain(asked.currency)}",
        summary=told,
    )


def figure(asked: Ask) -> dict[str, Any]:
    """The bridge of a question."""
    found = page(asked)
    ends = [
        bridge.Step(_("Publication %(number)s") % {"number": number}, amount)
        for number, amount in (
            (found.asked.query.before, found.total.before),
            (found.asked.query.after, found.total.after),
        )
    ]
    if found.asked.query.before == found.asked.query.after:
        ends[1] = replace(ends[1], title=f"{ends[1].title} ")
    steps = [
        bridge.Step(str(TITLES[kind]), amount)
        for kind, amount in zip(CLASSES, found.total.classes, strict=True)
        if amount
    ]
    return bridge.cost_bridge(ends[0], steps, ends[1], currency=found.asked.currency)
