"""A small world with known truth, written as OpenMetrics text: what a cluster did, and what its scrapes saw of it."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

HOUR = 3600
GIB = 1024**3
START = int(datetime(2026, 10, 1, tzinfo=UTC).timestamp())
HOURS = 6
END = START + HOURS * HOUR
OUTAGE = (3 * HOUR, 4 * HOUR + HOUR // 2)
HOSTILE = '"><script>alert(1)</script>\\ {a="b"} 李雷'


@dataclass(frozen=True)
class Eye:
    """One Prometheus server that watches a cluster: when it scrapes, how often it misses."""

    labels: dict[str, str]
    every: int
    offset: float
    missed: float


@dataclass
class World:
    """Samples by metric and series. Times are seconds after START; `outage` is seen by no one."""

    eyes: tuple[Eye, ...]
    outage: tuple[int, int] | None = None
    has_up: bool = True
    state_targets: tuple[tuple[str, int, int], ...] = (("ksm:8080", 0, HOURS * HOUR),)
    samples: dict[str, dict[str, list[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def __post_init__(self) -> None:
        if self.has_up:
            self.gauge("up", {}, 1)
            for instance in ("n1:10250", "n2:10250"):
                self.scrape("up", {"job": "kubelet", "instance": instance}, "kubelet", lambda _t: 1.0, 0, HOURS * HOUR)

    def gauge(self, name: str, labels: dict[str, str], value: float, start: int = 0, end: int = HOURS * HOUR) -> None:
        """A value from kube-state-metrics, as long as the object exists."""
        job = "kube-state-metrics"
        for instance, first, last in self.state_targets:
            target = {"job": job, "instance": instance}
            self.scrape(name, target | labels, job, lambda _t: value, max(start, first), min(end, last))

    def used(self, labels: dict[str, str], cores: float, memory: float, start: int, end: int, reset: int = 0) -> None:
        """A container's counters and gauges; `reset` is when its counter begins again in the same series."""
        labels = {"job": "kubelet", "instance": "n1:10250", "image": "registry/app:1"} | labels

        def counted(t: float) -> float:
            return cores * (t - (reset if reset and t >= reset else start))

        self.scrape("container_cpu_usage_seconds_total", labels, "kubelet", counted, start, end)
        self.scrape("container_memory_working_set_bytes", labels, "kubelet", lambda _t: memory, start, end)

    def scrape(
        self, name: str, labels: dict[str, str], job: str, value: Callable[[float], float], start: int, end: int
    ) -> None:
        """What every eye sees of a series, `value` being told the moment."""
        for eye in self.eyes:
            key = ",".join(f'{label}="{_escaped(text)}"' for label, text in (labels | eye.labels).items())
            for t in self.moments(eye, job):
                if start <= t < end or (t == end == HOURS * HOUR):
                    missed = random.Random(f"{eye.offset}{job}{t}").random() < eye.missed
                    if not missed or name == "up":
                        seen = 0.0 if missed else value(t)
                        self.samples[name][key].append(f"{seen:.6f} {START + t:.3f}")

    def moments(self, eye: Eye, job: str) -> Iterator[float]:
        """When the eye looks; each job has its own offset, as targets do."""
        t = eye.offset + (3 if job == "kubelet" else 0)
        while t <= HOURS * HOUR:
            if not (self.outage and self.outage[0] <= t < self.outage[1]):
                yield t
            t += eye.every

    def text(self) -> str:
        """The whole history in OpenMetrics."""
        lines = []
        for name, series in sorted(self.samples.items()):
            kind = "counter" if name.endswith("_total") else "gauge"
            lines.append(f"# TYPE {name.removesuffix('_total')} {kind}")
            lines += [f"{name}{{{labels}}} {sample}" for labels, points in series.items() for sample in points]
        return "\n".join([*lines, "# EOF", ""])

    def pod(
        self,
        namespace: str,
        name: str,
        node: str,
        requests: dict[str, float],
        *,
        owner: tuple[str, str] = ("", ""),
        start: int = 0,
        end: int = HOURS * HOUR,
        phase: str = "Running",
        uid: str = "",
    ) -> None:
        """A pod as kube-state-metrics tells it."""
        pod = {"namespace": namespace, "pod": name, "uid": uid or f"uid-{name}"}
        self.gauge("kube_pod_info", pod | {"node": node, "host_ip": "10.0.0.1"}, 1, start, end)
        if phase:
            for one in ("Running", "Pending", "Succeeded"):
                self.gauge("kube_pod_status_phase", pod | {"phase": one}, float(one == phase), start, end)
        for resource, amount in requests.items():
            labels = pod | {"container": "app", "resource": resource, "node": node}
            self.gauge("kube_pod_container_resource_requests", labels, amount, start, end)
        if owner[0]:
            kinds = {"owner_kind": owner[0], "owner_name": owner[1], "owner_is_controller": "true"}
            self.gauge("kube_pod_owner", pod | kinds, 1, start, end)

    def node(
        self,
        name: str,
        provider_id: str,
        capacity: dict[str, float],
        start: int = 0,
        end: int = HOURS * HOUR,
        **labels: str,
    ) -> None:
        """A node as kube-state-metrics tells it."""
        self.gauge(
            "kube_node_info", {"node": name, "provider_id": provider_id, "kernel_version": "5.10"}, 1, start, end
        )
        self.gauge(
            "kube_node_labels", {"node": name} | {f"label_{key}": value for key, value in labels.items()}, 1, start, end
        )
        for resource, amount in capacity.items():
            self.gauge(
                "kube_node_status_capacity", {"node": name, "resource": resource, "unit": "x"}, amount, start, end
            )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def hours_of(start: int, end: int) -> dict[int, float]:
    """The truth about a life: in which hour it lasted for which part of it."""
    overlap = {hour: (min(end, (hour + 1) * HOUR) - max(start, hour * HOUR)) / HOUR for hour in range(HOURS)}
    return {hour: part for hour, part in overlap.items() if part > 0}


