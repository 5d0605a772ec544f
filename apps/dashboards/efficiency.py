"""The page of efficiency: used, requested and held by cluster, pool, namespace and workload, with the money unused."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.capacity import HeldDay, HeldWords, held
from apps.charts.figures import Figure
from apps.dashboards import naming
from apps.dashboards.asking import Asked
from apps.dashboards.lines import Name, hundredths
from apps.dashboards.selectors import Choice
from apps.dashboards.templatetags import costs as written
from apps.dashboards.trends import DAY_FORMAT, FigureLink
from apps.finops.windows import Window
from apps.insights.efficiency import Row, by_day, efficiency
from apps.insights.usage_reading import LEVELS, PLACE, RESOURCES, EfficiencyQuery
from apps.marts.query import BadQuestion, PublicationFacts

MOST = 100
HOURS_A_DAY = 24
LEVEL_WORDS: dict[str, Promise] = {
    "cluster": gettext_lazy("Clusters"), "node_pool": gettext_lazy("Node pools"),
    "namespace": gettext_lazy("Namespaces"), "workload": gettext_lazy("Workloads"),
}  # fmt: skip
RESOURCE_WORDS: dict[str, tuple[Promise, Promise]] = {
    "cpu": (gettext_lazy("CPU"), gettext_lazy("cores")),
    "memory": (gettext_lazy("Memory"), gettext_lazy("GiB")),
    "gpu": (gettext_lazy("GPU"), gettext_lazy("GPUs")),
}
DEEPER = {"cluster": "node_pool", "node_pool": "namespace", "namespace": "workload"}
FIGURE_TITLES: dict[str, Promise] = {
    "cpu": gettext_lazy("Cores by day"), "memory": gettext_lazy("GiB by day"), "gpu": gettext_lazy("GPUs by day"),
}  # fmt: skip


@dataclass(frozen=True)
class Tab:
    """A choice that is a link."""

    title: str
    url: str
    is_here: bool


@dataclass(frozen=True)
class Meter:
    """A resource of a place: units on average over the days, shares in hundredths; None is not known.

    `used_width` and `requested_width` draw them within what is held, or within the larger of both.
    """

    used: Decimal | None = None
    requested: Decimal | None = None
    capacity: Decimal | None = None
    utilisation: Decimal | None = None
    request_share: Decimal | None = None
    used_of_requested: Decimal | None = None
    used_width: str = "0"
    requested_width: str = "0"


@dataclass(frozen=True)
class EfficiencyLine:
    """One place. `unmeasured` says that the part that is unused is not known of all its cost."""

    name: Name
    meter: Meter
    cost: Decimal | None
    over_requested: Decimal | None
    over_share: Decimal | None
    idle: Decimal | None
    unmeasured: Decimal


@dataclass(frozen=True)
class Told:
    """A resource in the head: how much of what is held is used and requested."""

    title: str
    meter: Meter
    unit: str
    url: str


@dataclass(frozen=True)
class EfficiencyPage:
    """What the page shows, in one currency; `trail` is what it is narrowed to."""

    asked: Asked
    facts: PublicationFacts
    currencies: tuple[Choice, ...]
    kept: tuple[tuple[str, str], ...]
    levels: tuple[Tab, ...]
    resources: tuple[Tab, ...]
    trail: tuple[Tab, ...]
    title: str
    unit: str
    told: tuple[Told, ...]
    total: EfficiencyLine
    lines: tuple[EfficiencyLine, ...]
    more: int
    is_measured: bool
    sees_capacity: bool
    figure: FigureLink
    csv_url: str

    @property
    def has_idle(self) -> bool:
        return any(line.idle is not None for line in self.lines)


@dataclass(frozen=True)
class EfficiencyAsk:
    """What an address asks: the period, the level, the resource, and what it is narrowed to."""

    asked: Asked
    by: str
    resource: str
    filters: tuple[tuple[str, str], ...]

    def query(self, window: Window | None = None) -> EfficiencyQuery:
        window = window or self.asked.window
        return EfficiencyQuery(
            window.start, window.end, self.by, self.filters, as_of=self.asked.publication, scope=self.asked.scope
        )

    def url(self, **changed: str) -> str:
        """The page with something else chosen; `place` names replace what it is narrowed to."""
        filters = {name: changed.pop(name) for name in PLACE if name in changed} or dict(self.filters)
        told = {"by": self.by, "resource": self.resource} | changed | filters
        return f"{reverse('efficiency')}?{'&'.join(part for part in (self.asked.params(), urlencode(told)) if part)}"


def read(given: Mapping[str, Any], asked: Asked) -> EfficiencyAsk:
    """The question of an address; what cannot be asked is refused by name."""
    by, resource = str(given.get("by") or "cluster"), str(given.get("resource") or "cpu")
    for name, value, known in (("by", by, LEVELS), ("resource", resource, RESOURCES)):
        if value not in known:
            raise BadQuestion(f"{name}: {value[:40]!r} is not one of {', '.join(known)}")
    filters = tuple((name, str(given[name])) for name in PLACE if name in given)
    return EfficiencyAsk(asked.as_billed, by, resource, filters)


def page(ask: EfficiencyAsk) -> EfficiencyPage:
    """The page of a question, the most money requested and unused first."""
    found = efficiency(ask.query())
    currencies = sorted({*found.total.cost, *(found.total.idle or {})})
    asked = ask.asked.settled(ask.asked.currency if ask.asked.currency in currencies else next(iter(currencies), ""))
    ask = EfficiencyAsk(asked, ask.by, ask.resource, ask.filters)
    hours = found.days * HOURS_A_DAY
    lines = sorted(
        (_line(ask, row, _name(ask, row.key), hours) for row in found.rows),
        key=lambda line: (
            -(line.over_requested or 0),
            -(line.idle or 0),
            -(line.meter.requested or 0),
            line.name.title,
        ),
    )
    return EfficiencyPage(
        asked=asked,
        facts=found.publication,
        currencies=tuple(Choice(currency, currency) for currency in currencies),
        kept=(("by", ask.by), ("resource", ask.resource), *ask.filters),
        levels=tuple(Tab(str(word), ask.url(by=level), level == ask.by) for level, word in LEVEL_WORDS.items()),
        resources=tuple(
            Tab(str(word), ask.url(resource=name), name == ask.resource)
            for name, (word, _unit) in RESOURCE_WORDS.items()
        ),
        trail=_trail(ask),
        title=str(LEVEL_WORDS[ask.by]),
        unit=str(RESOURCE_WORDS[ask.resource][1]),
        told=tuple(
            Told(str(word), _meter(found.total, name, hours), str(unit), ask.url(resource=name))
            for name, (word, unit) in RESOURCE_WORDS.items()
        ),
        total=_line(ask, found.total, Name(""), hours),
        lines=tuple(lines[:MOST]),
        more=max(0, len(lines) - MOST),
        is_measured=found.total.use is not None,
        sees_capacity=found.sees_capacity,
        figure=_figure_link(ask),
        csv_url=_csv_url(ask),
    )  # fmt: skip


def figure(ask: EfficiencyAsk) -> Figure:
    """The days of a question."""
    days = [
        HeldDay(one.day, *(_units(hours, HOURS_A_DAY) for hours in (one.capacity, one.request, one.used)))
        for one in by_day(ask.query(), ask.resource)
    ]
    words = HeldWords(_("Capacity"), _("Requested"), _("Used"), str(RESOURCE_WORDS[ask.resource][1]))
    return held(days, words=words, day_format=str(DAY_FORMAT["day"]))


def _units(hours: Decimal | None, by: int) -> float | None:
    return None if hours is None else float(hours / by)


def _line(ask: EfficiencyAsk, row: Row, name: Name, hours: int) -> EfficiencyLine:
    currency = ask.asked.currency
    cost, over = row.cost.get(currency), row.over_requested.get(currency)
    return EfficiencyLine(
        name=name,
        meter=_meter(row, ask.resource, hours),
        cost=cost,
        over_requested=over,
        over_share=None if cost is None or over is None else hundredths(over, cost),
        idle=None if row.idle is None else row.idle.get(currency, Decimal(0)),
        unmeasured=row.unmeasured.get(currency, Decimal(0)),
    )


def _meter(row: Row, resource: str, hours: int) -> Meter:
    use = row.use[resource] if row.use else None
    capacity = row.capacity[resource] if row.capacity else None
    if use is None:
        return Meter(capacity=None if capacity is None else capacity / hours)
    longest = max(capacity or Decimal(0), use.request, use.used)
    return Meter(
        used=use.used / hours,
        requested=use.request / hours,
        capacity=None if capacity is None else capacity / hours,
        utilisation=None if capacity is None else hundredths(use.used, capacity),
        request_share=None if capacity is None else hundredths(use.request, capacity),
        used_of_requested=hundredths(use.used, use.request),
        used_width=_width(use.used, longest),
        requested_width=_width(use.request, longest),
    )


def _width(hours: Decimal, longest: Decimal) -> str:
    return f"{hours * 100 / longest:.3f}" if longest else "0"


def _name(ask: EfficiencyAsk, key: tuple[str, ...]) -> Name:
    told = dict(zip(LEVELS[ask.by], key, strict=True))
    own, above = key[-1], " · ".join(called for called in map(_said, told.items()) if called)
    title = _said((ask.by, own))
    hint = " · ".join(_said((name, value)) for name, value in list(told.items())[:-1])
    deeper = DEEPER.get(ask.by)
    url = ask.url(by=deeper, **dict(ask.filters) | told) if deeper else ""
    return Name(title or above, hint=hint, url=url)


def _said(one: tuple[str, str]) -> str:
    name, value = one
    if name == "node_pool" and not value:
        return _("outside node pools")
    return naming.called(name, value)


def _trail(ask: EfficiencyAsk) -> tuple[Tab, ...]:
    """What the page is narrowed to, each a way back to where that was chosen."""
    if not ask.filters:
        return ()
    tabs = [Tab(_("All clusters"), EfficiencyAsk(ask.asked, "cluster", ask.resource, ()).url(), False)]
    for place, one in enumerate(ask.filters):
        upto = EfficiencyAsk(ask.asked, DEEPER.get(one[0], "workload"), ask.resource, ask.filters[: place + 1])
        tabs.append(Tab(_said(one), upto.url(), place == len(ask.filters) - 1))
    return tuple(tabs)


def _figure_link(ask: EfficiencyAsk) -> FigureLink:
    told = urlencode({"resource": ask.resource, "by": ask.by, **dict(ask.filters)})
    found = by_day(ask.query(), ask.resource)
    used = [(one.used, one.day) for one in found if one.used is not None]
    summary = _("Nothing was measured in this period.")
    if used:
        most, day = max(used)
        summary = _("Most was used on %(day)s: %(used)s %(unit)s on average.") % {
            "day": written.day(day), "used": written.quantity((most / HOURS_A_DAY).quantize(Decimal("0.1"))),
            "unit": RESOURCE_WORDS[ask.resource][1],
        }  # fmt: skip
    return FigureLink(
        id="figure-efficiency",
        url=f"{reverse('figure-efficiency')}?{ask.asked.figure_params()}&{told}",
        title=str(FIGURE_TITLES[ask.resource]),
        unit=str(RESOURCE_WORDS[ask.resource][1]),
        summary=summary,
    )


def _csv_url(ask: EfficiencyAsk) -> str:
    window = ask.asked.window
    told = {"by": ask.by, "start": window.start, "end": window.end, "as_of": ask.asked.publication, "format": "csv"}
    return f"{reverse('api-efficiency')}?{urlencode(told | dict(ask.filters))}"
