"""Batch work in quotas: optima by hand, deadlines kept, and verifiers that see what is wrong."""

import numpy as np
import pytest

from apps.planning.methods.colocation.backlog import fit
from apps.planning.methods.colocation.verify import verify_backlog, verify_breaches, verify_quotas


@pytest.mark.parametrize(
    ("work", "quota", "wait", "placed"),
    [
        pytest.param([4, 0, 0], [4, 4, 4], 2, [4, 0, 0], id="at once where there is room"),
        pytest.param([4, 0, 0], [1, 2, 9], 2, [1, 2, 1], id="as early as room lets it"),
        pytest.param([4, 0, 0], [0, 0, 9], 1, [0, 0, 0], id="what would wait too long is not moved"),
        pytest.param([2, 2, 0], [0, 2, 2], 1, [0, 2, 2], id="who has to be first goes first"),
        pytest.param([9, 9, 9], [3, 0, 5], 0, [3, 0, 5], id="without waiting only what fits at once"),
    ],
)
def test_as_much_as_fits_before_its_deadline(
    work: list[float], quota: list[float], wait: int, placed: list[float]
) -> None:
    found = fit(np.array(work, dtype=float), np.array(quota, dtype=float), wait)
    assert found.by_hour.tolist() == pytest.approx(placed)
    checks = verify_backlog(work, quota, found.placed.tolist(), found.most)
    assert all(check.holds for check in checks), checks


@pytest.mark.parametrize("seed", range(5))
def test_earliest_deadline_first_places_no_more(seed: int) -> None:
    """Of work that may wait equally long, whoever came first is due first: a queue is as good as any plan."""
    drawn = np.random.default_rng(seed)
    work, quota, wait = drawn.integers(0, 6, 30).astype(float), drawn.integers(0, 6, 30).astype(float), 4
    queue, done = list(work), 0.0
    for hour in range(30):
        room = quota[hour]
        for came in range(max(0, hour - wait), hour + 1):
            taken = min(room, queue[came])
            queue[came], room, done = queue[came] - taken, room - taken, done + taken
    found = fit(work, quota, wait)
    assert found.placed.sum() == pytest.approx(done)
    assert all(
        check.holds for check in verify_backlog(work.tolist(), quota.tolist(), found.placed.tolist(), found.most)
    )


def test_wrong_placements_are_seen() -> None:
    def broken(placed: list[list[float]], most: float) -> list[str]:
        return [one.name for one in verify_backlog([2.0, 2.0], [2.0, 2.0], placed, most) if not one.holds]

    assert broken([[2.0, 0.0], [2.0, 0.0]], 4) == []
    assert broken([[2.0, 1.0], [1.0, 0.0]], 4) == ["work"]
    assert broken([[0.0, 2.0], [2.0, 0.0]], 4) == ["room"]
    assert broken([[1.0, 0.0], [1.0, 0.0]], 4) == ["optimal"]
    assert broken([[2.0, 0.0], [1.0, 1.0]], 4) == ["work"]


def test_wrong_quotas_and_breaches_are_seen() -> None:
    limits = {"evening": (18, 21), "theta": 0.65, "guard": 0.1, "drain": 1, "ramp": 0.5}
    day, capacity = [3.0] * 16 + [1.0] * 6 + [3.0] * 2, [10.0] * 24
    assert all(check.holds for check in verify_quotas(day, capacity, **limits))
    for hour, quota, name in ((3, 7.0, "theta"), (20, 1.5, "evening"), (3, -1.0, "theta")):
        wrong = [*day[:hour], quota, *day[hour + 1 :]]
        assert name in [one.name for one in verify_quotas(wrong, capacity, **limits) if not one.holds]
    steep = [6.5] * 12 + [0.0] * 12
    assert "ramp" in [one.name for one in verify_quotas(steep, capacity, **limits) if not one.holds]
    use, nan = [1.0, 6.0, 6.0], float("nan")
    assert verify_breaches(use, [2.0, 2.0, 0.0], [10.0] * 3, theta=0.65, told=1 / 3).holds
    assert not verify_breaches(use, [2.0, 2.0, 0.0], [10.0] * 3, theta=0.65, told=0.0).holds
    assert verify_breaches([nan, 6.0], [9.0, 2.0], [10.0] * 2, theta=0.65, told=1.0).holds
