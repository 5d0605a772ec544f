"""The plan of a GPU cluster by its settings: what it says, promises and shows."""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_UP, Decimal
from math import ceil
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import add_up, less, split
from apps.finops.stakes import Place, Stake, in_cluster, of_resource
from apps.planning.drafts import (
    Action,
    Check,
    Draft,
    Settings,
)
from apps.planning.methods.gpu.giveback import LEAST_HOURS, GivenBack, overloads, shared_within, verify_moves
from apps.planning.methods.gpu.keeping import least_kept
from apps.planning.methods.gpu.kinds import Node, Rules
from apps.planning.methods.gpu.least import least_cards
from apps.planning.methods.gpu.verify import verify
from apps.planning.patches import SHARES
from apps.planning.planners.gpu_case import MIB, STEP, Case, case_of
from apps.planning.words import money, share

CENT, REACHED = Decimal("0.01"), Decimal("0.5")
"""Closer to the bound than half a unit of the currency is the bound itself, but for the solver's rounding."""
MODES = ("whole", "fractional", "mig")

GIVE = "Give back %(nodes)s of %(standing)s GPU nodes in %(cluster)s: %(pods)s pods move, one after another."
SHARING = "%(sharing)s pods share %(cards)s cards then; today every pod holds its own."
ALONE = "No two pods share a card then: what is given back is room that nobody uses."
KEEP = "Nothing can be given back in %(cluster)s: no node's pods find room on the others."
SIZES = "Pods ask for the most cores and memory they used in %(days)s days and 15 %%, not for what they ask for now."
OFFLINE = (
    "This packs again offline, with all pods known; schedulers such as FGD place each pod online as it comes, and "
    "reach less."
)
RISK = "On cards that are shared, peaks together exceed the card in %(worst)s of the hours of %(days)s days at most."
MARGIN = "Of every shared card %(room)s stay free; a pod is given the most memory of it that it held and 15 %%."
MORE = "At most %(more)s more cards could be given back, whatever the packing."
MORE_MONEY = "At most %(more)s more could be saved a month, whatever the packing."
BIND_HOST = "Cores and memory of the nodes bind, not the cards: with cards alone %(least)s of %(cards)s would do."
BIND_CARDS = "The cards bind: pods that share need %(least)s at least."
UNKNOWN_ISOLATION = "How pods disturb each other on a card beyond compute and memory, such as its buses and caches."
UNKNOWN_RESTART = "When pods may restart: those that move, and those whose card is shared from then on."
UNKNOWN_LATENCY = "What sharing does to the slowest answers; try it on one card first."
UNKNOWN_MEMORY = "%(count)s workloads keep their cards: their GPU memory, or the memory of their card, is not known."
TITLE = "Share GPUs in %(cluster)s and give back %(nodes)s nodes of %(pool)s"
EVIDENCE = "%(nodes)s: empty after the moves, %(price)s a month"
CHECKS = {
    "pods and nodes exist": "every pod has a place on a node that stays",
    "cores": "no node gives more cores than it has",
    "memory": "no node gives more memory than it has",
    "card models and pools": "pods stay on their card model and in their pool",
    "pods that stay apart": "replicas that stand apart stay apart",
    "number of cards": "every pod has its number of cards",
    "shares of cards": "no card is shared beyond itself, partitions are legal",
    "moves": "every move has room when it is made, and empties its node",
    "overload": "the hours beyond a card come out the same",
    "money": "the saving is what the leaving nodes cost",
}
VERDICTS = {"shares": SHARES, "alone": "has its card alone", "unknown": "memory not known"}


