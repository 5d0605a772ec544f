"""GPU sharing: which pods share a card, which nodes can be given back, and the moves that get there."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.colours import OTHERS, PALETTE
from apps.charts.figures import Figure
from apps.charts.plans import Axis, Mark, Series, over
from apps.finops.findings import Sentence
from apps.finops.money import add_up
from apps.planning.arrays import unpack
from apps.planning.drafts import (
    Action,
    Check,
    Column,
    Draft,
    Export,
    FigureShape,
    Planner,
    Settings,
    Slider,
    TableShape,
)
from apps.planning.methods.gpu.giveback import LEAST_HOURS, GivenBack, overloads, shared_within, verify_moves
from apps.planning.methods.gpu.kinds import FULL, Node, Place, Pod, Rules
from apps.planning.methods.gpu.least import least_cards
from apps.planning.methods.gpu.verify import verify
from apps.planning.patches import SHARES, sharing
from apps.planning.reading.gpu import card_of as model_of
from apps.planning.reading.gpu import read
from apps.planning.words import moments, share

MODES = ("whole", "fractional", "mig")
STEP = 50
"""Shares are rounded up to a twentieth of a card."""
SIZED = 1.15
MIB = 1024

GIVE = "Give back %(nodes)s of %(standing)s GPU nodes in %(cluster)s: %(pods)s pods move, one after another."
SHARING = "%(sharing)s pods share %(cards)s cards then; today every pod holds its own."
KEEP = "Nothing can be given back in %(cluster)s: no node's pods find room on the others."
SIZES = "Pods ask for the most cores and memory they used in %(days)s days and 15 %%, not for what they ask for now."
OFFLINE = (
    "This packs again offline, with all pods known; schedulers such as FGD place each pod online as it comes, and "
    "reach less."
)
RISK = "On cards that are shared, peaks together exceed the card in %(worst)s of the hours of %(days)s days at most."
MARGIN = "Of every shared card %(room)s stay free; a pod is given the most memory of it that it held and 15 %%."
MORE = "At most %(more)s more cards could be given back, whatever the packing."
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


@dataclass(frozen=True)
class _Case:
    """The numbers of a cluster as pods, nodes and what pods used."""

    meta: dict[str, Any]
    pods: list[Pod]
    nodes: list[Node]
    now: dict[str, Place]
    peaks: dict[str, Any]
    teams: dict[str, str]
    unknown: set[int]

    @property
    def workload_of(self) -> dict[str, int]:
        return {row[0]: row[1] for row in self.meta["pods"]}


def _case(data: bytes, settings: Settings) -> _Case:
    meta, arrays = unpack(data)
    nodes, teams = [], {}
    for name, pool, kind, cores, gib, cards, price, team in meta["nodes"]:
        model, card_gib = model_of(kind)
        nodes.append(Node(name, int(cores * 1000), int(gib * MIB), cards, model, card_gib * MIB, pool, Decimal(price)))
        teams[name] = team
    known = {node.name: node for node in nodes}
    apart = _apart(meta)
    pods, now, peaks, unknown = [], {}, {}, set()
    used: dict[str, int] = {}
    for row in meta["pods"]:
        name, workload, node, cards = row[:4]
        if node not in known:
            continue
        is_known = meta["card_gib"][workload] is not None and known[node].card_memory_mib
        if cards and not is_known:
            unknown.add(workload)
        pods.append(_pod(row, known[node], meta, arrays["peaks"][workload], workload in apart, settings))
        first = used.get(node, 0)
        used[node] = first + cards
        now[name] = Place(node, tuple(range(first, first + cards)))
        peaks[name] = arrays["peaks"][workload]
    fits = {node: used.get(node, 0) <= known[node].cards for node in known}
    kept = [pod for pod in pods if fits[now[pod.name].node]]
    names = {pod.name for pod in kept}
    places = {name: place for name, place in now.items() if name in names}
    return _Case(meta, kept, [node for node in nodes if fits[node.name]], places, peaks, teams, unknown)


def _apart(meta: dict[str, Any]) -> set[int]:
    """Workloads whose pods stand on nodes of their own today."""
    on: dict[int, list[str]] = {}
    for _name, workload, node, *_rest in meta["pods"]:
        on.setdefault(workload, []).append(node)
    return {workload for workload, nodes in on.items() if len(nodes) > 1 and len(set(nodes)) == len(nodes)}


def _pod(row: list[Any], node: Node, meta: dict[str, Any], peaks: Any, is_apart: bool, settings: Settings) -> Pod:
    name, workload, _node, cards, cpu, gib, cpu_used, gib_used = row
    if settings["size"]:
        cpu, gib = min(cpu, cpu_used * SIZED), min(gib, gib_used * SIZED)
    held = meta["card_gib"][workload]
    is_known = held is not None and node.card_memory_mib > 0 and (~np.isnan(peaks)).sum() >= LEAST_HOURS
    shares = cards == 1 and is_known
    highest = float(np.nanquantile(peaks, 1 - settings["overload"] / 100)) if shares else 1.0
    milli = min(FULL, max(STEP, int(np.ceil(highest * 1000)))) if shares else FULL
    return Pod(
        name, int(np.ceil(cpu * 1000)), int(np.ceil(gib * MIB)), cards, milli,
        _held(held, node) if shares else 0, frozenset({node.model}), frozenset({node.pool}),
        f"{workload}" if is_apart else "",
    )  # fmt: skip


def _held(gib: float, node: Node) -> int:
    """The memory of a card that a pod is given, in whole GiB as sharing counts it: what it held at most and a margin,
    never more than the card has."""
    return min(int(np.ceil(gib * SIZED)) * MIB, node.card_memory_mib)


def make(data: bytes, settings: Settings) -> Draft:
    """The plan of one cluster by these settings."""
    case = _case(data, settings)
    rules = Rules(MODES[int(settings["mode"])], STEP, int(settings["headroom"] * 10))
    found = shared_within(case.pods, case.nodes, rules, case.now, case.peaks, settings["overload"] / 100)
    price = {node.name: node.price for node in case.nodes}
    cost = add_up(Decimal(row[6]) for row in case.meta["nodes"])
    saving = add_up(price[name] for name in found.nodes)
    crowd = overloads(found.places, case.peaks)
    cards = sum(node.cards for node in case.nodes if node.name not in found.nodes)
    least = least_cards(case.pods, case.nodes, found.places, rules)
    return Draft(
        currency=case.meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=_says(case, found, settings), risks=_risks(case, crowd, settings),
        binds=_binds(found, cards, least),
        unknowns=(
            Sentence(UNKNOWN_ISOLATION), Sentence(UNKNOWN_LATENCY), Sentence(UNKNOWN_RESTART),
            *([Sentence(UNKNOWN_MEMORY, {"count": f"{len(case.unknown)}"})] if case.unknown else []),
        ),
        checks=_checks(case, found, rules, crowd, saving, price, settings["overload"] / 100),
        actions=_actions(case, found),
        tables={"moves": _moves(case, found), "workloads": _workloads(case, found),
                "nodes": [[name, *_node_row(case, name)] for name in found.nodes]},
        content=_content(case, found, crowd), settings=settings,
        objective=float(cards), bound=float(least) if least else None,
    )  # fmt: skip


def _sharing(found: GivenBack) -> dict[tuple[str, int], list[str]]:
    """The pods of every card that several share."""
    on: dict[tuple[str, int], list[str]] = {}
    for name, place in found.places.items():
        for card in place.cards:
            on.setdefault((place.node, card), []).append(name)
    return {card: names for card, names in on.items() if len(names) > 1}


def _says(case: _Case, found: GivenBack, settings: Settings) -> tuple[Sentence, ...]:
    cluster = case.meta["cluster"]
    if not found.nodes:
        told = [Sentence(KEEP, {"cluster": cluster})]
    else:
        sharing = _sharing(found)
        told = [
            Sentence(GIVE, {"nodes": f"{len(found.nodes)}", "standing": f"{len(case.meta['nodes'])}",
                            "cluster": cluster, "pods": f"{len(found.moves)}"}),
            Sentence(SHARING, {"sharing": f"{sum(map(len, sharing.values()))}", "cards": f"{len(sharing)}"}),
        ]  # fmt: skip
    if settings["size"]:
        told.append(Sentence(SIZES, {"days": f"{case.meta['days']}"}))
    return (*told, Sentence(OFFLINE))


def _risks(case: _Case, crowd: dict[tuple[str, int], float], settings: Settings) -> tuple[Sentence, ...]:
    told = {"worst": share(max(crowd.values(), default=0.0)), "days": f"{case.meta['days']}"}
    return (Sentence(RISK, told), Sentence(MARGIN, {"room": share(settings["headroom"] / 100)}))


def _binds(found: GivenBack, cards: int, least: int) -> tuple[Sentence, ...]:
    told = {"least": f"{least}", "cards": f"{cards}"}
    bound = Sentence(BIND_HOST if least < cards else BIND_CARDS, told)
    return (Sentence(MORE, {"more": f"{max(0, cards - least)}"}), bound)


def _checks(
    case: _Case, found: GivenBack, rules: Rules, crowd: dict[tuple[str, int], float], saving: Decimal,
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


def _actions(case: _Case, found: GivenBack) -> tuple[Action, ...]:
    """One for each pool, for whoever carries most of its leaving nodes."""
    pools: dict[str, list[Node]] = {}
    for node in case.nodes:
        if node.name in found.nodes and node.price > 0:
            pools.setdefault(node.pool, []).append(node)
    since = datetime.fromisoformat(case.meta["since"]).date()
    return tuple(
        Action(
            subject=f"{case.meta['cluster']} {pool}", team=_payer(case, nodes),
            title=Sentence(TITLE, {"cluster": case.meta["cluster"], "nodes": f"{len(nodes)}", "pool": pool or "–"}),
            evidence=tuple(
                Sentence(EVIDENCE, {"nodes": node.name, "price": f"{node.price:,.2f} {case.meta['currency']}"})
                for node in nodes[:3]
            ),
            currency=case.meta["currency"], saving_per_month=add_up(node.price for node in nodes), since=since,
        )
        for pool, nodes in sorted(pools.items())
    )  # fmt: skip


def _payer(case: _Case, nodes: list[Node]) -> str:
    """Who carries most of what the nodes cost."""
    paid = {team: add_up(node.price for node in nodes if case.teams[node.name] == team)
            for team in sorted({case.teams[node.name] for node in nodes})}  # fmt: skip
    return max(paid, key=lambda team: paid[team])


def _node_row(case: _Case, name: str) -> list[Any]:
    row = next(one for one in case.meta["nodes"] if one[0] == name)
    return [row[1], row[2], row[5], row[7], row[6]]


def _moves(case: _Case, found: GivenBack) -> list[list[Any]]:
    pods = {pod.name: pod for pod in found.pods}
    return [
        [step, move.pod, move.source, move.target, ", ".join(f"{card}" for card in move.cards),
         pods[move.pod].share_milli / 1000 if pods[move.pod].cards else None]
        for step, move in enumerate(found.moves, start=1)
    ]  # fmt: skip


def _workloads(case: _Case, found: GivenBack) -> list[list[Any]]:
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


def _content(case: _Case, found: GivenBack, crowd: dict[tuple[str, int], float]) -> dict[str, Any]:
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


def draw(draft: Draft, what: str) -> Figure:
    """Cards by pool before and after, or the fullest shared cards hour by hour."""
    content = draft.content
    if what == "cards":
        names = [pool or "–" for pool in content["pools"]]
        bars = [
            {"type": "bar", "name": title, "x": names, "y": content[key], "marker": {"color": colour},
             "hovertemplate": f"%{{x}}<br><b>%{{y}}</b> {title}<extra></extra>"}
            for title, key, colour in ((_("cards now"), "before", OTHERS), (_("cards kept"), "after", PALETTE[0]))
        ]  # fmt: skip
        drawn = over(Axis("", []), [], unit="")
        drawn["layout"]["xaxis"] |= {"type": "category"}
        return drawn | {"data": bars, "layout": drawn["layout"] | {"barmode": "group", "bargap": 0.4}}
    series = [Series(name, values, PALETTE[place], "line") for place, (name, values) in enumerate(content["lines"])]
    hours = moments(content["first"], max((len(one.values) for one in series), default=0))
    return over(Axis("", hours, is_time=True), series, unit=_("of a card"), marks=[Mark("y", 1)])


PLANNER = Planner(
    name="gpu",
    title=gettext_lazy("GPU sharing"),
    about=gettext_lazy("Which pods can share a card, which GPU nodes that frees, and the moves that get there."),
    version="1",
    read=read,
    make=make,
    draw=draw,
    sliders=(
        Slider("mode", gettext_lazy("Whole cards (0), shares (1), or MIG partitions (2)"), 0, 2, 1, 1),
        Slider("headroom", gettext_lazy("Kept free of a shared card"), 0, 50, 5, 10, "%"),
        Slider("overload", gettext_lazy("Hours in which peaks may exceed a card"), 0, 5, 0.1, 0.5, "%"),
        Slider("size", gettext_lazy("Cores and memory as used (1) or as asked for (0)"), 0, 1, 1, 1),
    ),
    tables=(
        TableShape(
            "nodes", gettext_lazy("Nodes given back"),
            (
                Column("node", gettext_lazy("Node")),
                Column("pool", gettext_lazy("Pool")),
                Column("instance_type", gettext_lazy("Instance type")),
                Column("cards", gettext_lazy("Cards"), "number"),
                Column("team", gettext_lazy("Team"), "team"),
                Column("price", gettext_lazy("Saves a month"), "money"),
            ),
        ),
        TableShape(
            "moves", gettext_lazy("Moves, in their order"),
            (
                Column("step", gettext_lazy("Step"), "number"),
                Column("pod", gettext_lazy("Pod")),
                Column("source", gettext_lazy("From")),
                Column("target", gettext_lazy("To")),
                Column("card", gettext_lazy("Card")),
                Column("share", gettext_lazy("Share"), "share"),
            ),
        ),
        TableShape(
            "workloads", gettext_lazy("Workloads"),
            (
                Column("namespace", gettext_lazy("Namespace")),
                Column("workload", gettext_lazy("Workload")),
                Column("pods", gettext_lazy("Pods"), "number"),
                Column("share", gettext_lazy("Share"), "share"),
                Column("card_gib", gettext_lazy("GiB of the card"), "number"),
                Column("cores", gettext_lazy("Cores"), "number"),
                Column("gib", gettext_lazy("GiB"), "number"),
                Column("partition", gettext_lazy("Partition")),
                Column("verdict", gettext_lazy("Verdict"), "words"),
            ),
        ),
    ),
    figures=(
        FigureShape("cards", gettext_lazy("Cards by pool"), gettext_lazy("cards")),
        FigureShape("hours", gettext_lazy("The fullest shared cards, hour by hour"), gettext_lazy("of a card")),
    ),
    exports=(Export("sharing.yaml", "text/yaml", sharing),),
)  # fmt: skip
