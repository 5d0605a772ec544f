"""Five weeks of a team's cost, small enough to add up on paper."""

from datetime import date, timedelta
from typing import Any

from apps.marts.models import Publication
from apps.reports import letters
from apps.reports.letters import Facts, Letter
from apps.reports.models import Report
from apps.reports.selectors import WeeklyReport
from apps.reports.weeks import Week
from apps.teams.models import Team
from tests.worlds import publish_costs

WEEK = Week.parse("2026-W44")  # 26 October to 1 November


def five_weeks(team: str = "live-class", **more: Any) -> list[dict[str, Any]]:
    """100.005 a day in the week and the one before it, 50 a day in the three before those; the week has its kinds."""
    kinds = {WEEK.start: "shared", WEEK.last_day: "idle"}
    days = [WEEK.before(4).start + timedelta(number) for number in range(35)]
    return [
        {
            "day": day,
            "team": team,
            "kind": kinds.get(day, "direct"),
            "namespace": f"{team}-{day.weekday() % 3}",
            "effective_cost": "100.005" if day >= WEEK.before().start else "50",
        }
        | more
        for day in days
    ]


def publish_weeks(rows: list[dict[str, Any]] | None = None, **more: Any) -> Publication:
    """Those five weeks, published."""
    return publish_costs(five_weeks() if rows is None else rows, **more)


def hire_lead(name: str = "live-class", **more: Any) -> Team:
    """A team with a lead who reads mail."""
    facts = {"title": "直播课堂", "lead_name": "李雷", "lead_email": f"{name}@example.com"} | more
    return Team.objects.create(name=name, **facts)


def other_cost(day: date, amount: str) -> dict[str, Any]:
    """A cost of another team."""
    return {"day": day, "team": "data-platform", "namespace": "etl", "effective_cost": amount}


def write_letter(report: WeeklyReport, *, attach: bool = False, **asked: Any) -> Letter:
    """The letter to a lead, without what is attached unless it is asked for."""
    return letters.write_letter(Facts(Report.LEAD, report), attach=attach, **asked)