def make(data: bytes, settings: Settings) -> Draft:
    """The plan of one cluster by these settings."""
    case = case_of(data, settings)
    rules = Rules(MODES[int(settings["mode"])], STEP, int(settings["headroom"] * 10))
    found = shared_within(case.pods, case.nodes, rules, case.now, case.peaks, settings["overload"] / 100)
    price = {node.name: node.price for node in case.nodes}
    cost = add_up(Decimal(row[6]) for row in case.meta["nodes"])
    saving = add_up(price[name] for name in found.nodes)
    crowd = overloads(found.places, case.peaks)
    bounds = _bounds(case, found, rules, saving)
    return Draft(
        currency=case.meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=_says(case, found, settings), risks=_risks(case, crowd, settings),
        binds=_binds(case, bounds, saving),
        unknowns=(
            Sentence(UNKNOWN_ISOLATION), Sentence(UNKNOWN_LATENCY), Sentence(UNKNOWN_RESTART),
            *([Sentence(UNKNOWN_MEMORY, {"count": f"{len(case.unknown)}"})] if case.unknown else []),
        ),
        checks=_checks(case, found, rules, crowd, saving, price, settings["overload"] / 100),
        actions=_actions(case, found),
        tables={"moves": _moves(case, found), "cards": _cards(case, found), "workloads": _workloads(case, found),
                "nodes": [[name, *_node_row(case, name)] for name in found.nodes]},
        content=_content(case, found, crowd), settings=settings,
        billed_until=date.fromisoformat(case.meta["since"]),
        objective=None if bounds.saving is None else float(saving),
        bound=None if bounds.saving is None else float(bounds.saving),
    )  # fmt: skip


@dataclass(frozen=True)
class _Bounds:
    """What no packing can do better: the `cards` that stay, of them the `least`, and that were cards `alone` all that
    binds; the most that can be saved a month, None where it is not known."""

    cards: int
    least: int
    alone: int
    saving: Decimal | None


def _bounds(case: Case, found: GivenBack, rules: Rules, saving: Decimal) -> _Bounds:
    cards = sum(node.cards for node in case.nodes if node.name not in found.nodes)
    alone = least_cards(case.pods, case.nodes, found.places, rules)
    kept = least_kept(case.pods, case.nodes, rules, {node.name: float(node.cards) for node in case.nodes})
    least = alone if kept is None else max(alone, min(cards, ceil(kept)))
    paid = least_kept(case.pods, case.nodes, rules, {node.name: float(node.price) for node in case.nodes})
    if paid is None:
        return _Bounds(cards, least, alone, None)
    most = less(add_up(node.price for node in case.nodes), Decimal(str(paid)))
    is_reached = less(most, saving) <= REACHED
    return _Bounds(cards, least, alone, saving if is_reached else most.quantize(CENT, ROUND_UP))


def _sharing(found: GivenBack) -> dict[tuple[str, int], list[str]]:
    """The pods of every card that several share."""
    on: dict[tuple[str, int], list[str]] = {}
    for name, place in found.places.items():
        for card in place.cards:
            on.setdefault((place.node, card), []).append(name)
    return {card: names for card, names in on.items() if len(names) > 1}


def _says(case: Case, found: GivenBack, settings: Settings) -> tuple[Sentence, ...]:
    cluster = case.meta["cluster"]
    if not found.nodes:
        told = [Sentence(KEEP, {"cluster": cluster})]
    else:
        told = [
            Sentence(GIVE, {"nodes": f"{len(found.nodes)}", "standing": f"{len(case.meta['nodes'])}",
                            "cluster": cluster, "pods": f"{len(found.moves)}"}),
            said_sharing(_sharing(found)),
        ]  # fmt: skip
    if settings["size"]:
        told.append(Sentence(SIZES, {"days": f"{case.meta['days']}"}))
    return (*told, Sentence(OFFLINE))


def said_sharing(sharing: dict[tuple[str, int], list[str]]) -> Sentence:
    if not sharing:
        return Sentence(ALONE)
    return Sentence(SHARING, {"sharing": f"{sum(map(len, sharing.values()))}", "cards": f"{len(sharing)}"})


def _risks(case: Case, crowd: dict[tuple[str, int], float], settings: Settings) -> tuple[Sentence, ...]:
    margin = Sentence(MARGIN, {"room": share(settings["headroom"] / 100)})
    if not crowd:
        return (margin,)
    told = {"worst": share(max(crowd.values())), "days": f"{case.meta['days']}"}
    return (Sentence(RISK, told), margin)


