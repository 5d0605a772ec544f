"""The fewest cards that sharing pods need when nothing but the cards binds: cutting stock over full ways to share."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from apps.learning.threads import alone
from apps.planning.methods.gpu.cards import Card, Size, patterns


class TooManySizes(ArithmeticError):
    """There are more ways to share a card than can be listed."""


@dataclass(frozen=True)
class Fewest:
    """So many cards suffice, and no fewer than `bound` can."""

    cards: int
    bound: int

    @property
    def is_optimal(self) -> bool:
        return self.cards == self.bound


@alone
def fewest_cards(wanted: Mapping[Size, int], card: Card, *, seconds: float) -> Fewest:
    """How many cards pods of these sizes need, so many of each; solved for at most so many seconds."""
    from scipy.optimize import LinearConstraint, linprog, milp
    from scipy.sparse import csc_matrix

    ways = patterns(card, wanted)
    if ways is None:
        raise TooManySizes(
            f"{len(wanted)} different shares can fill a card in too many ways. Round them up to larger steps."
        )
    sizes = list(wanted)
    held = csc_matrix([[float(way.get(size, 0)) for way in ways] for size in sizes])
    need = np.array([float(wanted[size]) for size in sizes])
    least = linprog(np.ones(len(ways)), A_ub=-held, b_ub=-need, method="highs")  # type: ignore[call-overload]  # sparse
    bound = int(np.ceil(float(least.fun) - 1e-6))
    done = milp(
        np.ones(len(ways)), integrality=np.ones(len(ways), dtype=np.int64),
        constraints=[LinearConstraint(held, need, np.inf), LinearConstraint(np.ones((1, len(ways))), bound, np.inf)],
        options={"time_limit": seconds},
    )  # fmt: skip
    whole = done.x if done.x is not None else np.ceil(least.x - 1e-9)
    return Fewest(int(np.round(whole).sum()), bound)
