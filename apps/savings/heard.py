"""On which days nobody heard what a cost is told by: what workloads cost is told by their use, and where a cluster was
not metered it falls to whoever owns its nodes, as if the workloads had gone."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from statistics import median

from apps.finops.windows import ONE_DAY, Window
from apps.marts.models import Publication
from apps.marts.selectors import covered_days
from apps.savings import costs
from apps.savings.scopes import Scope

ENDED_DAYS = 62
"""A cluster that nobody heard of for two months is no more: from then on its days are told, and cost nothing."""
LEAST = Fraction(1, 2)
"""Of what is usual of a cluster: on a day of which less was observed it was not heard."""


def silent_days(scopes: Iterable[Scope], currency: str, window: Window, pinned: Publication) -> frozenset[date]:
    """The days of a window on which a cluster that these scopes cost anything in was not heard."""
    heard = _heard(pinned)
    own = costs.clusters(list(scopes), currency, window, pinned) & heard.keys()
    return frozenset(day for cluster in own for day in _silent(heard[cluster], window))


def _heard(pinned: Publication) -> dict[str, dict[date, Fraction]]:
    """By cluster, which share of a day was observed."""
    found: dict[str, dict[date, Fraction]] = defaultdict(dict)
    for one in covered_days(pinned):
        if one.cluster and one.expected:
            found[one.cluster][one.day] = Fraction(one.observed, one.expected)
    return found


def _silent(heard: Mapping[date, Fraction], window: Window) -> Iterable[date]:
    """From the first day it was ever heard, for before it there was nothing to hear."""
    usual = median(heard.values())
    loud = [day for day, share in heard.items() if share >= LEAST * usual and day < window.end]
    if not loud:
        return ()
    is_over = window.end - max(loud) > timedelta(days=ENDED_DAYS)
    days = Window(max(window.start, min(heard)), max(loud) + ONE_DAY if is_over else window.end).days()
    return [day for day in days if day not in set(loud)]
