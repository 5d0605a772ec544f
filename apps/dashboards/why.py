"""Why cost changed, as a page and a panel show it: a sentence, the parts, the segments that explain it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from apps.charts import bridge
from apps.charts.figures import Figure
from apps.charts.labels import plain
from apps.dashboards import naming
from apps.dashboards.asking import METRICS, Asked
from apps.dashboards.cells import link
from apps.dashboards.forms import compared_with, naming_compared
from apps.dashboards.lines import hundredths
from apps.dashboards.selectors import Choice
from apps.dashboards.templatetags.costs import change, day_range, money
from apps.dashboards.trends import FigureLink
from apps.finops.findings import Sentence
from apps.finops.money import NOTHING
from apps.finops.why import PARTS, USAGE, MeterChange
from apps.finops.windows import ONE_DAY, Window
from apps.insights.why.answering import CurrencyChange, SegmentChange, Why, why
from apps.insights.why.telling import coarse, how, subject, tell, title
from apps.insights.why.wording import MEANINGS
from apps.insights.why.wording import PARTS as TITLES
from apps.marts import selectors as marts
from apps.marts.cell import FILTER_NAMES, asked_filters, cell, listed, values
from apps.marts.query import CostQuery
from apps.rates.selectors import reporting_currencies

METERS = 30
LEAST = Decimal("0.005")
"""What is smaller is shown as zero; it stands in the CSV."""


@dataclass(frozen=True)
class PartLine:
    """One part of the change, with what it means and its share of what it was before, in hundredths."""

    title: str
    meaning: str
    amount: Decimal
    share: Decimal | None


@dataclass(frozen=True)
class SegmentLine:
    """One segment: what it is, what happened to it, and where to read on."""

    title: str
    how: str
    since: date | None
    before: Decimal
    after: Decimal
    change: Decimal
    share: Decimal | None
    url: str
    explain: str


@dataclass(frozen=True)
class MeterLine:
    """What was bought: its cost before and after, and the largest part of its change."""

    title: str
    hint: str
    before: Decimal
    after: Decimal
    change: Decimal
    how: str


@dataclass(frozen=True)
class WhyPage:
    """What page and panel show; without `chosen` there is no cost in either period."""

    asked: Asked
    found: Why
    what: str
    kept: tuple[tuple[str, str], ...]
    currencies: tuple[Choice, ...]
    chosen: CurrencyChange | None
    sentence: str
    coarse: str
    now: str
    before: str
    parts: tuple[PartLine, ...]
    segments: tuple[SegmentLine, ...]
    meters: tuple[MeterLine, ...]
    more_meters: int
    figure: FigureLink | None
    url: str
    csv_url: str

    @property
    def tone(self) -> str:
        """`rise`, `fall`, or `same` where nothing changed."""
        change = self.chosen.change.change if self.chosen else NOTHING
        return "rise" if change > 0 else "fall" if change else "same"

    @property
    def knows_before(self) -> bool:
        """Whether all of what it is compared with is published: where nothing can be compared, no day of it stands
        beside one of the period."""
        return self.asked.published.part_of(self.found.before) == self.found.before

    @property
    def change_share(self) -> Decimal | None:
        """The whole change in hundredths of what it was before."""
        return None if self.chosen is None else hundredths(self.chosen.change.change, self.chosen.change.before)


@dataclass(frozen=True)
class WhyAsk:
    """What an address asks: the period, what it is narrowed to, and what it is compared with."""

    asked: Asked
    filters: tuple[tuple[str, tuple[str, ...]], ...]
    before: Window | None

    def query(self) -> CostQuery:
        return replace(self.asked.query(), filters=self.filters)

    @property
    def compared(self) -> Window:
        return self.before or self.asked.before

    def kept(self) -> dict[str, str]:
        """What the filter bar does not hold, as parameters."""
        days = naming_compared(self.before) if self.before else {}
        return {FILTER_NAMES.get(name, name): listed(told) for name, told in self.filters} | days

    def params(self, **changed: str) -> str:
        return "&".join(part for part in (self.asked.params(), urlencode(self.kept() | changed)) if part)


def read(given: Mapping[str, Any], asked: Asked) -> WhyAsk:
    """The question of an address; raises BadQuestion for what cannot be asked."""
    filters = tuple((name, values(FILTER_NAMES.get(name, name), text)) for name, text in asked_filters(given))
    return WhyAsk(asked, filters, compared_with(given))


def panel_params(asked: Asked, **filters: str) -> str:
    """The question of a page of cost, as parameters of the page that says why."""
    return WhyAsk(asked, tuple((name, (value,)) for name, value in filters.items()), None).params()


def page(ask: WhyAsk) -> WhyPage:
    """The page of a question, in the currency asked for, else in that of the largest cost."""
    found = why(ask.query(), ask.compared)
    currencies = [one.currency for one in found.currencies]
    wanted = ask.asked.currency if ask.asked.currency in currencies else next(iter(currencies), "")
    chosen = next((one for one in found.currencies if one.currency == wanted), None)
    asked = ask.asked.settled(ask.asked.currency or wanted)
    ask = replace(ask, asked=asked)
    told = dict(zip([one.currency for one in found.currencies], tell(found), strict=False))
    return WhyPage(
        asked=asked,
        found=found,
        what=subject(found.query),
        kept=tuple(ask.kept().items()),
        currencies=_choices(ask),
        chosen=chosen,
        sentence=written(told[wanted]) if wanted in told else "",
        coarse=written(said) if (said := coarse(found)) else "",
        now=day_range(found.days.start, found.days.end - ONE_DAY),
        before=day_range(found.before.start, found.before.end - ONE_DAY),
        parts=_parts(chosen) if chosen else (),
        segments=tuple(_segment(ask, found, chosen, one) for one in chosen.segments) if chosen else (),
        meters=tuple(_meters(chosen)[:METERS]) if chosen else (),
        more_meters=max(0, len(_meters(chosen)) - METERS) if chosen else 0,
        figure=_figure_link(ask, chosen) if chosen else None,
        url=f"{reverse('why')}?{ask.params()}",
        csv_url=_csv_url(ask),
    )


def written(sentence: Sentence) -> str:
    """A sentence in the reader's language."""
    return _(sentence.text) % sentence.values


