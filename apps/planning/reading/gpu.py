"""What GPU sharing is planned from: pods that hold cards now, what they used of them hour by hour, and the nodes."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter or quoted

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.tables import NODE_HOURS, WORKLOAD_HOURS, WORKLOAD_PEAKS
from apps.insights.idle.ledger import Ledger, per_month
from apps.insights.idle.listening import Hours
from apps.marts.models import Publication
from apps.planning.arrays import pack
from apps.planning.drafts import Case
from apps.planning.metering import AGENTS, LASTING, Metering, Stood, payers

DAY = 24
DAYS, LEAST_DAYS = 28, 7
NEWEST = 2
"""Hours: what was seen in none of the last so many is gone."""
NO_NODES = "%(cluster)s: no GPU node that stands is found in the bill, so nothing can be priced."
NO_PODS = "%(cluster)s: no lasting work holds a GPU on a node that stands."
NO_PEAKS = "%(cluster)s: the use of its GPUs is not metered, so nobody knows what can share a card."
THIN = "%(cluster)s: the use of GPUs is known for %(days)s days; sharing needs %(least)s."
CARDS = {
    "gn5": ("P100", 16), "gn5i": ("P4", 8), "gn6v": ("V100", 16), "gn6e": ("V100", 32), "gn6i": ("T4", 16),
    "gn7": ("A100", 40), "gn7e": ("A100", 80), "gn7i": ("A10", 24), "gn7s": ("A30", 24), "gn8is": ("L20", 48),
    "g4dn": ("T4", 16), "g5": ("A10G", 24), "g6": ("L4", 24), "g6e": ("L40S", 48), "p3": ("V100", 16),
    "p3dn": ("V100", 32), "p4d": ("A100", 40), "p4de": ("A100", 80), "p5": ("H100", 80), "g2": ("L4", 24),
    "a2-highgpu": ("A100", 40), "a2-ultragpu": ("A100", 80), "a3-highgpu": ("H100", 80), "nc4as": ("T4", 16),
    "nc8as": ("T4", 16), "nc16as": ("T4", 16), "nc64as": ("T4", 16), "nc24ads": ("A100", 80), "nc48ads": ("A100", 80),
    "nc96ads": ("A100", 80),
}  # fmt: skip
"""A family of instances → its card and the card's GiB. Pods on any other keep their cards."""


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every cluster with GPUs."""
    metering = Metering.of(pinned, now)
    if metering is None:
        return
    for cluster, own in metering.clusters():
        nodes = [node for node in own.nodes(cluster, own.costed) if node.gpus]
        if nodes:
            end, there = _newest(own, cluster)
            yield _case(own, cluster, [node for node in nodes if node.stands and node.node in there], end)


def card_of(instance_type: str) -> tuple[str, int]:
    """The model of an instance type's cards and their GiB; 0 where it is not known."""
    name = instance_type.lower().removeprefix("ecs.").removeprefix("standard_")
    words = re.split(r"[._-]", name)
    for family in ("-".join(words[:2]), words[0]):
        if family in CARDS:
            return CARDS[family]
    return instance_type, 0


def _newest(metering: Metering, cluster: str) -> tuple[int, set[str]]:
    """Until when the cluster is metered, and the nodes of its last hours: nothing moves to a node that has left."""
    rows = metering.ask(
        f"SELECT node, max(clock) FROM {metering.listener.rows(NODE_HOURS)} WHERE cluster = ? GROUP BY node", cluster
    )
    end = max(clock for _, clock in rows) + 1
    return end, {node for node, clock in rows if clock >= end - NEWEST}


def _case(metering: Metering, cluster: str, nodes: list[Stood], end: int) -> Case:
    told = {"cluster": cluster}
    hours = Hours(metering.costed.end - DAYS * DAY, metering.costed.end)
    paid = metering.costs_of(node.resource for node in nodes)
    costs = {node.node: paid[node.resource] for node in nodes}
    currency = next((cost.currency for cost in costs.values() if cost.amount > 0), "")
    if not currency:
        return Case(cluster, withheld=Sentence(NO_NODES, told))
    busy = _busy(metering, cluster, nodes)
    nodes = [node for node in nodes if node.node not in busy]
    pods = _pods(metering, cluster, nodes, end)
    if not pods:
        return Case(cluster, withheld=Sentence(NO_PODS, told))
    workloads = sorted({(pod[1], pod[2]) for pod in pods})
    peaks, gib, days = _peaks(metering, cluster, workloads, hours)
    if not days:
        return Case(cluster, withheld=Sentence(NO_PEAKS, told))
    if days < LEAST_DAYS:
        return Case(cluster, withheld=Sentence(THIN, told | {"days": f"{days}", "least": f"{LEAST_DAYS}"}))
    agents = _agents(metering, cluster, nodes, end)
    ledger = Ledger.read(metering.pinned, metering.window, {(cluster, namespace) for namespace, _ in workloads}, ())
    meta = {
        "cluster": cluster, "currency": currency, "days": metering.days, "first": hours.first,
        "since": str(metering.window.end - timedelta(days=1)), "workloads": [list(one) for one in workloads],
        "teams": payers(ledger, cluster, workloads), "resources": {node.node: node.resource for node in nodes},
        "pods": [[pod[0], workloads.index((pod[1], pod[2])), *pod[3:]] for pod in pods],
        "nodes": [
            [node.node, node.pool, node.instance_type, round(node.cores - agents[node.node][0], 3),
             round(node.memory_gib - agents[node.node][1], 3), round(node.gpus),
             f"{per_month(costs[node.node].amount, metering.days):.12f}", costs[node.node].team]
            for node in nodes if costs[node.node].currency in ("", currency)
        ],
        "card_gib": [None if np.isnan(one) else round(float(one), 3) for one in gib],
    }  # fmt: skip
    return Case(cluster, pack(meta, peaks=peaks))


