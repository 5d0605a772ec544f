"""The page of the explorer: the form of a question, its answer as sentence, figure and table, and what is beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts import labels
from apps.dashboards import explorer_figures, naming
from apps.dashboards.asking import METRICS
from apps.dashboards.explorer_table import Grid, grid
from apps.dashboards.explorer_words import sentence, unknown
from apps.dashboards.exploring import Names, dimension, in_order
from apps.dashboards.lines import Line
from apps.dashboards.selectors import Choice
from apps.dashboards.templatetags import costs as written
from apps.explorer import selectors
from apps.explorer.answering import Explored, Offered, offered_currencies
from apps.explorer.models import Annotation, SavedView
from apps.explorer.question import (
    CHARTS,
    COMPARED,
    CONVERTED,
    GRAINS,
    MOST_GROUPS,
    PERIODS,
    TOPS,
    Chosen,
    Exploration,
    exclude_names,
    filter_names,
    groupings,
    listed,
)  # fmt: skip
from apps.finops.windows import ONE_DAY
from apps.marts.query import Scope
from apps.teams.approval import Actor
from apps.teams.selectors import active_teams

TITLES: dict[str, Promise] = {
    "month": gettext_lazy("This month"),
    "last-month": gettext_lazy("Last month"),
    "quarter": gettext_lazy("This quarter"),
    "year": gettext_lazy("This year"),
    "7": gettext_lazy("7 days"),
    "30": gettext_lazy("30 days"),
    "90": gettext_lazy("90 days"),
    "365": gettext_lazy("365 days"),
    "custom": gettext_lazy("Custom"),
}
GRAIN_TITLES: dict[str, Promise] = {
    "": gettext_lazy("As fits"),
    "day": gettext_lazy("By day"),
    "week": gettext_lazy("By week"),
    "month": gettext_lazy("By month"),
    "none": gettext_lazy("No time"),
}
COMPARED_TITLES: dict[str, Promise] = {
    "": gettext_lazy("Nothing"),
    "before": gettext_lazy("The period before"),
    "year": gettext_lazy("A year before"),
}
CHART_TITLES: dict[str, Promise] = {
    "area": gettext_lazy("Areas"),
    "bars": gettext_lazy("Bars"),
    "treemap": gettext_lazy("Treemap"),
    "sunburst": gettext_lazy("Sunburst"),
    "heatmap": gettext_lazy("Heat map"),
    "sankey": gettext_lazy("Flows"),
    "table": gettext_lazy("Table"),
}
READY: tuple[tuple[Promise, Exploration], ...] = (
    (gettext_lazy("What each team costs, day by day"), Exploration()),
    (
        gettext_lazy("Where the money goes: provider, service, team"),
        Exploration(period="last-month", chart="sankey", by=("provider", "service", "team")),
    ),
    (
        gettext_lazy("The whole as rectangles: team, service"),
        Exploration(period="last-month", chart="treemap", by=("team", "service")),
    ),
    (gettext_lazy("Which days are hot"), Exploration(period="90", chart="heatmap", by=("service",))),
    (
        gettext_lazy("What is paid for and not used, by team"),
        Exploration(chart="bars", grain="none", by=("team", "cluster"), filters=(("kind", ("idle", "shared_idle")),)),
    ),
    (
        gettext_lazy("This month against the last one"),
        Exploration(period="month", compare="before", chart="bars", grain="none"),
    ),
)
"""Questions to begin with."""
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Field:
    """A filter of the form: its parameter, what it holds, and why that cannot be meant, if it cannot."""

    name: str
    key: str
    title: str
    value: str
    fault: str = ""


@dataclass(frozen=True)
class Form:
    """The question as the form shows it, with what each field may be; `faults` are beside their fields."""

    given: Mapping[str, str]
    by: tuple[str, ...]
    faults: Mapping[str, str]
    periods: Pairs
    metrics: Pairs
    grains: Pairs
    dimensions: Pairs
    compared: Pairs
    charts: Pairs
    tops: Pairs
    filters: tuple[Field, ...]
    more: tuple[Field, ...]
    excludes: tuple[Field, ...]
    more_excludes: tuple[Field, ...]


@dataclass(frozen=True)
class Chip:
    """A filter in force, or what is left out, and the address without it."""

    title: str
    values: str
    without: str


@dataclass(frozen=True)
class Noted:
    """An annotation under the figure, by the number of its mark."""

    number: int
    kept: Annotation
    is_mine: bool


@dataclass(frozen=True)
class ExplorerPage:
    """What the page shows of an answer. `unknown` says why nothing is compared though it was asked for; `params` is the
    question of its files, which names the currency where that is one of several for want of a rate."""

    found: Explored
    form: Form
    params: str
    title: str
    sentence: str
    unknown: str
    left_out: Decimal
    figure_url: str
    grid: Grid
    chips: tuple[Chip, ...]
    currencies: tuple[Choice, ...]
    currency: str
    notes: tuple[Noted, ...]
    more_notes: int

    @property
    def total(self) -> Line:
        return self.grid.total.line

    @property
    def last_day(self) -> date:
        return self.found.window.end - ONE_DAY

    @property
    def before_last_day(self) -> date:
        return self.found.before.end - ONE_DAY


def form(given: Mapping[str, Sequence[str]], asked: Exploration | None, faults: Mapping[str, str]) -> Form:
    """The form as it was filled in; where the question can be meant, in canonical words."""
    held = {name: values[0] for name, values in given.items() if values}
    shown = asked or Exploration()
    plain = {name: str(getattr(shown, name) or "") for name in ("metric", "period", "start", "last", "grain")}
    plain |= {name: str(getattr(shown, name) or "") for name in ("compare", "currency", "chart", "top", "publication")}
    filters, more = _fields(filter_names(), shown.filters, held, faults)
    excludes, more_excludes = _fields(exclude_names(), shown.excludes, held, faults)
    by = shown.by if asked else tuple(part for text in given.get("by", ()) for part in text.split(",") if part)
    return Form(
        given=plain if asked else plain | held,
        by=(*by[:MOST_GROUPS], *[""] * (MOST_GROUPS - len(by))),
        faults=faults,
        periods=_pairs(PERIODS, TITLES),
        metrics=tuple((key, str(title)) for key, title in METRICS.items()),
        grains=_pairs(GRAINS, GRAIN_TITLES),
        dimensions=tuple((name, dimension(name)) for name in in_order(groupings())),
        compared=_pairs(COMPARED, COMPARED_TITLES),
        charts=_pairs(CHARTS, CHART_TITLES),
        tops=tuple((str(top), str(top)) for top in TOPS),
        filters=filters,
        more=more,
        excludes=excludes,
        more_excludes=more_excludes,
    )


def _fields(
    names: Mapping[str, str], chosen: Chosen, held: Mapping[str, str], faults: Mapping[str, str]
) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """The fields that hold something, and the others."""
    values = dict(chosen)
    fields = [
        Field(name, key, dimension(name), _held(values.get(name), held.get(key, "")), faults.get(key, ""))
        for name, key in ((name, names[name]) for name in in_order(names))
    ]
    return (
        tuple(field for field in fields if field.value or field.fault),
        tuple(field for field in fields if not field.value and not field.fault),
    )


def _held(values: tuple[str, ...] | None, text: str) -> str:
    return in_one_line(text if values is None else listed(values))


_BREAKS, _MARKS = "\n\r", "\u2424\u240d"
"""Line breaks within a name, and what stands for them in a field: browsers drop them there."""


def in_one_line(text: str) -> str:
    """A text as a field holds it."""
    return text.translate(str.maketrans(_BREAKS, _MARKS))


def of_one_line(text: str) -> str:
    """The text that a field holds."""
    return text.translate(str.maketrans(_MARKS, _BREAKS))


def _pairs(keys: Sequence[str], titles: Mapping[str, Promise]) -> Pairs:
    return tuple((key, str(titles[key])) for key in keys)


def page(found: Explored, given: Mapping[str, Sequence[str]], actor: Actor) -> ExplorerPage:
    """The page of an answer."""
    asked, names = found.asked, Names(found)
    shown = replace(asked, currency=found.currency) if found.missing else asked
    notes, more = annotations(found)
    currencies = tuple(_currency(key, found) for key in offered_currencies(found))
    return ExplorerPage(
        found=found,
        form=form(given, asked, {}),
        params=shown.params(),
        title=_title(found),
        sentence=sentence(found, names),
        unknown=unknown(found),
        left_out=explorer_figures.not_drawn(found),
        figure_url=f"{reverse('figure-explorer')}?{replace(shown, publication=found.publication.number).params()}",
        grid=grid(found, names),
        chips=tuple(_chips(asked, names)),
        currencies=currencies,
        currency=asked.currency,
        notes=tuple(
            Noted(number, one, bool(actor.teams is None or (one.team and one.team.name in actor.teams)))
            for number, one in enumerate(notes, start=1)
        ),
        more_notes=more,
    )


def _currency(key: str, found: Explored) -> Choice:
    """A currency as the form offers it; the one that comes by itself needs no word in the address."""
    code = key.removeprefix(CONVERTED)
    is_usual = not found.asked.currency and key == found.currency
    return Choice("" if is_usual else key, code if key == code else _("All in %(currency)s") % {"currency": code})


def _title(found: Explored) -> str:
    by = " → ".join(dimension(name) for name in found.asked.by)
    metric = str(METRICS[found.asked.metric])
    return _("%(metric)s by %(dimensions)s") % {"metric": metric, "dimensions": by} if by else metric


def _chips(asked: Exploration, names: Names) -> list[Chip]:
    def chip(title: str, name: str, values: Sequence[str], rest: Exploration) -> Chip:
        called = naming.joined([labels.plain(names.title(name, value)) for value in values])
        return Chip(title, called, f"?{rest.params()}")

    only = [chip(dimension(name), name, values, asked.without(name)) for name, values in asked.filters]
    but = _("%(dimension)s, all but")
    return only + [
        chip(but % {"dimension": dimension(name)}, name, values, asked.with_all_of(name))
        for name, values in asked.excludes
    ]


def annotations(found: Explored) -> tuple[list[Annotation], int]:
    """What was written about the days of an answer, and how much more there is than a figure can show: of the company
    and of the teams it is about."""
    named = dict(found.asked.filters).get("team", ())
    seen = found.query.scope.teams
    teams = frozenset(named) if named and seen is None else seen & frozenset(named) if named and seen else seen
    last, but = found.window.end - ONE_DAY, dict(found.asked.excludes).get("team", ())
    kept = selectors.annotations(teams, first=found.window.start, last=last, but=but)
    return list(kept[: selectors.MOST_MARKS]), max(kept.count() - selectors.MOST_MARKS, 0)


@dataclass(frozen=True)
class Offer:
    """A value that a filter may have: what is written, what it is called, what it cost."""

    value: str
    title: str
    cost: str


def offers(found: Sequence[Offered], name: str, text: str, limit: int = 20) -> list[Offer]:
    """The values that have a text in what they are or are called, the most expensive first."""
    teams = naming.directory() if name == "team" else None
    wanted, told = of_one_line(text).strip().strip('"').casefold(), []
    for value, cost in found:
        title = teams.title(value) if teams else naming.called(name, value)
        if wanted in value.casefold() or wanted in title.casefold():
            told.append(
                Offer(in_one_line(listed([value])), labels.plain(title), "" if cost is None else written.money(cost))
            )
        if len(told) == limit:
            break
    return told


@dataclass(frozen=True)
class Shelf:
    """The views somebody may open: their own, and what others share."""

    own: tuple[SavedView, ...]
    others: tuple[SavedView, ...]
    teams: Pairs
    ready: Pairs


def shelf(reader: User, scope: Scope) -> Shelf:
    found = list(selectors.views_of(reader))
    mine = tuple(one for one in found if one.owner_id == reader.pk)
    ready = tuple((str(title), asked.params()) for title, asked in READY)
    return Shelf(mine, tuple(one for one in found if one.owner_id != reader.pk), teams(scope.teams), ready)


def teams(seen: frozenset[str] | None) -> Pairs:
    """The teams of a choice, by name."""
    return tuple((one.name, str(one)) for one in active_teams() if seen is None or one.name in seen)
