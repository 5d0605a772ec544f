"""An upgrade re-checked by what its cores can carry, sharing nothing with the calculator."""

from apps.planning.methods.whatif.upgrades import Compared, Stack, Upgrade

Checks = tuple[tuple[str, bool], ...]


def verify(upgrade: Upgrade, compared: Compared) -> Checks:
    """Named checks: both numbers of cores carry the work and the storage and one core less would not, and the money is
    that of the difference."""
    stands = upgrade.has_cores
    before = compared.cores_before
    freed = compared.nodes_leaving * upgrade.cores_per_node
    money = freed * upgrade.price_per_core_hour * 730 - compared.storage_cost_per_month
    capped = before == stands and not _carries(upgrade.before, before - 1)
    return (
        ("before", capped or _is_least(upgrade.before, before)),
        ("after", _is_least(upgrade.after, compared.cores_after)),
        ("difference", compared.cores_saved == before - compared.cores_after),
        ("nodes", freed <= compared.cores_saved < freed + upgrade.cores_per_node),
        ("saving", abs(money - compared.saving_per_month) * 1_000_000_000 <= 1),
        ("bounded", compared.saving_per_month <= before * upgrade.price_per_core_hour * 730),
    )


def _carries(stack: Stack, cores: int) -> bool:
    held = stack.gib_per_core is None or cores * stack.gib_per_core >= stack.stored_gib
    return cores >= 0 and cores * stack.work_per_core >= stack.work and held


def _is_least(stack: Stack, cores: int) -> bool:
    return _carries(stack, cores) and not _carries(stack, cores - 1)