def _busy(metering: Metering, cluster: str, nodes: list[Stood]) -> set[str]:
    """Nodes on which jobs ran, or work that keeps data: they are needed again, and left alone."""
    rows = metering.ask(
        f"""
        SELECT DISTINCT node FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND clock >= ? AND workload_kind NOT IN {AGENTS} AND workload_kind NOT IN {LASTING}
            AND node IN (SELECT unnest(?::VARCHAR[]))""",
        cluster, metering.costed.first, [node.node for node in nodes],
    )  # fmt: skip
    return {node for (node,) in rows}


def _pods(metering: Metering, cluster: str, nodes: list[Stood], end: int) -> list[list[Any]]:
    """What stands there in the newest hours: name, namespace, workload, node, cards, cores and GiB asked for, and the
    most it used."""
    rows = metering.ask(
        f"""
        SELECT pod, namespace, workload, arg_max(node, clock), max(gpu_request_hours), max(cpu_request_core_hours),
            max(memory_request_gib_hours), max(cpu_used_core_hours), max(memory_used_gib_hours)
        FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND clock < ? AND clock >= ? AND workload_kind NOT IN {AGENTS}
            AND node IN (SELECT unnest(?::VARCHAR[]))
        GROUP BY pod, namespace, workload HAVING max(clock) >= ? - {NEWEST} ORDER BY pod""",
        cluster, end, end - DAYS * DAY, [node.node for node in nodes], end,
    )  # fmt: skip
    peaks = {
        pod: (float(cores or 0), float(gib or 0))
        for pod, cores, gib in metering.ask(
            f"""
            SELECT pod, max(cpu_peak_cores), max(memory_peak_gib) FROM {metering.listener.rows(WORKLOAD_PEAKS)}
            WHERE cluster = ? AND clock >= ? AND clock < ? GROUP BY pod""",
            cluster, end - DAYS * DAY, end,
        )
    }  # fmt: skip
    found = []
    for *named, cards, cores, gib, cores_used, gib_used in rows:
        highest = peaks.get(named[0], (0.0, 0.0))
        used = max(float(cores_used or 0), highest[0]), max(float(gib_used or 0), highest[1])
        found.append([*named, ceil(cards), float(cores or 0), float(gib or 0), *used])
    return found


def _agents(metering: Metering, cluster: str, nodes: list[Stood], end: int) -> dict[str, tuple[float, float]]:
    """The cores and GiB that agents take of each node: where none was seen, as much as of another node of the pool."""
    rows = metering.ask(
        f"""
        SELECT node, max(cores), max(gib) FROM {metering.claimed(cluster, f"workload_kind IN {AGENTS}")}
        WHERE clock >= ? AND node IN (SELECT unnest(?::VARCHAR[])) GROUP BY node""",
        end - DAY, [node.node for node in nodes],
    )  # fmt: skip
    seen = {node: (float(cores or 0), float(gib or 0)) for node, cores, gib in rows}
    most: dict[str, tuple[float, float]] = {}
    for node in nodes:
        cores, gib = seen.get(node.node, (0.0, 0.0))
        known = most.get(node.pool, (0.0, 0.0))
        most[node.pool] = max(known[0], cores), max(known[1], gib)
    return {node.node: seen.get(node.node, most[node.pool]) for node in nodes}


def _peaks(metering: Metering, cluster: str, workloads: list[tuple[str, str]], hours: Hours) -> tuple[Any, Any, int]:
    """By workload and hour the busiest pod's use of its cards, as a part of one card; the most GiB of a card; and how
    many days are known."""
    rows = metering.ask(
        f"""
        SELECT namespace, workload, clock, max(gpu_peak_share), max(gpu_memory_peak_gib)
        FROM {metering.listener.rows(WORKLOAD_PEAKS)}
        WHERE cluster = ? AND clock >= ? AND clock < ? AND gpu_peak_share IS NOT NULL GROUP BY ALL""",
        cluster, hours.first, hours.end,
    )  # fmt: skip
    number = {key: place for place, key in enumerate(workloads)}
    peaks = np.full((len(workloads), hours.count), np.nan, dtype=np.float32)
    gib = np.full(len(workloads), np.nan)
    days = set()
    for namespace, workload, clock, peak, held in rows:
        place = number.get((namespace, workload))
        if place is None:
            continue
        days.add(clock // DAY)
        peaks[place, clock - hours.first] = float(peak)
        if held is not None:
            gib[place] = np.fmax(gib[place], float(held))
    return peaks, gib, len(days)
