"""GPUs in every way they are counted: cards, shares, slices, memory and per cent, all brought to cards."""

import re
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

GIB = 1024**3
DEVICES = ("nvidia_com_gpu", "amd_com_gpu", "aliyun_com_gpu")
"""Extended resources that count devices, or what a device plugin makes of them: time slices, whole MIG instances."""
SHARES = ("nvidia_com_gpu_shared", "k8s_amazonaws_com_vgpu")
"""Shares of a device; how many make one, the node tells."""
PER_CENT = ("tke_cloud_tencent_com_qgpu_core", "tencent_com_vcuda_core", "aliyun_com_gpu_core_percentage")
"""Hundredths of a device."""
MEMORY, CARDS = "aliyun_com_gpu_mem", "aliyun_com_gpu_count"
"""GiB of GPU memory that a pod asks for, or a node has; and the node's cards, by which memory becomes cards."""
EACH = {"nvidia_com_gpucores": "nvidia_com_gpu", "nvidia_com_gpumem": "nvidia_com_gpu"}
"""Per cent, or MiB, of each device that a container asks for beside devices (HAMi) → that resource."""
MIG_PREFIX = "nvidia_com_mig_"
MIG_SLICES = {"1g_6gb": (1, 4), "2g_12gb": (2, 4), "4g_24gb": (4, 4)}
"""Profiles of devices (A30) that are cut into four; of all others `2g_10gb` is two sevenths."""

RESOURCES = (*DEVICES, *SHARES, *PER_CENT, MEMORY, CARDS, f"{MIG_PREFIX}[1-7]g_.*")
MEASURES = ("gpu", "gpu_share", "gpu_slice", "gpu_per_cent", "gpu_memory", "gpu_cards")
PARTS = {"nvidia_com_gpucores": ("gpu_part", 1 / 100), "nvidia_com_gpumem": ("gpu_part_mib", 1.0)}
_KNOWN = (
    dict.fromkeys(DEVICES, ("gpu", 1.0))
    | dict.fromkeys(SHARES, ("gpu_share", 1.0))
    | dict.fromkeys(PER_CENT, ("gpu_per_cent", 1 / 100))
    | {MEMORY: ("gpu_memory", 1.0), CARDS: ("gpu_cards", 1.0)}
    | PARTS
)
_MIG_PRODUCT = re.compile(r"MIG-([1-7]g)\.([0-9]+gb)", re.IGNORECASE)


def measure_of(resource: str) -> tuple[str, float]:
    """What a resource of Kubernetes counts as: one of MEASURES or of PARTS, and by how much; '' for what is no GPU."""
    if resource.startswith(MIG_PREFIX):
        return "gpu_slice", _slice(resource.removeprefix(MIG_PREFIX))
    return _KNOWN.get(resource, ("", 0.0))


def _slice(profile: str) -> float:
    slices, whole = MIG_SLICES.get(profile, (int(profile[0]), 7))
    return slices / whole


def tags(labels: Mapping[str, str]) -> dict[str, float | None]:
    """What a node's labels, written by NVIDIA's feature discovery, tell of its devices."""
    product = _MIG_PRODUCT.search(labels.get("nvidia_com_gpu_product", ""))
    return {
        "told_cards": _number(labels.get("nvidia_com_gpu_count")),
        "replicas": _number(labels.get("nvidia_com_gpu_replicas")),
        "card_mib": _number(labels.get("nvidia_com_gpu_memory")),
        "device_slice": _slice("_".join(product.groups()).lower()) if product else None,
    }


def _number(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(r"[0-9]{1,9}", text) and int(text) else None


def scales(levels: ir.Table) -> ir.Table:
    """Per node (`levels`: MEASURES and `tags`) what one piece of each measure is in cards.

    Time slicing makes `replicas` pieces of a device, under the device's own name or as shares; where the labels are not
    told, a node with more pieces than cards was sliced evenly. MIG's single strategy makes each device a slice.
    """
    cards = (levels.gpu_cards > 0).ifelse(levels.gpu_cards, levels.told_cards)
    replicas = ibis.ifelse(levels.gpu_share > 0, ibis.null("float64"), levels.replicas)
    sliced = ibis.ifelse(levels.gpu > cards, cards / levels.gpu, ibis.null("float64"))
    device = ibis.coalesce(levels.device_slice / replicas.fill_null(1.0), 1.0 / replicas, sliced, 1.0)
    spare = (cards - levels.gpu - levels.gpu_slice) / levels.gpu_share.nullif(0.0)
    share = ibis.coalesce(1.0 / levels.replicas, (spare > 0).ifelse(spare, ibis.null("float64")), 1.0)
    memory = ibis.coalesce(cards / levels.gpu_memory.nullif(0.0), 1024 / levels.card_mib, 0.0)
    return levels.mutate(
        cards_per_device=device,
        cards_per_share=share,
        cards_per_gib=memory,
        cards_per_mib=ibis.coalesce(1 / levels.card_mib, 0.0),
    )


SCALES = ("cards_per_device", "cards_per_share", "cards_per_gib", "cards_per_mib")


def cards_of_node(rows: ir.Table) -> ir.FloatingValue:
    """A node's cards (`scales`), each counted once, however many resources speak of it."""
    counted = rows.gpu * rows.cards_per_device + rows.gpu_share * rows.cards_per_share + rows.gpu_slice
    return ibis.cases((counted > 0, counted), (rows.gpu_cards > 0, rows.gpu_cards), else_=rows.gpu_per_cent)


def cards_of_pod(rows: ir.Table) -> ir.FloatingValue:
    """The cards a pod asks for on a node with these scales: of several words for the same part the largest."""
    part = ibis.greatest(rows.gpu_part, rows.gpu_part_mib * rows.cards_per_mib)
    devices = (part > 0).ifelse(part, rows.gpu * rows.cards_per_device)
    memory = ibis.greatest(rows.gpu_per_cent, rows.gpu_memory * rows.cards_per_gib)
    return devices + rows.gpu_share * rows.cards_per_share + rows.gpu_slice + memory


def used_scale(rows: ir.Table) -> ir.FloatingValue:
    """What part of a device's use is a pod's own: an exporter tells the whole device's, to everyone who shares it."""
    pieces = rows.gpu + rows.gpu_share
    cards = rows.gpu * rows.cards_per_device + rows.gpu_share * rows.cards_per_share
    return (pieces > 0).ifelse(ibis.least(cards / pieces.nullif(0.0), 1.0), 1.0)