def _choices(ask: WhyAsk) -> tuple[Choice, ...]:
    """The currencies that occur, and those that all can be converted to."""
    billed = replace(ask.query(), currency=None)
    earlier = billed.between(ask.compared.start, ask.compared.end)
    found = sorted({*marts.answer(billed).totals, *marts.answer(earlier).totals})
    converted = sorted({*reporting_currencies()} - (set(found) if len(found) == 1 else set()))
    return (
        *(Choice(currency, currency) for currency in found),
        *(Choice(f"in-{code}", _("All in %(currency)s") % {"currency": code}) for code in converted),
    )


def _parts(one: CurrencyChange) -> tuple[PartLine, ...]:
    parts = one.change.parts
    return tuple(
        PartLine(str(TITLES[name]), str(MEANINGS[name]), parts[name], hundredths(parts[name], one.change.before))
        for name in PARTS
        if abs(parts[name]) >= LEAST
    )


def _segment(ask: WhyAsk, found: Why, one: CurrencyChange, segment: SegmentChange) -> SegmentLine:
    narrowed = cell(found.query, **dict(segment.values))
    deeper = replace(ask, filters=narrowed.filters)
    share = one.share(segment)
    cost = narrowed if found.query.currency else cell(narrowed, currency=one.currency)
    return SegmentLine(
        title=title(segment),
        how=str(how(found, segment)),
        since=segment.since,
        before=segment.change.before,
        after=segment.change.after,
        change=segment.change.change,
        share=None if share is None else share * 100,
        url=f"{reverse('why')}?{deeper.params()}",
        explain=link(cost) if segment.is_whole and segment.change.after and not found.per_day else "",
    )


def _meters(one: CurrencyChange) -> list[MeterLine]:
    changed = [meter for meter in one.change.meters if abs(meter.change) >= LEAST]
    changed.sort(key=lambda meter: (-abs(meter.change), meter.meter))
    return [_meter(one) for one in changed]


def _meter(one: MeterChange) -> MeterLine:
    told = one.meter
    kind = "" if told.part == USAGE else str(TITLES[told.part])
    parts = (
        f"{TITLES[name]} {change(one.parts[name])}" for name in PARTS if abs(one.parts.get(name, NOTHING)) >= LEAST
    )
    return MeterLine(
        title=plain(_joined(told.service or "–", told.sku or told.meter)),
        hint=plain(_joined(kind, told.resource_type, told.region, told.unit)),
        before=one.before,
        after=one.after,
        change=one.change,
        how=naming.joined(list(parts)),
    )


def _joined(*texts: str) -> str:
    return " · ".join(text for text in texts if text)


def _figure_link(ask: WhyAsk, one: CurrencyChange) -> FigureLink:
    steps = [f"{line.title} {change(line.amount)}" for line in _parts(one)]
    told = _("From %(before)s to %(after)s: %(steps)s.") % {
        "before": money(one.change.before), "after": money(one.change.after),
        "steps": naming.joined(steps) or _("no change"),
    }  # fmt: skip
    return FigureLink(
        id="figure-why",
        url=f"{reverse('figure-why')}?{ask.params()}",
        title=_("From one period to the other"),
        unit=f"{METRICS[ask.asked.metric]} · {plain(one.currency)}",
        summary=told,
    )


def figure(ask: WhyAsk) -> Figure:
    """The bridge from one period to the other; empty where there is no cost."""
    found = page(ask)
    if found.chosen is None:
        return {"data": [], "layout": {}}
    told = found.chosen.change
    ends = [bridge.Step(found.before, told.before), bridge.Step(found.now, told.after)]
    steps = [bridge.Step(line.title, line.amount) for line in found.parts]
    return bridge.cost_bridge(ends[0], steps, ends[1], currency=found.chosen.currency)


def _csv_url(ask: WhyAsk) -> str:
    """The same from the REST API, exact to the last decimal."""
    asked, compared = ask.asked, ask.compared
    given = {
        "start": asked.window.start, "end": asked.window.end, "before_start": compared.start,
        "before_end": compared.end, "metric": asked.metric, "as_of": asked.publication, "format": "csv",
    }  # fmt: skip
    if asked.reporting:
        given["currency"] = asked.reporting
    filters = {FILTER_NAMES.get(name, name): listed(told) for name, told in ask.filters}
    return f"{reverse('api-why')}?{urlencode(given | filters)}"