def cron_lives() -> list[tuple[str, int, int]]:
    """Two-minute pods, one every five minutes, at odd seconds."""
    seconds = random.Random(7)
    starts = [minute * 60 + seconds.randrange(60) for minute in range(1, HOURS * 60 - 4, 5)]
    return [(f"tick-{29_000_000 + number}-x7k2p", start, start + 120) for number, start in enumerate(starts)]


def online() -> World:
    """A cluster watched by an HA pair, 30 s scrapes, one in a hundred missed, an hour and a half of outage."""
    world = World(
        eyes=tuple(
            Eye(
                {"cluster": "online", "prometheus": "monitoring/k8s", "prometheus_replica": f"k8s-{number}"},
                30,
                15.0 * number,
                0.01,
            )
            for number in (0, 1)
        ),
        outage=OUTAGE,
    )
    big = {"cpu": 8, "memory": 32 * GIB}
    world.node(
        "n1",
        "cn-beijing.i-n1",
        big,
        alibabacloud_com_nodepool_id="np1",
        node_kubernetes_io_instance_type="ecs.g7.2xlarge",
    )
    world.node("n2", "cn-beijing.i-n2", big | {"nvidia_com_gpu": 4}, alibabacloud_com_nodepool_id="np-gpu")
    world.node("n3", "cn-beijing.i-n3", big, start=4500, end=17100, free="yes")
    world.node("virtual-kubelet-cn-beijing-h", "", {"cpu": 5000, "memory": 5000 * GIB}, type="virtual-kubelet")

    asks = {"cpu": 1, "memory": 2 * GIB}
    for number in (1, 2, 3):
        name = f"web-7c9d5f4b6d-{number}"
        world.pod("live", name, "n1", asks, owner=("ReplicaSet", "web-7c9d5f4b6d"))
        world.gauge(
            "kube_pod_labels",
            {"namespace": "live", "pod": name, "label_team": HOSTILE, "label_pod_template_hash": "7c9"},
            1,
        )
        container = {"namespace": "live", "pod": name, "container": "app"}
        if number == 2:
            world.used(container | {"id": "/a"}, 0.5, GIB, 0, 6000)
            world.used(container | {"id": "/b"}, 0.5, GIB, 6000, HOURS * HOUR)
        else:
            world.used(container | {"id": "/c"}, 0.5, GIB, 0, HOURS * HOUR, reset=7777 if number == 3 else 0)
        world.used({"namespace": "live", "pod": name, "container": "POD", "id": "/pause"}, 9.0, GIB, 0, HOURS * HOUR)
        world.used({"namespace": "live", "pod": name, "container": "", "id": "/pod"}, 9.0, 9 * GIB, 0, HOURS * HOUR)
    owner = {"owner_kind": "Deployment", "owner_name": "web", "owner_is_controller": "true"}
    world.gauge("kube_replicaset_owner", {"namespace": "live", "replicaset": "web-7c9d5f4b6d"} | owner, 1)
    add_jobs(world)
    add_database(world)
    add_special_pods(world)
    return world


