"""When an initiative is measured."""

from datetime import date, timedelta

from apps.savings.models import Initiative

VERSION = "1"
"""Of the method: raised whenever other measurements would come of the same numbers."""
MODEL = f"ensemble of four methods, version {VERSION}"


def milestones(one: Initiative, until: date) -> list[date]:
    """The days before which it is measured, up to one: every week of its window, the day of its verdict, then every
    month for a year, to see whether it lasts."""
    weeks = [one.measured_from + timedelta(days=7 * week) for week in range(1, one.window_days // 7 + 1)]
    months = [one.decided_on + timedelta(days=30 * month) for month in range(1, 13)]
    return [day for day in sorted({*weeks, one.decided_on, *months}) if day <= until and day <= months[-1]]
