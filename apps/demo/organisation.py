"""Who is who in the simulated company: departments, teams, namespaces, workloads and who owns them."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from apps.demo.archetypes import ARCHETYPES, Archetype

Owned = Literal["label", "owner-label", "list", "prefix", "nobody"]

UNALLOCATED = "unallocated"
OPTIMISED_PERCENT = 70
"""What an optimisation leaves of one workload's replicas."""

DEPARTMENTS = {
    "live": "直播课堂",
    "search": "搜题与内容",
    "ai": "AI与算法",
    "data": "数据平台",
    "hardware": "硬件与IoT",
    "growth": "商业化与增长",
    "platform": "基础架构",
    "corporate": "职能与测试",
}

COMPANY = ("lantern", "Lantern Learning")
UNITS = {
    "teaching": ("教学事业部", ("live", "search")),
    "technology": ("技术中心", ("ai", "data", "platform")),
    "business": ("智能硬件与增长事业部", ("hardware", "growth")),
}
"""Business units, and the departments below them; the others stand below the company itself."""
MOVING_TEAM, MOVES_TO = "search-ocr", "ai"
"""The team that goes to another department on a day, and where."""

_TEAMS = (
    ("live", "live-core", "直播核心", "李雷"), ("live", "live-player", "播放器", "韩梅梅"),
    ("live", "live-interaction", "课堂互动", "王芳"), ("live", "live-signal", "信令与消息", "张伟"),
    ("live", "live-replay", "回放与录制", "刘洋"), ("live", "live-timetable", "排课", "陈静"),
    ("search", "search-engine", "搜题引擎", "杨帆"), ("search", "search-ocr", "拍照识别", "赵敏"),
    ("search", "search-bank", "题库", "黄磊"), ("search", "content-production", "内容生产", "周杰"),
    ("search", "content-cms", "内容管理", "吴迪"), ("search", "homework-help", "作业辅导", "徐静"),
    ("ai", "ai-speech", "语音评测", "孙悦"), ("ai", "ai-vision", "视觉算法", "马超"),
    ("ai", "ai-language", "自然语言", "朱琳"), ("ai", "ai-recommend", "推荐算法", "胡军"),
    ("ai", "ai-training", "训练平台", "郭靖"),
    ("data", "data-warehouse", "数据仓库", "何平"), ("data", "data-stream", "实时计算", "高圆"),
    ("data", "data-tracking", "埋点与采集", "林涛"), ("data", "data-bi", "商业分析", "罗兰"),
    ("hardware", "device-pad", "学习平板", "梁栋"), ("hardware", "device-lamp", "智能台灯", "宋佳"),
    ("hardware", "device-cloud", "设备云", "郑爽"), ("hardware", "device-ota", "固件升级", "谢娜"),
    ("growth", "growth-channel", "渠道投放", "韩雪"), ("growth", "growth-campaign", "活动运营", "唐嫣"),
    ("growth", "growth-crm", "客户关系", "冯刚"), ("growth", "trade-order", "交易与订单", "于洋"),
    ("growth", "trade-pay", "支付", "董洁"),
    ("platform", "platform-container", "容器平台", "萧峰"), ("platform", "platform-network", "网络", "程前"),
    ("platform", "platform-database", "数据库", "曹颖"), ("platform", "platform-observe", "可观测", "袁野"),
    ("platform", "platform-security", "安全", "邓超"),
    ("corporate", "corp-it", "信息技术", "许晴"), ("corporate", "corp-finance", "财务系统", "傅彪"),
    ("corporate", "corp-hr", "人事系统", "沈腾"), ("corporate", "corp-service", "客服系统", "曾黎"),
    ("corporate", "quality", "质量与测试", "彭于"),
)  # fmt: skip


@dataclass(frozen=True)
class Team:
    """Who pays; `department` is where it stands at first."""

    name: str
    title: str
    department: str
    cost_center: str
    lead: str
    email: str


TEAMS = tuple(
    Team(name, title, key, f"CC-{1001 + i}", lead, f"{name}@example.com")
    for i, (key, name, title, lead) in enumerate(_TEAMS)
)
TEAM_NAMES = tuple(team.name for team in TEAMS)
TEAM_INDEX = {name: i for i, name in enumerate(TEAM_NAMES)} | {UNALLOCATED: len(TEAMS)}


