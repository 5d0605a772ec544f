"""Which nodes can leave when work claims less: the only way in which a freed core is money."""

from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, Any]
TINY = 1e-9


@dataclass(frozen=True)
class Claims:
    """Cores and GiB claimed by hour."""

    cores: Floats
    gib: Floats


@dataclass(frozen=True)
class Stock:
    """The nodes of a cluster, all of one size: how many of them `stand`, and how many are `there` in each hour. Work
    claims `fill` of a node at most, by the scarcer of cores and memory."""

    cores: float
    gib: float
    fill: float
    stand: int
    there: Floats


@dataclass(frozen=True)
class Leaving:
    """Node-hours of nodes that come and go, and how many standing nodes, that are needed no more."""

    elastic_hours: float
    standing: int


def needed(claims: Claims, stock: Stock) -> Floats:
    """Whole nodes by hour."""
    share = np.maximum(claims.cores / stock.cores, claims.gib / stock.gib) / stock.fill
    return np.ceil(share - TINY)


def leaving(before: Claims, after: Claims, stock: Stock) -> Leaving:
    """What leaves when claims fall from `before` to `after`.

    In each hour as many nodes are freed as fewer are needed, never more than are there. Nodes that come and go leave
    by the hour; a standing one leaves when it is needed in no hour, and was freed in each.
    """
    most, least = needed(before, stock), needed(after, stock)
    freed = np.clip(np.minimum(most, stock.there) - least, 0, None)
    elastic = np.minimum(freed, np.maximum(stock.there - stock.stand, 0))
    spare = int(np.min(freed - elastic, initial=stock.stand)) if len(freed) else 0
    standing = max(0, min(spare, stock.stand - int(least.max(initial=0))))
    return Leaving(float(elastic.sum()), standing)