def _binds(case: Case, bounds: _Bounds, saving: Decimal) -> tuple[Sentence, ...]:
    told = {"least": f"{bounds.alone}", "cards": f"{bounds.cards}"}
    more = Sentence(MORE, {"more": f"{max(0, bounds.cards - bounds.least)}"})
    paid = [] if bounds.saving is None else [
        Sentence(MORE_MONEY, {"more": money(less(bounds.saving, saving), case.meta)})
    ]  # fmt: skip
    return (*paid, more, Sentence(BIND_HOST if bounds.alone < bounds.cards else BIND_CARDS, told))


def _checks(
    case: Case, found: GivenBack, rules: Rules, crowd: dict[tuple[str, int], float], saving: Decimal,
    price: dict[str, Decimal], bound: float,
) -> tuple[Check, ...]:  # fmt: skip
    stays = [node for node in case.nodes if node.name not in found.nodes]
    told = [(one.name, one.is_met) for one in verify(found.pods, stays, rules, found.places)]
    moved = verify_moves(found.pods, case.nodes, case.now, found.moves, found.nodes)
    again = True
    for (node, card), part in crowd.items():
        names = [name for name, at in found.places.items() if at.node == node and card in at.cards]
        columns = zip(*(case.peaks[name].tolist() for name in names), strict=True)
        hours = [sum(column) for column in columns if all(value == value for value in column)]
        counted = sum(hour > 1 + 1e-6 for hour in hours) / max(len(hours), 1)
        again &= len(hours) >= LEAST_HOURS and abs(counted - part) <= 0.002 and counted <= bound + 0.002
    paid = sum((price[name] for name in set(found.nodes)), Decimal(0))
    told += [("moves", not moved), ("overload", again), ("money", paid == saving)]
    return tuple(Check(Sentence(CHECKS[name]), holds) for name, holds in told)


def _actions(case: Case, found: GivenBack) -> tuple[Action, ...]:
    """One for each pool, for whoever carries most of its leaving nodes."""
    pools: dict[str, list[Node]] = {}
    for node in case.nodes:
        if node.name in found.nodes and node.price > 0:
            pools.setdefault(node.pool, []).append(node)
    since = date.fromisoformat(case.meta["since"])
    return tuple(
        Action(
            subject=f"{case.meta['cluster']} {pool}", team=_payer(case, nodes),
            title=Sentence(TITLE, {"cluster": case.meta["cluster"], "nodes": f"{len(nodes)}", "pool": pool or "–"}),
            evidence=tuple(
                Sentence(EVIDENCE, {"nodes": node.name, "price": f"{node.price:,.2f} {case.meta['currency']}"})
                for node in nodes[:3]
            ),
            currency=case.meta["currency"], saving_per_month=add_up(node.price for node in nodes), since=since,
            scope={"cluster": case.meta["cluster"]} | ({"node_pool": pool} if pool else {}),
            stakes=_stakes(case, nodes),
        )
        for pool, nodes in sorted(pools.items())
    )  # fmt: skip


def _stakes(case: Case, nodes: list[Node]) -> tuple[Stake, ...]:
    """What leaving nodes cost by the cards of each: that of cards which pods hold now is spent on their workloads, the
    rest on the node."""
    found: dict[Place, list[Decimal]] = {}
    cluster, workload_of = case.meta["cluster"], case.workload_of
    if "resources" not in case.meta:
        return ()  # the numbers that an earlier version kept for its sliders do not tell
    for node in nodes:
        alone = of_resource(case.meta["resources"][node.name], case.teams[node.name], cluster)
        held: dict[Place, int] = {}
        for name, stands in case.now.items():
            if stands.node == node.name and stands.cards:
                number = workload_of[name]
                workload = in_cluster(cluster, case.meta["teams"][number], *case.meta["workloads"][number])
                held[workload] = held.get(workload, 0) + len(stands.cards)
        places = [*held, alone]
        weights = [*held.values(), max(0, node.cards - sum(held.values()))]
        parts = split(node.price, {f"{at:06d}": weight for at, weight in enumerate(weights)})
        for place, part in zip(places, parts.values(), strict=True):
            found.setdefault(place, []).append(part)
    return tuple(Stake(place, add_up(amounts)) for place, amounts in found.items() if any(amounts))


