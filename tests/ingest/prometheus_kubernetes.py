"""A cluster of special cases with known truth: lives of one name, init steps, volumes, GPUs, Services, bytes."""

from collections.abc import Mapping

from tests.ingest.prometheus_world import GIB, HOUR, HOURS, Eye, World

ALL = HOURS * HOUR
UIDS = {name: f"{number:08x}-0000-4000-8000-00000000000{number:x}" for number, name in enumerate("abcdefgh", start=1)}
BIG = {"cpu": 8, "memory": 32 * GIB}


def special() -> World:
    """One eye, 30 s scrapes, none missed."""
    world = World(eyes=(Eye({"cluster": "k"}, 30, 0.0, 0.0),))
    for name in ("n1", "n2"):
        world.node(name, f"i-{name}", BIG)
    for resource, amount in {"cpu": 7.5, "memory": 29 * GIB}.items():
        world.gauge("kube_node_status_allocatable", {"node": "n1", "resource": resource}, amount)
    world.gauge("kube_node_status_allocatable", {"node": "n2", "resource": "cpu"}, 8)
    world.gauge("kube_node_status_allocatable", {"node": "n2", "resource": "memory"}, 32 * GIB)
    add_lives(world)
    add_init_containers(world)
    add_volumes(world)
    add_gpus(world)
    add_services(world)
    add_machines(world)
    add_autoscalers(world)
    return world


def add_lives(world: World) -> None:
    """web-0 is made anew on another node, cache-0 on the same one; each asks for something else than before."""
    lives = (
        ("web-0", "a", "n1", 1, 0.5, 0, 1800, "/kubepods/burstable/pod{}/c1"),
        ("web-0", "b", "n2", 4, 2.0, 1800, ALL, "/kubepods.slice/kubepods-pod{}.slice/cri-c2.scope"),
        ("cache-0", "c", "n1", 1, 0.25, 0, 1200, "/docker/c3"),
        ("cache-0", "d", "n1", 2, 0.25, 1200, ALL, "/docker/c4"),
    )
    for pod, name, node, cpu, used, start, end, path in lives:
        uid = UIDS[name]
        owner = ("StatefulSet", pod.removesuffix("-0"))
        world.pod("shop", pod, node, {"cpu": cpu}, owner=owner, start=start, end=end, uid=uid)
        cgroup = path.format(uid.replace("-", "_") if "slice" in path else uid)
        world.used({"namespace": "shop", "pod": pod, "container": "app", "id": cgroup}, used, GIB, start, end)


def add_init_containers(world: World) -> None:
    """Ten minutes of an init container of three cores, while the pod still waits, then ten minutes of one core; and a
    sidecar that began as an init container."""
    pod = {"namespace": "jobs", "pod": "load", "uid": UIDS["e"]}
    world.gauge("kube_pod_info", pod | {"node": "n1"}, 1, 0, 1200)
    for phase, start, end in (("Pending", 0, 600), ("Running", 600, 1200)):
        for one in ("Pending", "Running"):
            world.gauge("kube_pod_status_phase", pod | {"phase": one}, float(one == phase), start, end)
    container = pod | {"container": "fetch", "resource": "cpu", "node": "n1"}
    world.gauge("kube_pod_init_container_resource_requests", container, 3, 0, 1200)
    for start, end, value in ((0, 600, 1.0), (600, 1200, 0.0)):
        world.gauge("kube_pod_init_container_status_running", pod | {"container": "fetch"}, value, start, end)
    world.gauge("kube_pod_container_resource_requests", pod | {"container": "app", "resource": "cpu"}, 1, 0, 1200)

    world.pod("jobs", "mesh", "n1", {"cpu": 1}, uid=UIDS["f"])
    pod = {"namespace": "jobs", "pod": "mesh", "uid": UIDS["f"], "container": "proxy"}
    world.gauge("kube_pod_init_container_resource_requests", pod | {"resource": "cpu"}, 0.5)
    world.gauge("kube_pod_init_container_status_running", pod, 1)


def claim(world: World, namespace: str, name: str, *mounts: tuple[str, str, int, int]) -> None:
    """A claim of 10 GiB, and the pods that mount it: (name, StatefulSet, first and last second)."""
    labels = {"namespace": namespace, "persistentvolumeclaim": name}
    world.gauge("kube_persistentvolumeclaim_info", labels | {"volumename": f"pv-{name}"}, 1)
    world.gauge("kube_persistentvolumeclaim_resource_requests_storage_bytes", labels, 10 * GIB)
    world.gauge("kube_persistentvolume_info", {"persistentvolume": f"pv-{name}", "csi_volume_handle": f"d-{name}"}, 1)
    reference = {"persistentvolume": f"pv-{name}", "claim_namespace": namespace, "name": name}
    world.gauge("kube_persistentvolume_claim_ref", reference, 1)
    for pod, owner, start, end in mounts:
        world.pod(namespace, pod, "n2", {"cpu": 0.1}, owner=("StatefulSet", owner), start=start, end=end)
        told = labels | {"pod": pod, "uid": f"uid-{pod}", "volume": "v"}
        world.gauge("kube_pod_spec_volumes_persistentvolumeclaims_info", told, 1, start, end)


