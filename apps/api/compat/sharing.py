"""Sharing idle and common cost out between allocations, in exact parts: nothing is lost or gained."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from datetime import date
from decimal import Context, Decimal
from typing import TypeVar

from apps.api.compat.parts import COMPUTE, Part, merged
from apps.finops.money import SCALE, add_up, split

_EXACT = Context(prec=100)
_Key = TypeVar("_Key", bound=Hashable)


def share_idle(parts: list[Part]) -> list[Part]:
    """Idle cost goes to what ran in the same place on the same day, in proportion to its compute cost.

    CPU, memory and GPU each by themselves; one that nobody used goes by all three together. Where nothing ran, idle
    stays idle.
    """
    rest = [part for part in parts if not part.is_idle]
    takers = _by(rest, _where)
    for where, idle in _by((part for part in parts if part.is_idle), _where).items():
        if not _give(merged(idle), takers.get(where, [])):
            rest.extend(idle)
    return rest


def _where(part: Part) -> tuple[date, tuple[str, ...]]:
    return part.day, part.place


def _give(idle: Part, takers: list[Part]) -> bool:
    """Whether idle cost could be given to these allocations."""
    together = [add_up(taker.cost[component] for component in COMPUTE) for taker in takers]
    if not _weigh(together):
        return False
    shares = {}
    for component in COMPUTE:
        own = [taker.cost[component] for taker in takers]
        shares[component] = divided(idle.cost[component], own if _weigh(own) else together)
    for component, given in shares.items():
        for taker, share in zip(takers, given, strict=True):
            taker.cost[component] = add_up((taker.cost[component], share))
            taker.idle[component] = add_up((taker.idle[component], share))
    return True


def _weigh(weights: list[Decimal]) -> bool:
    return any(weight > 0 for weight in weights)


def divided(cost: Decimal, weights: list[Decimal]) -> list[Decimal]:
    """Exact parts of a cost in proportion to weights; a negative weight weighs nothing."""
    whole = {f"{at:09d}": max(0, int(weight.scaleb(SCALE, context=_EXACT))) for at, weight in enumerate(weights)}
    return [part for _, part in sorted(split(cost, whole).items())]


def share_common(parts: list[Part], *, evenly: bool) -> list[Part]:
    """Common cost goes to every other allocation of the day, in proportion to its cost or evenly.

    It becomes their shared cost. Idle allocations take nothing; where nobody is left to share with, it stays.
    """
    rest = [part for part in parts if not part.is_shared]
    takers = _by((part for part in rest if not part.is_idle), lambda part: part.day)
    for day, common in _by((part for part in parts if part.is_shared), lambda part: part.day).items():
        weights = _evenly(takers.get(day, [])) if evenly else [taker.total for taker in takers.get(day, [])]
        if not _weigh(weights):
            rest.extend(common)
            continue
        cost = add_up(part.total for part in common)
        for taker, share in zip(takers[day], divided(cost, weights), strict=True):
            taker.cost["shared"] = add_up((taker.cost["shared"], share))
    return rest


def _evenly(takers: list[Part]) -> list[Decimal]:
    """One weight for each name, carried by one of its parts that is told, if there is one."""
    carriers = {taker.name: at for at, taker in sorted(enumerate(takers), key=lambda pair: pair[1].is_kept)}
    return [Decimal(carriers[taker.name] == at) for at, taker in enumerate(takers)]


def _by(parts: Iterable[Part], key: Callable[[Part], _Key]) -> dict[_Key, list[Part]]:
    found: dict[_Key, list[Part]] = defaultdict(list)
    for part in parts:
        found[key(part)].append(part)
    return dict(found)