def _payer(case: Case, nodes: list[Node]) -> str:
    """Who carries most of what the nodes cost."""
    paid = {team: add_up(node.price for node in nodes if case.teams[node.name] == team)
            for team in sorted({case.teams[node.name] for node in nodes})}  # fmt: skip
    return max(paid, key=lambda team: paid[team])


def _node_row(case: Case, name: str) -> list[Any]:
    row = next(one for one in case.meta["nodes"] if one[0] == name)
    return [row[1], row[2], row[5], row[7], row[6]]


def _moves(case: Case, found: GivenBack) -> list[list[Any]]:
    pods = {pod.name: pod for pod in found.pods}
    return [
        [step, move.pod, move.source, move.target, ", ".join(f"{card}" for card in move.cards),
         pods[move.pod].share_milli / 1000 if pods[move.pod].cards else None, found.places[move.pod].profile]
        for step, move in enumerate(found.moves, start=1)
    ]  # fmt: skip


def _cards(case: Case, found: GivenBack) -> list[list[Any]]:
    """Which pods share which card, and under MIG the partition of each: its profile, and its first slice of memory."""
    pods = {pod.name: pod for pod in found.pods}
    rows = []
    for (node, card), names in sorted(_sharing(found).items()):
        for name in sorted(names, key=lambda one: (found.places[one].start, one)):
            pod, place = pods[name], found.places[name]
            workload = "/".join(case.meta["workloads"][case.workload_of[name]])
            first = place.start if place.profile else None
            gib = round(pod.card_memory_mib / MIB, 2) or None
            rows.append([node, card, workload, name, pod.share_milli / 1000, gib, place.profile, first])
    return rows


def _workloads(case: Case, found: GivenBack) -> list[list[Any]]:
    shared = {name for names in _sharing(found).values() for name in names}
    pods = {pod.name: pod for pod in found.pods}
    rows: dict[int, list[str]] = {}
    for name in pods:
        rows.setdefault(case.workload_of[name], []).append(name)
    told = []
    for workload, names in sorted(rows.items()):
        first = pods[names[0]]
        if not first.cards:
            continue
        verdict = "unknown" if workload in case.unknown else "shares" if shared & set(names) else "alone"
        told.append([*case.meta["workloads"][workload], len(names), first.share_milli / 1000,
                     round(first.card_memory_mib / MIB, 2) or None, round(first.cpu_milli / 1000, 2),
                     round(first.memory_mib / MIB, 2), found.places[names[0]].profile, VERDICTS[verdict]])  # fmt: skip
    return told


def _content(case: Case, found: GivenBack, crowd: dict[tuple[str, int], float]) -> dict[str, Any]:
    pools = sorted({node.pool for node in case.nodes})
    counted = {
        name: [sum(node.cards for node in case.nodes if node.pool == pool and (is_all or node.name not in found.nodes))
               for pool in pools]
        for name, is_all in (("before", True), ("after", False))
    }  # fmt: skip
    fullest = sorted(_sharing(found).items(), key=lambda one: (-crowd.get(one[0], 0.0), one[0]))[:3]
    lines = [
        [f"{node} #{card}", [round(float(one), 3) for one in np.sum([np.nan_to_num(case.peaks[name]) for name in names],
                                                                   axis=0)[-14 * 24:]]]
        for (node, card), names in fullest
    ]  # fmt: skip
    return counted | {"pools": pools, "lines": lines, "first": case.meta["first"] + 14 * 24}  # fmt: skip