def add_jobs(world: World) -> None:
    """Two-minute pods of a CronJob."""
    for name, start, end in cron_lives():
        job = name.rpartition("-")[0]
        world.pod("cron", name, "n1", {"cpu": 0.5, "memory": GIB}, owner=("Job", job), start=start, end=end)
        world.used({"namespace": "cron", "pod": name, "container": "app", "id": f"/{name}"}, 0.8, GIB, start, end)
        above = {"owner_kind": "CronJob", "owner_name": "tick", "owner_is_controller": "true"}
        world.gauge("kube_job_owner", {"namespace": "cron", "job_name": job} | above, 1, start, end)


def add_database(world: World) -> None:
    """A pod that keeps its name and moves to another node, with its volume."""
    for node, uid, start, end in (("n1", "u1", 0, 9000), ("n2", "u2", 9000, HOURS * HOUR)):
        world.pod(
            "data",
            "db-0",
            node,
            {"cpu": 2, "memory": 4 * GIB},
            owner=("StatefulSet", "db"),
            start=start,
            end=end,
            uid=uid,
        )
        world.used({"namespace": "data", "pod": "db-0", "container": "db", "id": f"/{uid}"}, 0.25, 3 * GIB, start, end)
    world.gauge(
        "kube_persistentvolumeclaim_info",
        {"namespace": "data", "persistentvolumeclaim": "db-data", "volumename": "pv-1"},
        1,
    )
    world.gauge(
        "kube_persistentvolumeclaim_info",
        {"namespace": "data", "persistentvolumeclaim": "unbound", "volumename": ""},
        1,
    )
    world.gauge(
        "kube_persistentvolumeclaim_resource_requests_storage_bytes",
        {"namespace": "data", "persistentvolumeclaim": "db-data"},
        100 * GIB,
    )
    world.gauge("kube_persistentvolume_info", {"persistentvolume": "pv-1", "csi_volume_handle": "d-2zeabc"}, 1)
    world.gauge("kubelet_volume_stats_used_bytes", {"namespace": "data", "persistentvolumeclaim": "db-data"}, 40 * GIB)
    world.gauge(
        "kube_pod_spec_volumes_persistentvolumeclaims_info",
        {"namespace": "data", "pod": "db-0", "persistentvolumeclaim": "db-data", "volume": "v"},
        1,
    )


def add_special_pods(world: World) -> None:
    """Pods that wait or have finished, one with GPUs, one that is a billed instance itself; labels of a namespace."""
    world.pod("live", "waiting", "", {"cpu": 4, "memory": GIB}, phase="Pending")
    world.pod("live", "finished", "n1", {"cpu": 4, "memory": GIB}, phase="Succeeded")
    world.pod("ml", "train-0", "n2", {"cpu": 1, "memory": GIB, "nvidia_com_gpu": 2}, owner=("Job", "train"))
    for uuid, percent in (("GPU-a", 50), ("GPU-b", 30)):
        labels = {
            "pod": "dcgm-x",
            "namespace": "monitoring",
            "exported_namespace": "ml",
            "exported_pod": "train-0",
            "UUID": uuid,
        }
        world.gauge("DCGM_FI_DEV_GPU_UTIL", labels, percent)

    world.pod("burst", "job-eci", "virtual-kubelet-cn-beijing-h", {"cpu": 2, "memory": 4 * GIB}, start=3600, end=7200)
    eci = {"annotation_k8s_aliyun_com_eci_instance_id": "eci-2zexyz", "uid": "uid-job-eci"}
    world.gauge("kube_pod_annotations", {"namespace": "burst", "pod": "job-eci"} | eci, 1, 3600, 7200)
    world.gauge("kube_namespace_labels", {"namespace": "live", "label_app_kubernetes_io_team": "live-class"}, 1)
    world.gauge("kube_namespace_annotations", {"namespace": "data", "annotation_example_com_owner": "data"}, 1)
    world.gauge(
        "kube_pod_annotations", {"namespace": "live", "pod": "web-7c9d5f4b6d-1", "annotation_on_call": HOSTILE}, 1
    )


