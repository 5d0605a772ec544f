"""What-if calculators: upgrades whose cores can be counted on paper."""

from dataclasses import replace
from decimal import Decimal

import pytest

from apps.planning.methods.whatif.upgrades import CannotCompare, Stack, Upgrade, compare
from apps.planning.methods.whatif.verify import verify

JOINED = Stack(work=Decimal(1000), work_per_core=Decimal(10), stored_gib=Decimal(30000), gib_per_core=Decimal(200))
"""The work needs 100 cores, the storage brings 150."""
APART = replace(JOINED, gib_per_core=None)
FASTER = Decimal("14.3")
CORE_HOUR = Decimal("0.02")
"""14.6 a month."""

CASES = [
    # before, after, price of storage, cores that stand, cores before, cores after, gain, saving a month
    pytest.param(JOINED, APART, 0, None, 150, 100, "1", "730", id="storage apart"),
    pytest.param(JOINED, APART, "0.01", None, 150, 100, "1", "430", id="storage is paid"),
    pytest.param(JOINED, APART, "0.03", None, 150, 100, "1", "-170", id="a loss is told"),
    pytest.param(JOINED, replace(JOINED, work_per_core=FASTER), 0, None, 150, 150, "1.43", "0", id="storage binds"),
    pytest.param(
        JOINED, replace(JOINED, work_per_core=FASTER, gib_per_core=None), 0, None, 150, 70, "1.43", "1168",
        id="both: a faster stack on separated storage, 1000 / 14.3 = 69.9",
    ),
    pytest.param(JOINED, APART, 0, 120, 120, 100, "1", "292", id="only what stands leaves"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "storage", "has", "cores_before", "cores_after", "gain", "saving"), CASES)
def test_compare(before, after, storage, has, cores_before, cores_after, gain, saving):
    upgrade = Upgrade(before, after, CORE_HOUR, Decimal(storage), has)
    found = compare(upgrade)
    assert (found.cores_before, found.cores_after) == (cores_before, cores_after)
    assert (found.work_per_core_gain, found.saving_per_month) == (Decimal(gain), Decimal(saving))
    assert [name for name, holds in verify(upgrade, found) if not holds] == []


@pytest.mark.parametrize(
    ("cores_per_node", "nodes", "saving"),
    [
        pytest.param(16, 3, "700.8", id="of fifty cores three nodes of sixteen leave"),
        pytest.param(64, 0, "0", id="of fifty cores no node of sixty-four leaves"),
    ],
)
def test_cores_leave_by_whole_nodes(cores_per_node, nodes, saving):
    upgrade = Upgrade(JOINED, APART, CORE_HOUR, cores_per_node=cores_per_node)
    found = compare(upgrade)
    assert (found.nodes_leaving, found.saving_per_month) == (nodes, Decimal(saving))
    assert all(holds for _, holds in verify(upgrade, found))


def test_what_binds_is_told():
    found = compare(Upgrade(JOINED, APART, Decimal(1)))
    assert (found.binds_before, found.binds_after) == ("storage", "compute")


@pytest.mark.parametrize(
    ("change", "name"),
    [
        pytest.param({"cores_after": 99}, "after", id="a core too few for the work"),
        pytest.param({"cores_before": 151}, "before", id="a core that nobody needs"),
        pytest.param({"cores_saved": 51}, "difference", id="cores that do not add up"),
        pytest.param({"nodes_leaving": 51}, "nodes", id="a node more than leaves"),
        pytest.param({"saving_per_month": Decimal(731)}, "saving", id="a saving told too high"),
        pytest.param({"saving_per_month": Decimal(2191)}, "bounded", id="more than all cores cost"),
    ],
)
def test_the_verifier_catches(change, name):
    upgrade = Upgrade(JOINED, APART, CORE_HOUR)
    assert name in [check for check, holds in verify(upgrade, replace(compare(upgrade), **change)) if not holds]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"work_per_core": Decimal(0)}, "work_per_core is 0", id="a core that does nothing"),
        pytest.param({"gib_per_core": Decimal(-1)}, "gib_per_core is -1", id="negative density"),
        pytest.param({"work": Decimal("NaN")}, "work is NaN", id="no number"),
    ],
)
def test_bad_figures_are_refused(change, said):
    with pytest.raises(CannotCompare, match=said):
        replace(JOINED, **change)
