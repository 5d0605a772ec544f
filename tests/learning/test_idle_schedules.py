"""Weekly schedules of subjects whose week is known, and the vendors' rules at their limits."""

import numpy as np
import pytest

from apps.learning.idle.activity import Activity
from apps.learning.idle.offhours import OffHours, Window
from apps.learning.idle.vendors import RULES
from apps.learning.idle.weeks import hours_of_week

FIRST = np.datetime64("2026-01-05T00", "h")  # a Monday
WEEKS = 6
SLOT = np.arange(168 * WEEKS) % 168
OFFICE = (SLOT % 24 >= 9) & (SLOT % 24 < 18) & (SLOT < 120)


def activity(**signals: np.ndarray) -> Activity:
    shape = next(iter(signals.values())).shape
    return Activity(FIRST + np.arange(shape[0]), tuple(map(str, range(shape[1]))), signals)


def week(*busy: np.ndarray) -> Activity:
    return activity(cpu_peak=np.where(np.stack(busy, axis=1), 40.0, 1.0))


def test_office_hours_leave_nights_and_the_weekend() -> None:
    fitted = OffHours().fit(week(OFFICE))

    nights = tuple(Window(day, 18, 15) for day in range(4))
    assert fitted.windows(0) == (*nights, Window(4, 18, 63))
    assert fitted.saved_share_[0] == (4 * 15 + 63) / 168
    assert (fitted.precision_[0], fitted.recall_[0]) == (1, 1)


@pytest.mark.parametrize(
    ("busy", "windows"),
    [
        pytest.param(np.ones_like(OFFICE), (), id="always busy: never off"),
        pytest.param(np.zeros_like(OFFICE), (Window(0, 0, 168),), id="never busy: off all week"),
        pytest.param(SLOT % 2 == 0, (), id="an hour between two busy ones is too short"),
        pytest.param((SLOT >= 30) & (SLOT < 160), (Window(6, 16, 38),), id="over Sunday's midnight it is one window"),
    ],
)
def test_schedules_of_known_weeks(busy, windows) -> None:
    assert OffHours().fit(week(busy)).windows(0) == windows


def test_the_week_is_told_in_local_time() -> None:
    assert hours_of_week(np.array(["2026-01-04T16"], dtype="datetime64[h]"), "Asia/Shanghai").tolist() == [0]

    fitted = OffHours(timezone="Asia/Shanghai").fit(week((SLOT % 24 >= 1) & (SLOT % 24 < 10)))

    assert fitted.windows(0)[0] == Window(0, 18, 15)  # 10:00 in UTC


def test_hours_nobody_knows_are_not_switched_off() -> None:
    values = np.where(OFFICE, 40.0, 1.0)[:, None]
    values[SLOT >= 120] = np.nan

    fitted = OffHours().fit(activity(cpu_peak=values))

    assert np.isnan(fitted.probability_[120:, 0]).all()
    assert not fitted.slots_[120:, 0].any()
    assert fitted.slots_[96 + 18 : 120, 0].all()


def test_a_week_of_history_makes_no_schedule() -> None:
    fitted = OffHours().fit(activity(cpu_peak=np.ones((168, 1))))

    assert not fitted.slots_.any()
    assert np.isnan(fitted.precision_[0])


def test_schedules_keep_the_precision_that_is_asked_for() -> None:
    drawn = np.random.default_rng(7)
    chance = drawn.uniform(0, 1, (168, 40)) ** 3
    busy = drawn.random((168 * WEEKS, 40)) < chance[SLOT]
    fitted = {
        asked: OffHours(precision=asked).fit(activity(cpu_peak=np.where(busy, 40.0, 1.0))) for asked in (0.7, 0.8, 0.9)
    }

    later = drawn.random((168 * 4, 40)) < chance[np.arange(168 * 4) % 168]
    for asked, one in fitted.items():
        off = one.slots_[np.arange(168 * 4) % 168]
        assert (~later)[off].mean() >= asked - 0.02
    assert fitted[0.7].slots_.sum() > fitted[0.8].slots_.sum() > fitted[0.9].slots_.sum()


QUIET = {"cpu_peak": 4.0, "cpu_mean": 1.0, "received": 0.01, "sent": 0.01, "network": 0.02, "cores": 2.0}


@pytest.mark.parametrize(
    ("changed", "not_idle_by"),
    [
        pytest.param({"cpu_peak": 2.0}, set(), id="all agree on what does nothing"),
        pytest.param({}, {"azure_advisor"}, id="a peak of four percent"),
        pytest.param({"cpu_peak": 6.0}, {"azure_advisor", "aws_compute_optimizer"}, id="a peak of six percent"),
        pytest.param(
            {"cpu_peak": 2.0, "network": 0.06},
            {"aws_compute_optimizer", "aws_trusted_advisor"},
            id="5.1 MB of network a day",
        ),
        pytest.param(
            {"cpu_peak": 2.0, "network": 1.1, "received": 1.0, "sent": 0.1},
            {"aws_compute_optimizer", "aws_trusted_advisor", "optscale", "kubecost_abandoned", "cloudaware"},
            id="a kilobyte a second",
        ),
        pytest.param({"cpu_peak": 2.0, "cpu_mean": 1.8}, {"gcp_idle_vm"}, id="0.036 of two vCPUs are more than 0.03"),
        pytest.param(dict.fromkeys(QUIET, np.nan), set(RULES), id="what is not known is not idle"),
    ],
)
def test_the_rules_of_the_vendors(changed, not_idle_by) -> None:
    signals = {name: np.full((24 * 14, 1), value) for name, value in (QUIET | changed).items()}

    assert {name for name, rule in RULES.items() if not rule(activity(**signals))[0]} == not_idle_by
