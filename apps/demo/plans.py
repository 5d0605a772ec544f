"""What the simulated company set itself: budgets of all, of departments, of teams; and its year of terms and sales."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from apps.calendars.periods import Period, period_of
from apps.demo import seasons
from apps.demo.organisation import COMPANY, DEPARTMENTS, TEAMS
from apps.demo.papers import write_table
from apps.demo.seasons import PROMOTION, TERM

BUDGETS = ("name", "dimension", "value", "grain", "amount", "currency", "valid_from", "metric", "valid_to", "profile",
           "weights", "rollover", "owner_team", "owner", "why")  # fmt: skip
CALENDAR = ("name", "kind", "first", "last")
ALL_PERCENT = 99
"""What the company allows itself of what it will spend: it is warned before the month ends."""
TIGHT = {"live-core": 93, "ai": 98}
"""Who has less than they need: a team that has overspent, a department that will."""
PROJECTS = {"lakehouse": 12, "homework": 12}
"""Tagged project → its budget in percent of what the company spends: one will be spent, one has room."""
ROOM = (112, 105, 120, 108, 115)
"""What others have, in percent of what they spend."""
TERM_WEIGHT = "1.5"
DIGITS = 3


def write_budgets(path: Path, daily: Mapping[str, Decimal], *, start: date, end: date) -> None:
    """Budgets from what each team costs a day on average, from the month of the first day on, as large as the period
    of the last day needs: others are shorter or longer."""
    write_table(path, BUDGETS, list(_budgets(daily, start, end - timedelta(days=1))))


def _budgets(daily: Mapping[str, Decimal], start: date, last: date) -> Iterator[tuple[str, ...]]:
    month, grain = period_of("month", start).start, _longer(start, last)
    days, longer = (_length(period_of(one, last)) for one in ("month", grain))
    everything = sum(daily.values(), Decimal(0)) * days
    yield _row(COMPANY[1], "", "", "month", everything * ALL_PERCENT / 100, month, why="as planned")
    by_department: dict[str, Decimal] = {}
    for team in TEAMS:
        by_department[team.department] = by_department.get(team.department, Decimal(0)) + daily.get(
            team.name, Decimal(0)
        )
    for number, (name, cost) in enumerate(sorted(by_department.items())):
        profile = (
            ("terms", TERM_WEIGHT) if name == "live" else ("workdays", "") if name == "corporate" else ("even", "")
        )
        amount = cost * longer * TIGHT.get(name, ROOM[number % len(ROOM)]) / 100
        since = period_of(grain, start).start
        yield _row(DEPARTMENTS[name], "department", name, grain, amount, since, profile=profile, rollover="unused")
    for project, percent in PROJECTS.items():
        yield _row(f"项目 {project}", "tag:project", project, "month", everything * percent / 100, month)
    for number, team in enumerate(TEAMS):
        amount = daily.get(team.name, Decimal(0)) * days * TIGHT.get(team.name, ROOM[number % len(ROOM)]) / 100
        if amount > 0:
            yield _row(team.title, "team", team.name, "month", amount, month, owner_team=team.name)


def _longer(start: date, last: date) -> str:
    """The longest grain of which the window has the period of the last day from its begin on; of what began before
    it, nobody can say where it lands."""
    return "quarter" if period_of("quarter", last).start >= start else "month"


def _length(period: Period) -> int:
    return (period.end - period.start).days


def _row(
    name: str,
    dimension: str,
    value: str,
    grain: str,
    amount: Decimal,
    valid_from: date,
    *,
    profile: tuple[str, str] = ("even", ""),
    rollover: str = "none",
    owner_team: str = "",
    why: str = "",
) -> tuple[str, ...]:
    return (name, dimension, value, grain, _round(amount), "CNY", valid_from.isoformat(), "effective_cost", "",
            *profile, rollover, owner_team, "", why)  # fmt: skip


def _round(amount: Decimal) -> str:
    """As people round budgets: three digits that count."""
    return f"{round(amount, DIGITS - 1 - amount.adjusted()):f}"


def write_calendar(path: Path, *, start: date, end: date) -> None:
    """The school terms and sales of the years from before the window to after it."""
    years = range(start.year - 1, (end + timedelta(days=92)).year + 1)
    known = (one for year in years for one in seasons.year_of(year) if one.kind in (TERM, PROMOTION))
    write_table(path, CALENDAR, ((one.name, one.kind, one.first.isoformat(), one.last.isoformat()) for one in known))
