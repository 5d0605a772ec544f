"""On which days clusters were heard: how much of each day was observed, beside what is usual of the cluster."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from statistics import median
from typing import NamedTuple

from apps.finops.tables import COVERAGE_HOURS
from apps.marts.models import Publication
from apps.marts.selectors import covered_days
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

ENDED_DAYS = 62
"""A cluster that nobody heard of for two months is no more."""
LEAST = Fraction(1, 2)
"""Of what is usual of a cluster: on a day of which less was observed it was not heard."""

Heard = Mapping[date, Fraction]
"""By day, how much was observed of what was expected."""


class HeardHour(NamedTuple):
    """The samples of an hour of a cluster; `at` counts hours since 1970."""

    day: date
    at: int
    observed: int
    expected: int


def heard_hours(
    pinned: Publication, start: date, end: date, *, clusters: Iterable[str] | None = None
) -> dict[str, list[HeardHour]]:
    """What was heard of every cluster, or of some, in the hours of the days `start` <= day < `end`."""
    version = pinned.versions.get(COVERAGE_HOURS.name)
    found: dict[str, list[HeardHour]] = defaultdict(list)
    if version is None:
        return found
    rows = lake.between(COVERAGE_HOURS, "day", start, end, at=version)
    if clusters is not None:
        rows = rows.filter(rows.cluster.isin(sorted(clusters)))
    named = rows.select("cluster", "day", "observed_samples", "expected_samples", second=rows.hour.epoch_seconds())
    summed = named.group_by("cluster", "day", "second").aggregate(
        observed=named.observed_samples.sum(), expected=named.expected_samples.sum()
    )
    for cluster, day, second, observed, expected in rows_of(summed):
        found[cluster].append(HeardHour(day, int(second) // 3600, int(observed), int(expected)))
    return found


def heard_shares(pinned: Publication) -> dict[str, Heard]:
    """What was heard of every cluster."""
    found: dict[str, dict[date, Fraction]] = defaultdict(dict)
    for one in covered_days(pinned):
        if one.cluster and one.expected:
            found[one.cluster][one.day] = Fraction(one.observed, one.expected)
    return dict(found)


def beside_usual(heard: Heard) -> dict[date, Fraction]:
    """Each day as a part of what is usual of the cluster, at most 1."""
    usual = median(heard.values()) or 1
    return {day: min(share / usual, Fraction(1)) for day, share in heard.items()}


def loud_days(heard: Heard) -> list[date]:
    """The days on which a cluster was heard."""
    return [day for day, part in beside_usual(heard).items() if part >= LEAST]
