"""The outlook of a weekly report in the reader's words; to be called with the reader's language active."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from apps.charts.labels import plain
from apps.operations.kinds import title_of
from apps.operations.models import Recommendation
from apps.reports.outlook import Landing, Outlook, Waiting
from apps.warehouse.sentences import told as told_sentence
from apps.warehouse.sentences import told_of

LONGEST = 1000


@dataclass(frozen=True)
class Line:
    """A recommendation in a letter, with the address that tells more."""

    title: str
    kind: str
    saving: Decimal
    amount: Decimal
    currency: str
    due: date
    url: str
    is_new: bool


@dataclass(frozen=True)
class Group:
    """What was newly found of a kind."""

    title: str
    lines: tuple[Line, ...]
    more: int


@dataclass(frozen=True)
class Told:
    """An outlook, told; `url` leads to all that is open, `forecast_url` to the forecast."""

    why: tuple[str, ...]
    landings: tuple[Landing, ...]
    lines: tuple[Line, ...]
    open_count: int
    totals: tuple[tuple[str, Decimal], ...]
    overlapping: int
    groups: tuple[Group, ...]
    waiting: Waiting | None
    url: str
    forecast_url: str


def told(outlook: Outlook, team: str, *, site: str) -> Told:
    """An outlook as a letter tells it."""

    def lines(ones: Iterable[Recommendation]) -> tuple[Line, ...]:
        return tuple(_line(one, is_new=one.pk in outlook.new, site=site) for one in ones)

    return Told(
        why=tuple(plain(told_sentence(one.text, one.values), limit=LONGEST) for one in outlook.why),
        landings=outlook.landings,
        lines=lines(outlook.largest),
        open_count=outlook.open_count,
        totals=outlook.totals,
        overlapping=outlook.overlapping,
        groups=tuple(Group(title_of(news.kind), lines(news.ones), news.more) for news in outlook.news),
        waiting=outlook.waiting,
        url=f"{site}{reverse('recommendations')}?{urlencode({'team': team})}",
        forecast_url=f"{site}{reverse('forecasts')}?{urlencode({'level': 'team', 'key': team})}",
    )


def _line(one: Recommendation, *, is_new: bool, site: str) -> Line:
    return Line(
        title=plain(told_of(one.title), limit=LONGEST),
        kind=title_of(one.kind),
        saving=one.saving,
        amount=one.amount,
        currency=one.currency,
        due=one.due,
        url=f"{site}{reverse('recommendation', args=[one.pk])}",
        is_new=is_new,
    )