def teams_of(department: str) -> list[int]:
    return [i for i, (key, *_) in enumerate(_TEAMS) if key == department]


@dataclass(frozen=True)
class Namespace:
    """A namespace and how its owner is known: by a label, by a list or prefix in the rules, or not at all."""

    name: str
    cluster: str
    archetype: Archetype
    team: int
    owned: Owned
    moves_to: int = -1
    moves_on: date = date.max

    @property
    def number(self) -> int:
        """Which of its kind it is, from 0."""
        return int(self.name.rpartition("-")[2])

    def team_on(self, day: date) -> int:
        if self.owned == "nobody":
            return len(TEAMS)
        return self.moves_to if day >= self.moves_on else self.team


@dataclass(frozen=True)
class Workload:
    """Pods alike in one namespace. `team` is the owner its own label names, or -1: the namespace's owner.

    From `forgotten_on` nobody uses it any more: it runs, and does nothing.
    """

    name: str
    namespace: int
    most: int
    least: int
    cpu: int
    memory: int
    peak_percent: int
    gpu_percent: int
    team: int = -1
    forgotten_on: date = date.max


@dataclass(frozen=True)
class Organisation:
    namespaces: tuple[Namespace, ...]
    workloads: tuple[Workload, ...]
    optimised: int
    """The workload that an optimisation cuts by 30 % from `optimised_on`."""
    optimised_on: date
    regrouped_on: date
    """The day on which MOVING_TEAM moves."""

    def team_of(self, workload: int, day: date) -> int:
        """Index of the team that pays for a workload on a day; `len(TEAMS)` when no rule owns it."""
        own = self.workloads[workload]
        return own.team if own.team >= 0 else self.namespaces[own.namespace].team_on(day)


