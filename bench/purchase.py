"""Buying commitments month by month, beside two rules, in the regret against hindsight.

    python -m bench.purchase --data DIR      # reads series, vm and crane in DIR; without it generated worlds only

Every month a rule sees the past alone and may buy 12-month commitments at 0.65 of the on-demand price; what is not covered is
paid on demand. Regret = (cost − cost of the best purchases known afterwards) ÷ that cost; the best are a linear programme's.
The rules: `quantile` covers what all past hours exceeded 65 % of the time, `P10 floor` what the hours of the last month
exceeded 90 % of the time; both buy the whole gap at once. The stance was chosen on seeds 0 to 159; 100,000 on are scored.
"""

import argparse
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np

from apps.learning.threads import alone
from apps.planning.methods.purchase import hindsight, ladder
from apps.planning.methods.purchase.terms import Offer, Stance
from bench.measure import report
from bench.purchase_worlds import World, generated, real

YEAR = Offer("1 year", "reserved", 12, Decimal("0.65"))
QUARTER = Offer("3 months", "reserved", 3, Decimal("0.80"))
FIRST_SEED = 100_000
MEAN_GOAL, P95_GOAL = 0.05, 0.15
Rule = Callable[[np.ndarray, np.ndarray], list[float]]
"""Past months and what is held in the coming ones → what to buy of each offer."""


def quantile(past: np.ndarray, covers: np.ndarray) -> list[float]:
    return [max(0.0, float(np.quantile(past, 1 - float(YEAR.ratio))) - covers[0])]


def floor(past: np.ndarray, covers: np.ndarray) -> list[float]:
    return [max(0.0, float(np.quantile(past[-1], 0.1)) - covers[0])]


def on_demand(past: np.ndarray, covers: np.ndarray) -> list[float]:
    return [0.0]


def ours(offers: list[Offer], stance: Stance) -> Rule:
    return lambda past, covers: ladder.amounts(past.ravel(), covers, offers, stance)


def lived(world: World, rule: Rule, offers: list[Offer]) -> float:
    """What demand costs when a rule buys month by month."""
    months = len(world.demand)
    bought = np.zeros((len(offers), months))
    covers = np.zeros(months + max(one.term_months for one in offers))
    for month in range(world.known, months):
        told = rule(world.demand[:month], covers[month : month + max(one.term_months for one in offers)])
        for place, (offer, amount) in enumerate(zip(offers, told, strict=True)):
            bought[place, month] = amount
            covers[month : month + offer.term_months] += amount
    return hindsight.cost(world.demand[world.known :], bought[:, world.known :], offers)


def regrets(worlds: list[World], rules: dict[str, tuple[Rule, list[Offer]]]) -> dict[str, np.ndarray]:
    """A regret per rule and world; the best is that with the offers of the rule."""
    found: dict[str, list[float]] = {name: [] for name in rules}
    for world in worlds:
        best = {}
        for name, (rule, offers) in rules.items():
            key = tuple(one.name for one in offers)
            if key not in best:
                best[key] = hindsight.best(world.demand[world.known :], offers).cost
            found[name].append(lived(world, rule, offers) / best[key] - 1)
    return {name: np.array(told) for name, told in found.items()}


def tell(title: str, worlds: list[World], rules: dict[str, tuple[Rule, list[Offer]]]) -> dict[str, np.ndarray]:
    found = regrets(worlds, rules)
    print(f"{title}: {len(worlds)} worlds")
    for name, told in found.items():
        print(f"  {name:24s} mean {told.mean():6.1%}  p95 {np.quantile(told, 0.95):6.1%}  worst {told.max():6.1%}")
    return found


@alone
def main(folder: Path | None, worlds: int, first: int, by_kind: bool) -> None:
    begun = time.process_time()
    year = {"ours": (ours([YEAR], Stance()), [YEAR]), "quantile": (quantile, [YEAR]), "P10 floor": (floor, [YEAR]),
            "on demand only": (on_demand, [YEAR])}  # fmt: skip
    also = {"ours, 3 months too": (ours([YEAR, QUARTER], Stance()), [YEAR, QUARTER])}
    told = generated(range(first, first + worlds))
    found = tell(f"generated, seeds {first} on, 12 months known, 24 bought", told, year | also)
    if by_kind:
        for kind in sorted({world.kind for world in told}):
            tell(f"  {kind}", [world for world in told if world.kind == kind], year)
    measured = {"mean_regret": float(found["ours"].mean()), "p95_regret": float(np.quantile(found["ours"], 0.95))}
    goal = {"mean_regret": MEAN_GOAL, "p95_regret": P95_GOAL}
    for name, series in (real(folder) if folder else {}).items():
        scores = tell(name, series, year)
        key = name.split(",")[0].lower()
        measured |= {f"{key}_mean_regret": float(scores["ours"].mean()),
                     f"{key}_p95_regret": float(np.quantile(scores["ours"], 0.95))}  # fmt: skip
    report("purchase", measured | {"cpu_seconds": time.process_time() - begun}, goal)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder of the public series; without it only generated worlds")
    parser.add_argument("--worlds", type=int, default=200, help="how many worlds are generated")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED, help="the seed of the first world")
    parser.add_argument("--by-kind", action="store_true", help="tell the regrets of each kind of world too")
    asked = parser.parse_args()
    sys.exit(main(asked.data, asked.worlds, asked.first_seed, asked.by_kind))
