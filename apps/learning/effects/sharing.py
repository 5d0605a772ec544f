"""Overlapping initiatives share what they saved together: by Shapley, and to the last decimal."""

from collections.abc import Collection, Mapping
from decimal import Context, Decimal
from fractions import Fraction
from itertools import combinations
from math import factorial

from apps.learning.effects.study import EffectError

MOST_PLAYERS = 8
_EXACT = Context(prec=100)
"""Python's own minus rounds to twenty-eight digits."""


def shapley(values: Mapping[frozenset[str], float]) -> dict[str, float]:
    """The share of each player in what all save together: the mean of what it adds, over all orders of joining.

    `values` tells the saving of every coalition (the empty one saves nothing). The shares add up to the saving of all:
    however large the savings claimed one by one, no more is shared than was saved. Source: Shapley (1953).
    """
    players = sorted(frozenset[str]().union(*values))
    told = {frozenset[str](): 0.0, **values}
    missing = [sorted(one) for one in coalitions(players) if one not in told]
    if missing:
        raise EffectError(f"what {' + '.join(missing[0])} saves together is not told")
    count = len(players)
    return {
        player: sum(
            factorial(len(others))
            * factorial(count - len(others) - 1)
            / factorial(count)
            * (told[others | {player}] - told[others])
            for others in coalitions([other for other in players if other != player])
        )
        for player in players
    }


def coalitions(players: Collection[str]) -> list[frozenset[str]]:
    """All sets of players, the empty one first; of more than `MOST_PLAYERS` there are too many."""
    if len(players) > MOST_PLAYERS:
        raise EffectError(f"at most {MOST_PLAYERS} initiatives share exactly; there are {len(players)}")
    return [frozenset(some) for size in range(len(players) + 1) for some in combinations(sorted(players), size)]


def capped(alone: Mapping[str, float], together: float) -> dict[frozenset[str], float]:
    """The savings of coalitions where only each alone and all together were measured.

    A coalition is taken to save what its members do alone, but no more than all together; what all save beyond the sum
    of each is shared like the rest. Nothing below zero: an initiative that cost more shares in no saving of others.
    """
    told = {name: max(saving, 0.0) for name, saving in alone.items()}
    some = {one: min(sum(told[name] for name in one), max(together, 0.0)) for one in coalitions(told)}
    return {**some, frozenset(told): together}


def split_exactly(total: Decimal, shares: Mapping[str, float], *, places: int = 6) -> dict[str, Decimal]:
    """`total` in proportion to shares, each part rounded to so many places; the parts add up to exactly `total`.

    Rounded are running sums, so that what rounding leaves goes to the next and nothing is lost. Where the shares add
    up to nothing, all get the same. A total with more places than `places` keeps the rest in the last part.
    """
    if not shares:
        raise EffectError("nobody is there to share")
    exact = {name: Fraction(share) for name, share in sorted(shares.items())}
    whole = sum(exact.values())
    if not whole:
        exact, whole = dict.fromkeys(exact, Fraction(1)), Fraction(len(exact))
    parts: dict[str, Decimal] = {}
    running, given = Fraction(0), Decimal(0)
    for name, share in exact.items():
        running += share
        upto = (
            total
            if running == whole and name == list(exact)[-1]
            else _rounded(Fraction(total) * running / whole, places)
        )
        parts[name] = _EXACT.subtract(upto, given)
        given = upto
    return parts


def _rounded(number: Fraction, places: int) -> Decimal:
    return Decimal(round(number * 10**places)).scaleb(-places, context=_EXACT)
