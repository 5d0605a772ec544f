"""A GPU cluster as it stands: its pods, what they need of a card, its nodes, and what pods used."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np

from apps.planning.arrays import unpack
from apps.planning.drafts import (
    Settings,
)
from apps.planning.methods.gpu.giveback import LEAST_HOURS
from apps.planning.methods.gpu.kinds import FULL, Node, Place, Pod
from apps.planning.reading.gpu import card_of as model_of

STEP = 50
"""Shares are rounded up to a twentieth of a card."""
SIZED = 1.15
MIB = 1024


@dataclass(frozen=True)
class Case:
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


def case_of(data: bytes, settings: Settings) -> Case:
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
    return Case(meta, kept, [node for node in nodes if fits[node.name]], places, peaks, teams, unknown)


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
