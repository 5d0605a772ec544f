"""The cheapest step schedule that holds what is needed: exact, by dynamic programming over levels.

In an optimum each step is as high as the most that is needed under it, so only heights that are needed somewhere come
into question; and a step that begins or ends amid constant need can be moved to an end of it at no more cost (the cost
is linear on the way), so only the minutes at which the need changes do. For each such span the cheapest schedule that
ends at each height costs the cheaper of staying and of changing from the cheapest of all: spans x heights steps.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from apps.planning.methods.schedule.problem import Ints, Limits, Span, joined


def cheapest(needs: Sequence[Span], limits: Limits, *, cycles: bool = False) -> list[Span]:
    """Steps that hold `needs`, consecutive spans, at the least replica-minutes plus `limits.change_minutes` per change.

    Where more is needed than `limits.most`, the limit is all there is. With `cycles` the end meets the beginning again,
    and a change between them counts too; else the first height costs no change.
    """
    held = joined([Span(span.start, span.end, _within(span.replicas, limits)) for span in needs])
    if not held:
        return []
    if not cycles:
        return _steps(held, _heights(held, limits.change_minutes, None))
    top = max(range(len(held)), key=lambda place: held[place].replicas)
    turned = held[top:] + held[:top]
    heights = _heights(turned, limits.change_minutes, held[top].replicas)
    back = len(held) - top
    return _steps(held, heights[back:] + heights[:back])


def cost(steps: Sequence[Span], limits: Limits, *, cycles: bool = False) -> int:
    """What steps cost, in replica-minutes."""
    changes = sum(before.replicas != after.replicas for before, after in pairwise(steps))
    if cycles and steps and steps[0].replicas != steps[-1].replicas:
        changes += 1
    return sum(step.replicas * step.minutes for step in steps) + changes * limits.change_minutes


def _within(replicas: int, limits: Limits) -> int:
    raised = max(replicas, limits.least)
    return raised if limits.most is None else min(raised, limits.most)


def _heights(spans: Sequence[Span], change: int, closing: int | None) -> list[int]:
    """The height of each span in an optimum; with `closing` the first span has this height, and the last returns to
    it."""
    levels: Ints = np.array(sorted({span.replicas for span in spans}), dtype=np.int64)
    never = np.int64(2**62)
    paid: Ints = np.zeros(len(levels), dtype=np.int64)
    if closing is not None:
        paid = np.where(levels == closing, 0, never)
    came_from: list[Ints] = []
    for place, span in enumerate(spans):
        before = np.arange(len(levels))
        if place:
            cheapest_before = int(paid.argmin())
            changes = paid[cheapest_before] + change < paid
            before = np.where(changes, cheapest_before, before)
            paid = np.where(changes, paid[cheapest_before] + change, paid)
        came_from.append(before)
        reachable = (levels >= span.replicas) & (paid < never)
        paid = np.where(reachable, paid + levels * span.minutes, never)
    if closing is not None:
        paid = np.where(paid < never, paid + np.where(levels == closing, 0, change), never)
    at = int(paid.argmin())
    found: list[int] = []
    for before in reversed(came_from):
        found.append(int(levels[at]))
        at = int(before[at])
    return found[::-1]


def _steps(spans: Sequence[Span], heights: Sequence[int]) -> list[Span]:
    return joined([Span(span.start, span.end, height) for span, height in zip(spans, heights, strict=True)])