def replicas_on(organisation: Organisation, workload: int, day: date) -> tuple[int, int]:
    """Between what bounds an online service is scaled on a day; equal bounds: it is not, and neither are others."""
    own = organisation.workloads[workload]
    archetype = organisation.namespaces[own.namespace].archetype
    if archetype.runs != "service" or archetype.minimum_percent == 100:
        return own.most, own.most
    percent = OPTIMISED_PERCENT if workload == organisation.optimised and day >= organisation.optimised_on else 100
    least, most = (max(1, -(-bound * percent // 100)) for bound in (own.least, own.most))
    return least, most


def cluster_of(group: str) -> str:
    """The cluster of a placement group: `gpu-a10` is part of `gpu`."""
    return group.split("-")[0]


NAMESPACE_LIMIT = 5
"""Beyond this scale companies grow by pods, not by namespaces."""

_OWNED_CYCLE: tuple[Owned, ...] = (
    "label", "list", "label", "label", "owner-label", "label", "list", "label", "list", "label", "nobody", "list",
)  # fmt: skip


def found(*, seed: int, scale: float, start: date, end: date) -> Organisation:
    """Lay out namespaces and workloads for a scale; one month's growth and reorganisation are part of the plan."""
    rng = np.random.default_rng([seed, 1])
    namespaces: list[Namespace] = []
    for archetype in ARCHETYPES:
        candidates = [team for key in archetype.departments for team in teams_of(key)]
        for number in range(max(1, round(archetype.namespaces * min(scale, NAMESPACE_LIMIT)))):
            team = candidates[int(rng.zipf(1.6)) % len(candidates)]
            namespaces.append(_namespace(archetype, number, team, len(namespaces)))
    _move_one(namespaces, start + (end - start) * 2 // 5)
    crowd = max(1.0, scale / NAMESPACE_LIMIT)
    forgotten_on = start + (end - start) // 5
    workloads = tuple(
        w for i, namespace in enumerate(namespaces) for w in _workloads(i, namespace, crowd, rng, forgotten_on)
    )
    services = [i for i, w in enumerate(workloads) if namespaces[w.namespace].archetype.name == "homework-search"]
    optimised = max(services, key=lambda i: workloads[i].most)
    optimised_on, regrouped_on = (start + (end - start) * part // 20 for part in (11, 13))
    return Organisation(tuple(namespaces), workloads, optimised, optimised_on, regrouped_on)


def _namespace(archetype: Archetype, number: int, team: int, serial: int) -> Namespace:
    owned: Owned = "prefix" if archetype.name == "dev" else _OWNED_CYCLE[serial % len(_OWNED_CYCLE)]
    name = f"dev-{TEAM_NAMES[team]}-{number:02d}" if owned == "prefix" else f"{archetype.name}-{number:02d}"
    return Namespace(name, cluster_of(archetype.group), archetype, team, owned)


def _move_one(namespaces: list[Namespace], day: date) -> None:
    """One listed namespace goes to another team of its kind on `day`, known to the rules by their dates."""
    for i, namespace in enumerate(namespaces):
        if namespace.owned == "list":
            others = [t for key in namespace.archetype.departments for t in teams_of(key) if t != namespace.team]
            namespaces[i] = Namespace(
                namespace.name, namespace.cluster, namespace.archetype, namespace.team, "list", others[0], day
            )
            return


_PARTS = ("api", "worker", "gateway")


def _workloads(
    index: int, namespace: Namespace, crowd: float, rng: np.random.Generator, forgotten_on: date
) -> list[Workload]:
    """The workloads of one namespace; some ask for more than they need, some for less, some are forgotten."""
    archetype = namespace.archetype
    count = 1 if archetype.runs == "lanes" or archetype.name == "dev" else int(rng.integers(1, len(_PARTS) + 1))
    low, high = archetype.pods
    pods = max(count, round(int(rng.integers(low, high + 1)) * crowd))
    made = []
    for part in range(count):
        most = pods // count + (part < pods % count)
        least = max(1, -(-most * archetype.minimum_percent // 100))
        cpu, memory, peak, gpu = _appetite(archetype, rng)
        gpu = 0 if archetype.name == "ml-legacy" and namespace.number % _FORGOTTEN_EVERY == 0 else gpu
        if archetype.name == "ml-serving" and gpu == archetype.gpu_percent:
            gpu = _SERVING_PERCENT[(index + part) % len(_SERVING_PERCENT)]
        own = _other_team(namespace) if part == 1 and namespace.owned == "label" else -1
        name = f"{_stem(namespace)}-{_PARTS[part]}"
        since = forgotten_on if _is_forgotten(namespace, part, count) else date.min if peak == 0 else date.max
        made.append(Workload(name, index, most, least, cpu, memory, peak, gpu, own, since))
    return made


_FORGOTTEN_EVERY = 3
_SERVING_PERCENT = (50, 36, 22, 44, 16, 30)
"""What models that are in use take of a card at their peak."""


def _is_forgotten(namespace: Namespace, part: int, count: int) -> bool:
    """Of every third office tool with several parts, the last part."""
    is_third = namespace.number % _FORGOTTEN_EVERY == _FORGOTTEN_EVERY - 1
    return namespace.archetype.name in ("admin", "content-cms") and is_third and 0 < part == count - 1


def _stem(namespace: Namespace) -> str:
    return namespace.archetype.name if namespace.archetype.name != "dev" else "sandbox"


def _other_team(namespace: Namespace) -> int:
    mates = [t for key in namespace.archetype.departments for t in teams_of(key)]
    return mates[(mates.index(namespace.team) + 1) % len(mates)]


_REQUEST_PERCENT = (100, 100, 100, 50, 25, 100, 75, 50)
_IDLE_DEV = 3  # of 5


def _appetite(archetype: Archetype, rng: np.random.Generator) -> tuple[int, int, int, int]:
    """(CPU request, memory request, CPU percent at peak, GPU percent at peak) of one workload."""
    percent = int(rng.choice(_REQUEST_PERCENT))
    peak = archetype.peak_percent * 100 // percent if archetype.runs == "service" else archetype.peak_percent
    if archetype.name == "dev" and rng.integers(5) < _IDLE_DEV:
        peak = 0
    gpu = archetype.gpu_percent if rng.integers(20) >= 7 else min(archetype.gpu_percent, 6)
    step = 48
    cpu = max(step, archetype.cpu * percent // 100 // step * step) if percent < 100 else archetype.cpu
    return cpu, archetype.memory, peak, gpu
