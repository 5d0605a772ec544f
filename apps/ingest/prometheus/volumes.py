"""From facts about claims, volumes and who mounts them to `volume_hours`."""

import ibis
import ibis.expr.types as ir

from apps.ingest.prometheus.pods import LIFE, POD, Facts, attach, likeliest, owner_of_pods, running, told_apart
from apps.ingest.prometheus.queries import GIB

_CLAIM = ["hour", "cluster", "namespace", "claim"]


def volume_hours(facts: Facts) -> ir.Table:
    """One row per hour, claim and workload that mounted it: each its part of the size and use of the volume.

    Who mounted a claim in an hour has all of that hour, several in proportion to how long their pods ran with it. A
    claim that nobody mounted has a row without workload, and so has a volume that outlived its claim.
    """
    volumes = attach(_bound(facts), facts["claim_bytes"].select(*_CLAIM, asked="value"), _CLAIM)
    volumes = attach(volumes, facts["claim_used"].select(*_CLAIM, used="value"), _CLAIM)
    sizes = facts["volume_bytes"].select("hour", "cluster", "name", size="value")
    volumes = attach(volumes, sizes, ["hour", "cluster", "name"])
    volumes = attach(volumes, _volume_ids(facts), ["cluster", "name"])
    volumes = attach(volumes, _mounted(facts), _CLAIM)
    part = volumes.part.fill_null(1.0) * volumes.present / GIB
    return volumes.select(
        "hour",
        "cluster",
        volume=ibis.coalesce(volumes.volume, volumes.name),
        namespace=volumes.namespace,
        claim=volumes.claim,
        workload=volumes.workload.fill_null(""),
        capacity_gib_hours=ibis.coalesce(volumes.size, volumes.asked, 0.0) * part,
        used_gib_hours=volumes.used.fill_null(0.0) * part,
    )


def _bound(facts: Facts) -> ir.Table:
    """The part of the hour each volume was bound to a claim; if to none, still kept the name of its last one."""
    claims, refs = facts["claims"], facts["claim_refs"]
    columns = [*_CLAIM, "name", "value", "state_sample_hours"]
    left = refs.anti_join(claims, ["hour", "cluster", "name"]).filter(lambda t: t.namespace != "")
    both = claims.select(columns).union(left.select(columns))
    bound = both.group_by([*_CLAIM, "name"]).agg(present=(both.value * both.state_sample_hours).sum())
    return bound.mutate(present=ibis.least(bound.present, 1.0))


def _volume_ids(facts: Facts) -> ir.Table:
    ids = facts["volume_ids"]
    ids = ids.mutate(
        volume=ibis.coalesce(
            *(ids[name].nullif("") for name in ("csi_volume_handle", "ebs_volume_id", "gce_persistent_disk_name")),
            ids.name,
        )
    )
    return likeliest(ids, ["cluster", "name"], ["volume"])


def _mounted(facts: Facts) -> ir.Table:
    """Who mounted each claim in each hour, and its `part` of that. A pod that waits or has finished mounts nothing."""
    ran = running(facts)
    mounts = told_apart(facts["mounts"].select(*LIFE, "claim", "value", "state_sample_hours"), ran)
    mounts = mounts.join(ran.select(*LIFE, ran="value"), LIFE)
    mounts = mounts.mutate(mounted=ibis.least(mounts.value * mounts.state_sample_hours, mounts.ran))
    mounts = attach(mounts.filter(mounts.mounted > 0), owner_of_pods(facts), POD)
    mounts = mounts.mutate(workload=mounts.workload.fill_null(mounts.pod))
    summed = mounts.group_by([*_CLAIM, "workload"]).agg(mounted=mounts.mounted.sum())
    whole_claim = ibis.window(group_by=_CLAIM)
    return summed.select(*_CLAIM, "workload", part=summed.mounted / summed.mounted.sum().over(whole_claim))