def add_volumes(world: World) -> None:
    """The four cases in which a volume's cost gets lost elsewhere, one nobody mounts, one that outlived its claim."""
    claim(world, "disks", "half", ("half-0", "half", 0, ALL // 2))
    claim(world, "disks", "redeploy", ("old-0", "old", 0, 12600), ("new-0", "new", 12600, ALL))
    claim(world, "disks", "many", *((f"{name}-0", name[0], 0, ALL) for name in ("x1", "x2", "y")))
    claim(world, "disks", "nobody")
    claim(world, "disks", "hourly")
    mount = {"namespace": "disks", "persistentvolumeclaim": "hourly", "volume": "v"}
    for hour in range(HOURS):
        start, pod = hour * HOUR + 600, f"hourly-{29000000 + 60 * hour}-abcde"
        uid, owner = f"uid-{pod}", ("Job", f"hourly-{29000000 + 60 * hour}")
        world.pod("disks", pod, "n2", {"cpu": 0.1}, owner=owner, start=start, end=start + 120, uid=uid)
        for one in ("Running", "Succeeded"):  # it has finished, and stays listed
            told = {"namespace": "disks", "pod": pod, "uid": uid, "phase": one}
            world.gauge("kube_pod_status_phase", told, float(one == "Succeeded"), start + 120, ALL)
        world.gauge(
            "kube_pod_spec_volumes_persistentvolumeclaims_info", mount | {"pod": pod, "uid": uid}, 1, start, ALL
        )
    world.gauge("kube_persistentvolume_info", {"persistentvolume": "pv-lost", "csi_volume_handle": "d-lost"}, 1)
    world.gauge("kube_persistentvolume_capacity_bytes", {"persistentvolume": "pv-lost"}, 20 * GIB)
    reference = {"persistentvolume": "pv-lost", "claim_namespace": "disks", "name": "deleted"}
    world.gauge("kube_persistentvolume_claim_ref", reference, 1)
    waits = {"namespace": "disks", "pod": "waits", "uid": "uid-waits"}
    world.pod("disks", "waits", "", {"cpu": 1}, phase="Pending")
    world.gauge(
        "kube_pod_spec_volumes_persistentvolumeclaims_info",
        waits | {"persistentvolumeclaim": "nobody", "volume": "v"},
        1,
    )


GPU_NODES: Mapping[str, tuple[dict[str, float], dict[str, str]]] = {
    "g-sliced": ({"nvidia_com_gpu": 20}, {"nvidia_com_gpu_count": "2", "nvidia_com_gpu_replicas": "10"}),
    "g-shared": ({"nvidia_com_gpu_shared": 8}, {"nvidia_com_gpu_count": "2", "nvidia_com_gpu_replicas": "4"}),
    "g-mixed": ({"nvidia_com_gpu": 1, "nvidia_com_mig_1g_5gb": 4, "nvidia_com_mig_3g_20gb": 1}, {}),
    "g-single": ({"nvidia_com_gpu": 4}, {"nvidia_com_gpu_product": "NVIDIA-A30-MIG-1g.6gb"}),
    "g-hami": ({"nvidia_com_gpu": 10}, {"nvidia_com_gpu_count": "1", "nvidia_com_gpu_memory": "16000"}),
    "g-unknown": ({"nvidia_com_gpu_shared": 3}, {}),
    "g-qgpu": ({"tke_cloud_tencent_com_qgpu_core": 200}, {}),
}
GPU_PODS: tuple[tuple[str, str, dict[str, float]], ...] = (
    ("slice", "g-sliced", {"nvidia_com_gpu": 1}),
    ("shares", "g-shared", {"nvidia_com_gpu_shared": 2}),
    ("whole", "g-mixed", {"nvidia_com_gpu": 1}),
    ("seventh", "g-mixed", {"nvidia_com_mig_1g_5gb": 1}),
    ("quarter", "g-single", {"nvidia_com_gpu": 1}),
    ("cores", "g-hami", {"nvidia_com_gpu": 1, "nvidia_com_gpucores": 30}),
    ("memory", "g-hami", {"nvidia_com_gpu": 1, "nvidia_com_gpumem": 4000, "nvidia_com_gpucores": 10}),
    ("tenth", "g-hami", {"nvidia_com_gpu": 1}),
    ("qgpu", "g-qgpu", {"tke_cloud_tencent_com_qgpu_core": 50}),
)


def add_gpus(world: World) -> None:
    """Nodes whose cards are counted in different ways, and pods that ask for parts of them."""
    for node, (capacity, labels) in GPU_NODES.items():
        world.node(node, f"i-{node}", BIG | capacity, **labels)
    for pod, node, asks in GPU_PODS:
        world.pod("ml", pod, node, {"cpu": 1} | asks)
    world.gauge("DCGM_FI_DEV_GPU_UTIL", {"namespace": "ml", "pod": "slice", "UUID": "GPU-1"}, 80)
    world.gauge("DCGM_FI_DEV_GPU_UTIL", {"namespace": "ml", "pod": "whole", "UUID": "GPU-2"}, 50)
    world.gauge("DCGM_FI_DEV_FB_USED", {"namespace": "ml", "pod": "slice", "UUID": "GPU-1"}, 20480)
    exporter = {"namespace": "monitoring", "pod": "dcgm-1", "exported_namespace": "ml", "exported_pod": "whole"}
    for start, end, mib in ((0, 1800, 4096), (1800, ALL, 8192)):
        world.gauge("DCGM_FI_DEV_FB_USED", exporter | {"UUID": "GPU-2"}, mib, start, end)
    world.gauge("DCGM_FI_DEV_FB_USED", {"namespace": "ml", "pod": "cores", "UUID": "GPU-3"}, 16000)
    part = {"namespace": "ml", "pod": "cores", "container": "c", "device_uuid": "GPU-3", "vdevice_index": "0"}
    world.gauge("hami_vgpu_memory_used_bytes", part, 3 * GIB)
    for start, end, percent in ((0, 1200, 10), (1200, 1800, 40), (1800, ALL, 10)):
        world.gauge("hami_container_device_utilization_ratio", part, percent, start, end)


def add_autoscalers(world: World) -> None:
    """One tells what it scales, one has the name of what it scales; one changes its mind."""
    target = {"scaletargetref_kind": "StatefulSet", "scaletargetref_name": "web"}
    world.gauge(
        "kube_horizontalpodautoscaler_info", {"namespace": "shop", "horizontalpodautoscaler": "front"} | target, 1
    )
    bounds = (("front", 2, 10, 0, 5400), ("front", 4, 12, 5400, ALL), ("cache", 1, 3, 0, ALL))
    for name, least, most, start, end in bounds:
        named = {"namespace": "shop", "horizontalpodautoscaler": name}
        world.gauge("kube_horizontalpodautoscaler_spec_min_replicas", named, least, start, end)
        world.gauge("kube_horizontalpodautoscaler_spec_max_replicas", named, most, start, end)


def add_services(world: World) -> None:
    """Services behind load balancers, and bytes that pods send."""
    addresses = {
        "front": {"ip": "10.1.1.1", "hostname": ""},
        "aws": {"ip": "", "hostname": "k8s-web-1a2b.elb.eu-west-1.amazonaws.com"},
        "plain": {"ip": "10.1.1.2", "hostname": ""},
    }
    for name, address in addresses.items():
        labels = {"namespace": "shop", "service": name} | address
        world.gauge("kube_service_status_load_balancer_ingress", labels, 1, 0, 1800 if name == "plain" else ALL)
    told = {"namespace": "shop", "service": "front", "label_service_k8s_alibaba_loadbalancer_id": "lb-2ze"}
    world.gauge("kube_service_labels", told, 1)
    for pod, rate in (("web-0", GIB / HOUR), ("daemon", 100 * GIB / HOUR)):
        labels = {"job": "kubelet", "namespace": "shop", "pod": pod, "interface": "eth0", "id": f"/{pod}"}
        world.scrape("container_network_transmit_bytes_total", labels, "kubelet", lambda t, rate=rate: rate * t, 0, ALL)
    daemon = {"namespace": "shop", "pod": "daemon", "uid": "uid-daemon", "node": "n1", "host_network": "true"}
    world.gauge("kube_pod_info", daemon, 1)
    places = (("true", "false", "false", 0.5), ("false", "false", "false", 0.25), ("false", "true", "false", 0.125))
    for internet, region, zone, gib in places:
        where = {"internet": internet, "same_region": region, "same_zone": zone}
        labels = {"job": "network-costs", "namespace": "shop", "pod_name": "cache-0", "service": ""} | where
        world.scrape(
            "kubecost_pod_network_egress_bytes_total",
            labels,
            "kubelet",
            lambda t, gib=gib: gib * GIB / HOUR * t,
            0,
            ALL,
        )


def add_machines(world: World) -> None:
    """A virtual machine, and the pod that attaches a disk to it."""
    world.pod("vms", "virt-launcher-vm1-x2x4z", "n2", {"cpu": 2}, owner=("VirtualMachineInstance", "vm1"))
    world.pod("vms", "hp-volume-k7k2p", "n2", {"cpu": 0.1}, owner=("Pod", "virt-launcher-vm1-x2x4z"))
