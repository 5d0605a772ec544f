"""The kinds of namespaces a company like this has, and how much of each."""

from dataclasses import dataclass
from typing import Literal

Runs = Literal["service", "lanes"]


@dataclass(frozen=True)
class Archetype:
    """A kind of namespace; counts are at scale 1, amounts in thousandths of a core or GiB per pod.

    `slots` is the room of one pod: 1, 2, 4 or 8 of a block of 8; `cpu_limit` and `memory_limit` are what fits into it.
    A `lanes` archetype runs short jobs one after another in fixed lanes instead of long-lived replicas.
    """

    name: str
    departments: tuple[str, ...]
    namespaces: int
    group: str
    profile: str
    pods: tuple[int, int]
    cpu: int
    memory: int
    slots: int
    cpu_limit: int
    memory_limit: int
    peak_percent: int
    minimum_percent: int = 100
    kind: str = "Deployment"
    volume_gib: int = 0
    gpus: int = 0
    gpu_percent: int = 0
    runs: Runs = "service"
    lanes: int = 0
    lane_hours: tuple[int, int] = (0, 24)  # Shanghai clock: first hour, length
    twelfths: tuple[int, int, int] = (0, 0, 0)  # of an hour: shortest job, longest, step
    gap: int = 0  # longest pause between two jobs, in twelfths of an hour


ARCHETYPES = (
    Archetype("live-class", ("live",), 24, "online", "live", (14, 30), 1600, 6000, 4, 1740, 6996, 72, 25),
    Archetype("homework-search", ("search",), 30, "online", "search", (8, 20), 1600, 5000, 4, 1740, 6996, 62, 30),
    Archetype("im-push", ("live",), 16, "online", "search", (4, 12), 800, 2000, 2, 864, 3492, 50, 40),
    Archetype("growth-activity", ("growth",), 26, "online", "promotion", (3, 12), 800, 2000, 2, 864, 3492, 40, 40),
    Archetype("content-cms", ("search",), 30, "online", "office", (2, 8), 800, 3000, 2, 864, 3492, 22),
    Archetype("admin", ("growth", "corporate"), 34, "online", "office", (2, 5), 400, 1500, 1, 432, 1740, 12),
    Archetype(
        "data-store",
        ("live", "search"),
        10,
        "online",
        "live",
        (3, 8),
        3200,
        12000,
        8,
        3492,
        13992,
        45,
        kind="StatefulSet",
        volume_gib=1000,
    ),
    Archetype("device", ("hardware",), 16, "online", "flat", (2, 6), 200, 1000, 2, 864, 3492, 60),
    Archetype(
        "dev",
        ("live", "search", "ai", "growth", "corporate"),
        52,
        "online",
        "office",
        (1, 6),
        400,
        1000,
        1,
        432,
        1740,
        3,
    ),
    Archetype(
        "cron",
        ("data", "corporate"),
        12,
        "online",
        "flat",
        (1, 1),
        360,
        960,
        1,
        432,
        1740,
        90,
        kind="CronJob",
        runs="lanes",
        lanes=14,
        twelfths=(1, 2, 1),
        gap=3,
    ),
    Archetype(
        "ml-serving",
        ("ai",),
        22,
        "gpu-a10",
        "live",
        (1, 3),
        4000,
        16000,
        8,
        5496,
        22992,
        55,
        gpus=1,
        gpu_percent=50,
        volume_gib=0,
    ),
    Archetype(
        "ml-legacy", ("ai",), 6, "gpu-t4", "search", (3, 5), 2000, 8000, 8, 2400, 10992, 40, gpus=1, gpu_percent=14
    ),
    Archetype(
        "ml-training",
        ("ai",),
        14,
        "gpu-train",
        "flat",
        (1, 1),
        4800,
        19200,
        8,
        5496,
        22992,
        70,
        kind="PyTorchJob",
        gpus=1,
        gpu_percent=90,
        runs="lanes",
        lanes=18,
        lane_hours=(22, 10),
        twelfths=(18, 96, 3),
        gap=12,
    ),
    Archetype("ml-platform", ("ai",), 4, "gpu-cpu", "office", (4, 10), 1600, 6000, 4, 1740, 6996, 30),
    Archetype(
        "warehouse-store",
        ("data",),
        6,
        "offline-base",
        "flat",
        (5, 12),
        5600,
        22400,
        8,
        6996,
        27996,
        80,
        kind="StatefulSet",
        volume_gib=4000,
    ),
    Archetype(
        "offline-etl",
        ("data",),
        22,
        "offline-spot",
        "flat",
        (1, 1),
        6000,
        24000,
        8,
        6996,
        27996,
        80,
        kind="CronJob",
        runs="lanes",
        lanes=150,
        lane_hours=(0, 7),
        twelfths=(3, 18, 1),
        gap=6,
    ),
)
"""Job amounts are multiples of 12 thousandths: five minutes of them are whole thousandths of an hour."""

USAGE_STEP = 12

PLATFORM: dict[str, dict[str, int]] = {
    "online": {"kube-system": 30, "monitoring": 20, "logging": 20, "istio-system": 20, "ingress": 10},
    "gpu": {"kube-system": 10, "monitoring": 10, "gpu-operator": 10},
    "offline": {"kube-system": 20, "monitoring": 15, "logging": 15},
}
"""Cluster → platform namespace → what it claims on every node-hour, in thousandths of what all others claim there."""

PLATFORM_AGENTS = {
    "kube-system": "csi-plugin",
    "monitoring": "node-exporter",
    "logging": "loongcollector",
    "istio-system": "istio-cni-node",
    "ingress": "nginx-ingress",
    "gpu-operator": "gpu-feature-discovery",
}
PLATFORM_CPU_PARTS = {"online": (2, 3), "gpu": (3, 4), "offline": (2, 3)}
"""How much of the platform's units is CPU, as a fraction; the rest is memory."""
