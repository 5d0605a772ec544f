"""All that is known ahead of costs in one currency."""

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache

from apps.insights.planned import commitments, entering
from apps.insights.planned.known import FOLLOWED_DAYS, USUAL_DAYS, Known, Share
from apps.marts import selectors as marts
from apps.marts.models import Publication
from apps.marts.query import CostQuery


def known(pinned: Publication, currency: str, *, end: date, days: int) -> tuple[Known, ...]:
    """What begins or ends within `days` from `end` on, or did so lately; the earliest first."""
    since, until = end - timedelta(days=FOLLOWED_DAYS - 1), end + timedelta(days=days)
    found = [
        Known(one.kind, one.first_day, one.team, one.service, one.amount, one.percent, one.note, str(one.pk))
        for one in entering.standing(currency)
        if one.first_day and since <= one.first_day < until
    ]
    renewed = entering.renewed()
    ends = commitments.changes(pinned, currency, since=since, end=end, until=until)
    found += [one for one in ends if one.kind == "commitment_start" or one.ref not in renewed]
    mix = lru_cache(lambda day: _mix(pinned, currency, day))
    told = [replace(one, mix=mix(min(one.first_day, end))) for one in found]
    return tuple(sorted(told, key=lambda one: (one.first_day, one.kind, one.ref, one.service)))


def _mix(pinned: Publication, currency: str, end: date) -> tuple[Share, ...]:
    """What teams, services and clusters cost on the usual days before a day; credits have no share."""
    query = CostQuery(
        end - timedelta(days=USUAL_DAYS), end, group_by=("team", "service", "cluster"), as_of=pinned.number,
        filters=(("currency", (currency,)),),
    )  # fmt: skip
    return tuple((*(part or "" for part in row[:3]), row[-1]) for row in marts.answer(query).rows if row[-1] > 0)
