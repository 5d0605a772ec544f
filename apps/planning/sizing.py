"""What right-sizing decides of a cluster: the requests of workloads, the nodes that leave with them, and the money."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isnan
from typing import Any

import numpy as np

from apps.finops.money import SCALE, add_up, rounded, split
from apps.planning.arrays import unpack
from apps.planning.methods.leaving import Claims, Leaving, Stock, leaving
from apps.planning.methods.rightsizing.choosing import Replay
from apps.planning.methods.rightsizing.memory import MemoryPlan
from apps.planning.methods.rightsizing.serverless import Ran, Ratio, cheaper
from apps.planning.methods.rightsizing.usage import Array, Usage
from apps.planning.reading.rightsizing import DAY

LEAST_HISTORY = 7
CPU_STEP, GIB_STEP = 0.01, 1 / 64
ALIKE = 0.1
"""What would change by less stays as it is."""


@dataclass(frozen=True)
class Cluster:
    """The numbers of a cluster."""

    meta: dict[str, Any]
    cpu: Usage
    memory: Usage
    arrays: dict[str, Array]

    @classmethod
    def of(cls, data: bytes) -> "Cluster":
        meta, arrays = unpack(data)
        count = len(meta["workloads"])
        cpu, memory = (Usage(arrays[name].reshape(-1, DAY, count)) for name in ("cpu", "memory"))
        return cls(meta, cpu, memory, arrays)

    @property
    def serverless(self) -> list[list[Any]]:
        """Workloads with serverless pods: place, cost, a billed resource, and hours, cores and GiB by day."""
        told: list[list[Any]] = self.meta.get("serverless", [])
        return told

    @property
    def stock(self) -> Stock:
        told = self.meta
        return Stock(told["cores"], told["gib"], told["fill"], told["stand"], self.arrays["there"])

    def claims(self, cpu: Array, memory: Array) -> Claims:
        """Cores and GiB claimed by hour if pods asked for so much: the larger of request and use; others as they do."""
        pods, others = self.arrays["pods"], self.arrays["others"]
        claimed = [
            np.maximum(pods * asked[None, :], self.arrays[name]).sum(axis=1) + others[:, place]
            for place, (asked, name) in enumerate(((cpu, "cpu_all"), (memory, "memory_all")))
        ]
        return Claims(*claimed)


@dataclass(frozen=True)
class Sized:
    """Requests advised by workload, what was decided of each, and what leaves."""

    cpu: Array
    memory: Array
    verdicts: list[str]
    before: Claims
    after: Claims
    leaves: Leaving


def size(case: Cluster, chosen: Replay, kept: MemoryPlan, *, may_raise: bool) -> Sized:
    now_cpu, now_memory = case.arrays["cpu_request"], case.arrays["memory_request"]
    history = case.cpu.history[-1]
    cpu = np.ceil(chosen.request[-1] / CPU_STEP - 1e-6) * CPU_STEP
    memory = np.ceil(kept.request[-1] / GIB_STEP - 1e-6) * GIB_STEP
    cpu, memory = (np.minimum(each, most) for each, most in ((cpu, case.meta["cores"]), (memory, case.meta["gib"])))
    verdicts = []
    for place in range(case.cpu.count):
        if history[place] < LEAST_HISTORY or np.isnan(cpu[place]) or np.isnan(memory[place]):
            verdict = "young"
        else:
            parts = [_direction(now_cpu[place], cpu[place]), _direction(now_memory[place], memory[place])]
            verdict = "lower" if -1 in parts else "raise" if 1 in parts else "alike"
        cpu[place] = _settled(now_cpu[place], cpu[place], verdict, may_raise=may_raise)
        memory[place] = _settled(now_memory[place], memory[place], verdict, may_raise=may_raise)
        verdicts.append("short" if verdict == "raise" and not may_raise else verdict)
    before, after = case.claims(now_cpu, now_memory), case.claims(cpu, memory)
    return Sized(cpu, memory, verdicts, before, after, leaving(before, after, case.stock))


def _direction(now: float, wanted: float) -> int:
    """-1 where less should be asked for, 1 where more, 0 where it is nearly the same."""
    if not now > 0:
        return 0
    return -1 if wanted < now * (1 - ALIKE) else 1 if wanted > now * (1 + ALIKE) else 0


def _settled(now: float, wanted: float, verdict: str, *, may_raise: bool) -> float:
    """A request as it becomes: what is nearly the same stays, and so does what would rise unless it may."""
    direction = _direction(now, wanted)
    if verdict == "young" or not direction or (direction > 0 and not may_raise):
        return now
    return wanted


@dataclass(frozen=True)
class Money:
    """What nodes and serverless pods cost a month; what leaves of the nodes', what serverless pods would cost less by
    workload (below zero where they would cost more), what is saved in all, and node-hours a month that are not there
    any more."""

    cost: Decimal
    nodes: Decimal
    serverless: dict[int, Decimal]
    saving: Decimal
    elastic_hours: float


def money_of(case: Cluster, sized: Sized) -> Money:
    meta, leaves = case.meta, sized.leaves
    per_month = Fraction(365, 12 * meta["days"])
    elastic = rounded(Fraction(Decimal(meta["node_hour"])) * Fraction(leaves.elastic_hours) * per_month)
    standing = add_up(Decimal(amount) for amount in meta["standing"][: leaves.standing])
    nodes_cost = max(Decimal(meta["cost_per_month"]), Decimal(0))
    nodes = min(nodes_cost, elastic + standing)
    paid = {place: rounded(Fraction(Decimal(cost)) * per_month) for place, cost, *_ in case.serverless}
    gains = _gains(case, sized, paid)
    saving = max(Decimal(0), add_up([nodes, *gains.values()]))
    return Money(add_up([nodes_cost, *paid.values()]), nodes, gains, saving, leaves.elastic_hours * float(per_month))


def _gains(case: Cluster, sized: Sized, paid: dict[int, Decimal]) -> dict[int, Decimal]:
    """By workload, what its serverless pods would cost less a month."""
    ratio = Ratio(*case.meta["ratio"]) if case.serverless else Ratio(1, 1)
    found = {}
    for place, _cost, resource, days in case.serverless:
        now = float(case.arrays["cpu_request"][place]), float(case.arrays["memory_request"][place])
        then = float(sized.cpu[place]), float(sized.memory[place])
        if then != now and not any(map(isnan, (*now, *then))):
            found[place] = cheaper(paid[place], [Ran(*day) for day in days], now, then, resource, ratio)
    return found


def parts_of(case: Cluster, sized: Sized, money: Money) -> list[Decimal]:
    """The saving by workload: the nodes' in proportion to what it frees of them, its serverless pods' own; where some
    would cost more, each gives up as large a share. Exact together."""
    parts = _shares(money.nodes, [round(float(weight) * 1_000_000) for weight in _freed(case, sized)])
    for place, gain in money.serverless.items():
        parts[place] = add_up([parts[place], max(gain, Decimal(0))])
    return _shares(money.saving, [int(part.scaleb(SCALE)) for part in parts])


def _shares(amount: Decimal, weights: list[int]) -> list[Decimal]:
    if not amount or not any(weights):
        return [Decimal(0)] * len(weights)
    return list(split(amount, {f"{place:06d}": weight for place, weight in enumerate(weights)}).values())


def _freed(case: Cluster, sized: Sized) -> Array:
    """By workload: nodes freed on average, cores and GiB each as a part of a node's."""
    pods = case.arrays["pods"].mean(axis=0)
    now = case.arrays["cpu_request"], case.arrays["memory_request"]
    cpu = np.clip(now[0] - sized.cpu, 0, None) / case.meta["cores"]
    gib = np.clip(now[1] - sized.memory, 0, None) / case.meta["gib"]
    freed: Array = np.nan_to_num(pods * (cpu + gib) / 2)
    return freed
