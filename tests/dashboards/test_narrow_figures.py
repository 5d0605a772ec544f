"""Figures with long labels on a phone: every label is whole, and none lies over another."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from apps.charts.capacity import HeldHour, HeldWords, held_hours, week_heat
from apps.charts.plans import Axis, Bar, Series, over, scheduled
from tests.dashboards import company
from tests.dashboards.test_browser import overlap, visit, wait_for_figures

__all__ = ["visit"]

MONDAY = datetime(2026, 10, 5, tzinfo=UTC)
MOMENTS = [f"{MONDAY + timedelta(hours=hour):%Y-%m-%dT%H:%M}" for hour in range(7 * 24)]
FORMATS = {"en": "%-d %b %H:%M", "zh-hans": "%-m月%-d日 %H:%M"}
HOURS = [f"{hour:02d}:00" for hour in range(24)]
LESSON = Bar("classes", "2026-10-05T08:00", "2026-10-05T09:00", 3_600_000, "Maths", "#3b7dd8")
LABELS = """() => {
  const frame = document.querySelector(".figure__plot .main-svg").getBoundingClientRect();
  return [...document.querySelectorAll(".figure__plot .xtick text")].map(text => text.getBoundingClientRect())
    .filter(box => box.width > 0)
    .map(box => [box.left - frame.left, box.top - frame.top, box.right - frame.left, box.bottom - frame.top]
      .concat([frame.width, frame.height]));
}"""


def figures(language: str) -> dict[str, Any]:
    axis = Axis("", MOMENTS, moments=FORMATS[language])
    series = Series("used", [hour % 24 for hour in range(7 * 24)], "#3b7dd8", "area")
    held = [HeldHour(hour, 4, 3, 2, 1) for hour in HOURS]
    return {
        "a week by the hour": over(axis, [series], unit="cores"),
        "replicas": scheduled(axis, series, [], unit="replicas"),
        "replicas and classes": scheduled(axis, series, [LESSON], unit="replicas"),
        "hours of a day": held_hours(held, words=HeldWords("Capacity", "Requested", "Used", "cores"), high="High"),
        "hours of the week": week_heat(["Wednesday", "Sunday"], HOURS, [list(range(24)), [1000] * 24], "cores"),
    }


@pytest.mark.parametrize("language", FORMATS)
def test_every_label_of_an_axis_is_whole_and_alone(visit: Any, language: str) -> None:
    company.publish()
    page = visit("/why/", width=390, language=language)
    told: dict[str, Any] = {}
    page.route("**/figures/**", lambda route: route.fulfill(json=told))
    for name, drawn in figures(language).items():
        told.clear()
        told.update(drawn)
        page.reload()
        assert wait_for_figures(page) == ["yes"], name
        labels = page.evaluate(LABELS)
        assert len(labels) > 1, name
        for left, top, right, bottom, width, height in labels:
            assert min(left, top) >= -1, name
            assert right <= width + 1, name
            assert bottom <= height + 1, name
        assert [pair for pair in combinations(labels, 2) if overlap(*pair)] == [], name
