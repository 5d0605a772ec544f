"""The kinds of things that can be idle: how each is recognised, what tells its activity, what is lost with it."""

from dataclasses import dataclass
from types import MappingProxyType

from apps.learning.idle.activity import FLOORS

NAMESPACE, WORKLOAD, NODE, GPU = "namespace", "workload", "node", "gpu"
VOLUME, DISK, SNAPSHOT = "volume", "disk", "snapshot"
INSTANCE, ADDRESS, LOAD_BALANCER, DATABASE = "instance", "address", "load_balancer", "database"
COMMITMENT, SCHEDULE = "commitment", "schedule"

MEAN_FLOORS = MappingProxyType(dict(FLOORS) | {"cpu_peak": 2.0, "gpu": 2.0})
"""Metering tells the mean of an hour: an hour with a short peak of 5 % has a mean of less."""


@dataclass(frozen=True)
class Kind:
    """One kind of thing.

    `signals` are what can tell that it is used. `worst` is the strongest verdict that evidence leads to: where stopping
    it is for a person to weigh, however silent it is, that is "review". `lost` says what is gone with it, a sentence
    filled in with what is known.
    """

    name: str
    signals: tuple[str, ...]
    lost: str
    strongest: str = "safe"


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            NAMESPACE, ("cpu_peak", "network", "gpu"),
            "Workloads: %(workloads)s, claims on volumes: %(claims)s, and their configuration",
        ),
        Kind(
            WORKLOAD, ("cpu_peak", "network", "gpu"),
            "Its pods; claims on volumes: %(claims)s. It starts again from its configuration",
        ),
        Kind(GPU, ("gpu",), "Nothing but its place on a GPU; the workload itself is used", "review"),
        Kind(NODE, ("cpu_peak", "network", "gpu"), "%(cores)s cores held ready; its disks and local data"),
        Kind(VOLUME, ("attached",), "The data of claim %(claim)s; a snapshot keeps it"),
        Kind(DISK, ("attached",), "The data on it; a snapshot keeps it", "review"),
        Kind(INSTANCE, ("attached",), "The server with the data of its disks"),
        Kind(ADDRESS, ("network", "attached"), "The address: another one would be given later"),
        Kind(LOAD_BALANCER, ("network", "attached"), "The load balancer with its address and certificates"),
        Kind(DATABASE, ("network", "requests", "attached"), "All data of the database; a backup keeps it", "review"),
        Kind(SNAPSHOT, (), "The state the disk had then", "review"),
        Kind(COMMITMENT, ("attached",), "Nothing: it is paid until it ends, used or not", "review"),
    )
}  # fmt: skip
"""By name."""


@dataclass(frozen=True)
class Sign:
    """How a bill tells a kind: every named column matches its pattern (RE2, without regard to case)."""

    kind: str
    columns: tuple[tuple[str, str], ...]


SIGNS = (
    Sign(SNAPSHOT, (("ResourceType", r"snapshot"),)),
    Sign(SNAPSHOT, (("ServiceName", r"snapshot"),)),
    Sign(SNAPSHOT, (("SkuMeter", r"snapshot"),)),
    Sign(DATABASE, (("ServiceCategory", r"^databases?$"), ("ChargeCategory", r"^usage$"))),
    Sign(LOAD_BALANCER, (("ResourceType", r"load ?balanc|^(alb|nlb|slb|clb)$"),)),
    Sign(LOAD_BALANCER, (("ServiceName", r"load ?balanc"),)),
    Sign(LOAD_BALANCER, (("SkuMeter", r"loadbalancerusage|lcuusage"),)),
    Sign(ADDRESS, (("ResourceType", r"^eip$|ip ?address|elastic ?ip"),)),
    Sign(ADDRESS, (("ServiceName", r"elastic ip|public ip|^eip"),)),
    Sign(ADDRESS, (("SkuMeter", r"elasticip|publicipv4|static ip|ip address"),)),
    Sign(DISK, (("ServiceSubcategory", r"^block storage$"),)),
    Sign(DISK, (("ResourceType", r"^(disk|volume|managed disk|persistent disk)$|/disks$"),)),
    Sign(DISK, (("SkuMeter", r"ebs:volumeusage|pd capacity|managed disks?"),)),
    Sign(INSTANCE, (("ServiceSubcategory", r"^virtual machines$"), ("ResourceType", r"instance|machine"))),
    Sign(INSTANCE, (("ResourceType", r"^(instance|virtual ?machines?|vm)$"), ("ServiceCategory", r"^compute$"))),
    Sign(INSTANCE, (("SkuMeter", r"boxusage|compute instance core"),)),
)  # fmt: skip
"""In their order: the first that fits decides. A charge that fits none is of no kind that can be idle."""

UNUSED_WORDS = (
    r"\b(idle|unattached|not attached|unassociated|not associated|not in use|unused|stopped|deallocated|released|"
    r"retention fee|static ip charge)\b|idleaddress|闲置|未绑定|未挂载|已停机|停机|已释放"
)
"""Where a bill's own words (description, meter) say that nobody uses what it charges for."""
UNUSED_TAGS = r'": ?"(idle|unattached|unused|stopped|deallocated|released)"'
"""Whole values of tags that say the same."""

TRANSFER_UNITS = r"^(k|m|g|t|p)?i?b(ytes?)?$|^gigabytes?$"
REQUEST_UNITS = r"request|query|queries|lcu"
"""Units of what goes through something, in contrast to what it holds: a resource charged for them is used."""