def batch() -> World:
    """A cluster with 5 min scrapes whose series carry no cluster, without `up`, phases and middle owners."""
    world = World(eyes=(Eye({}, 300, 0.0, 0.0),), has_up=False)
    shared = {"aliyun_com_gpu_count": 2, "aliyun_com_gpu_mem": 32}
    world.node("b1", "i-b1", {"cpu": 16, "memory": 64 * GIB} | shared, agentpool="spot")
    owners = {
        "etl-a": ("ReplicaSet", "etl-5d4f7c9b8d"),
        "etl-b": ("Job", "nightly-29000000"),
        "proxy-b1": ("Node", "b1"),
    }
    for name, start, end, cores in (("etl-a", 0, HOURS * HOUR, 2.0), ("etl-b", 2 * HOUR, 4 * HOUR, 6.0)):
        asks = {"cpu": 4, "memory": 8 * GIB, "aliyun_com_gpu_mem": 8}
        world.pod("offline", name, "b1", asks, start=start, end=end, phase="", owner=owners[name])
        world.used({"namespace": "offline", "pod": name, "container": "app"}, cores, 3 * GIB, start, end)
    world.pod("kube-system", "proxy-b1", "b1", {"cpu": 0.25}, phase="", owner=owners["proxy-b1"])
    world.pod("kube-system", "lost", "", {"cpu": 1}, phase="")
    world.used({"namespace": "kube-system", "pod": "lost", "container": "app"}, 0.1, GIB, 0, HOURS * HOUR)
    return world


def one_pod(*state_targets: tuple[str, int, int]) -> World:
    """One node and one pod, seen through these instances of kube-state-metrics (name, first and last second)."""
    world = World(eyes=(Eye({"cluster": "c"}, 60, 7.0, 0.0),), state_targets=state_targets)
    world.node("n1", "", {"cpu": 4, "memory": 8 * GIB})
    world.pod("shop", "web", "n1", {"cpu": 2, "memory": GIB})
    world.used({"namespace": "shop", "pod": "web", "container": "app"}, 0.5, GIB, 0, HOURS * HOUR)
    world.scrape("up", {"job": "kubelet", "instance": "dead:10250"}, "kubelet", lambda _t: 0.0, 0, HOURS * HOUR)
    return world


def scaled(
    nodes: int, *, kubelets: int, alive: int, state: int = HOURS * HOUR, namespaces: int = HOURS * HOUR
) -> World:
    """A node with a pod until some second; its kubelet is a target until another and answers until a third. Outside of
    it kube-state-metrics is watched, and tells of namespaces, until so long after the beginning."""
    world = World(eyes=(Eye({"cluster": "c"}, 60, 7.0, 0.0),), has_up=False, state_targets=(("ksm:8080", 0, state),))
    world.gauge("up", {}, 1)
    world.gauge("kube_namespace_created", {"namespace": "kube-system"}, 1.7e9, end=namespaces)
    kubelet = {"job": "kubelet", "instance": "n1:10250"}
    world.scrape("up", kubelet, "kubelet", lambda t: float(t < alive), 0, kubelets)
    world.node("n1", "cn-beijing.i-n1", {"cpu": 4, "memory": 8 * GIB}, end=nodes)
    world.pod("shop", "web", "n1", {"cpu": 2, "memory": GIB}, end=nodes)
    world.used({"namespace": "shop", "pod": "web", "container": "app"}, 0.5, GIB, 0, alive)
    return world
