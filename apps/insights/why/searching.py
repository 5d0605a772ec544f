"""Which segments of cost a change lies in: the cube of two periods, searched by the ripple effect."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from apps.learning.segments import SegmentSearch
from apps.marts.cube import CubeRow

ATTRIBUTES = (
    "team", "namespace", "service", "workload", "cluster", "node_pool", "region", "kind", "charge_category",
    "sub_account",
)  # fmt: skip
"""What a segment can be named by; of two names for the same rows that of fewer values is told, else the first."""
MOST = 4
LEAST_SHARE = 0.02
NOISE = 0.05
"""By about this share a cost of usual size deviates without anybody asking why."""

Values = tuple[tuple[str, str], ...]
"""Dimension and value, in the order of ATTRIBUTES."""


@dataclass(frozen=True)
class Found:
    """Segments in the order of what they explain; each row belongs to the first that holds it."""

    segments: tuple[Values, ...]

    def place(self, row: Sequence[str], dimensions: Sequence[str]) -> int:
        """The number of the segment that a row belongs to; -1 for what no segment holds."""
        return next(iter(self.places(row, dimensions)), -1)

    def places(self, row: Sequence[str], dimensions: Sequence[str]) -> list[int]:
        """The numbers of all segments that hold a row."""
        told = dict(zip(dimensions, row, strict=True))
        return [
            place for place, values in enumerate(self.segments) if all(told[name] == value for name, value in values)
        ]

    def partial(self, rows: Iterable[CubeRow], dimensions: Sequence[str]) -> set[int]:
        """The segments of which some rows belong to another before them."""
        return {later for row in rows for later in self.places(row[0], dimensions)[1:]}


def search(rows: Sequence[CubeRow], dimensions: Sequence[str], days: tuple[int, int]) -> Found:
    """The segments of rows of one currency that explain their change, by the day."""
    if not rows:
        return Found(())
    columns = [name for name in ATTRIBUTES if name in dimensions]
    values = {name: [row[0][dimensions.index(name)] for row in rows] for name in columns}
    varied = [name for name in columns if len(set(values[name])) > 1]
    if not varied:
        return Found(())
    names = [sorted(set(values[name])) for name in varied]
    places = [{value: code for code, value in enumerate(known)} for known in names]
    codes = np.array([[known[value] for value in values[name]] for name, known in zip(varied, places, strict=True)]).T
    before, after = np.array([(float(row[2]), float(row[3])) for row in rows]).T / np.array(days, dtype=float)[:, None]
    money = (np.abs(before) + np.abs(after)) / 2
    mean = money.mean()
    # whatever moved much money is told, be it chance: it did happen
    told = SegmentSearch(most=MOST, least_share=LEAST_SHARE, noise=NOISE, cap=None, has_tails=False)
    found = told.fit(codes, before, after, weight=money / mean if mean else None)
    return Found(
        tuple(
            tuple((varied[attribute], names[attribute][code]) for attribute, code in segment.values)
            for segment in found.segments_
            if segment.values
        )
    )
