"""Why: which part of a place moved, and whether it was used more or became dearer."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from apps.insights.anomalies.belonging import Move, move_of
from apps.insights.anomalies.cells import FIELDS, USAGE, Cells, Series
from apps.learning.anomalies.describing import Alert
from apps.learning.calendars import Matrix

MOST_PARTS = 5
SPLITS: dict[str, tuple[tuple[str, ...], ...]] = {
    "total": (("team",), ("service",), ("cluster",)),
    "team": (("service",), ("cluster", "namespace")),
    "service": (("team",), ("cluster", "namespace")),
    "cluster": (("cluster", "namespace"), ("team",), ("service",)),
    "namespace": (("team",), ("service",)),
    "team_service": (("cluster", "namespace"),),
}
"""By what the change of a level is told."""
FOLLOWS = 0.5
"""Cost that moves at least half as far as usage, in parts of each, moves because of it."""
LEAST = 0.05


def cause_of(cells: Cells, alert: Alert, usage: Sequence[Cells]) -> dict[str, Any]:
    """The split that tells most, its largest parts with their share of the change, and what drove it.

    `driver` is `usage` where cost moved with what was used, `price` where it moved and usage did not, else empty.
    """
    one = cells.series[alert.series]
    move = move_of(cells, alert.first, range(alert.first, alert.last + 1))
    told = _split(cells, one, move)
    change = _share(move.expected[one.members].sum(), move.actual[one.members].sum())
    found = told | {"change": change, "driver": "", "usage": "", "usage_change": None}
    if cells.measure != "cost" or not _is_in_clusters(cells, one, move):
        return found
    return found | _driver(cells, one, alert, change, usage)


def _is_in_clusters(cells: Cells, one: Series, move: Move) -> bool:
    """Whether most of the change is in clusters, whose use is measured."""
    inside = [member for member in one.members.tolist() if cells.keys[member][FIELDS.index("cluster")]]
    whole = float(move.change[one.members].sum())
    return bool(whole and move.change[inside].sum() / whole > FOLLOWS)


def _split(cells: Cells, one: Series, move: Move) -> dict[str, Any]:
    """The parts by the dimension in which the fewest make up the change."""
    best: tuple[float, tuple[str, ...], list[list[Any]]] = (-1.0, (), [])
    whole = float(move.change[one.members].sum())
    for names in SPLITS[one.level]:
        parts = _parts(cells, one, move.change, names)
        if len(parts) < 2 or not whole:
            continue
        weight = float(np.sort(np.square([part / whole for _, part in parts]))[-MOST_PARTS:].sum())
        if weight > best[0] + 1e-9:
            largest = sorted(parts, key=lambda part: -part[1] / whole)[:MOST_PARTS]
            best = (
                weight,
                names,
                [[key, part, round(part / whole, 4)] for key, part in largest if part / whole > LEAST],
            )
    return {"dimension": best[1][-1] if best[1] else "", "parts": best[2]}


def _parts(cells: Cells, one: Series, change: Matrix, names: tuple[str, ...]) -> list[tuple[str, float]]:
    sums: dict[str, float] = {}
    for member in one.members.tolist():
        key = "/".join(cells.keys[member][FIELDS.index(name)] for name in names)
        sums[key.strip("/")] = sums.get(key.strip("/"), 0.0) + float(change[member])
    return sorted(sums.items())


def _driver(cells: Cells, one: Series, alert: Alert, change: float | None, usage: Sequence[Cells]) -> dict[str, Any]:
    """Whether what was used moved as well, on the same days in the same place."""
    moved: dict[str, float] = {}
    for other in usage:
        first, days = (
            other.place(cells.day(alert.first)),
            range(other.place(cells.day(alert.first)), min(other.place(cells.day(alert.last)) + 1, len(other.amounts))),
        )
        members = _same_place(cells, other, one)
        if first < 1 or not len(days) or not len(members):
            continue
        move = move_of(other, first, days)
        share = _share(move.expected[members].sum(), move.actual[members].sum())
        if share is not None:
            moved[other.measure] = share
    if not moved or change is None:
        return {}
    measure = max(moved, key=lambda name: (moved[name] if change > 0 else -moved[name], -list(USAGE).index(name)))
    driver = "usage" if moved[measure] / change >= FOLLOWS else "price"
    return {"driver": driver, "usage": measure, "usage_change": moved[measure]}


def _same_place(cells: Cells, other: Cells, one: Series) -> Matrix:
    """The cells of usage in the namespaces of a place of cost, of its team if it names one: usage knows no services."""
    team = one.cell[0]
    namespaces = {cells.keys[member][2:] for member in one.members.tolist() if cells.keys[member][3]}
    inside = [
        number for number, key in enumerate(other.keys) if key[2:] in namespaces and team in ("", key[0])
    ]  # fmt: skip
    return np.array(inside, dtype=np.int64)


def _share(expected: float, actual: float) -> float | None:
    return round(float((actual - expected) / expected), 4) if expected > 0 else None
