"""On which days clusters were heard: how much of each day was observed, beside what is usual of the cluster."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from statistics import median

from apps.marts.models import Publication
from apps.marts.selectors import covered_days

ENDED_DAYS = 62
"""A cluster that nobody heard of for two months is no more."""
LEAST = Fraction(1, 2)
"""Of what is usual of a cluster: on a day of which less was observed it was not heard."""

Heard = Mapping[date, Fraction]
"""By day, how much was observed of what was expected."""


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
