"""What the simulated company set itself: budgets of all, of departments, of teams; and its year of terms and sales."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from apps.calendars.periods import period_of
from apps.demo.organisation import COMPANY, DEPARTMENTS, TEAMS
from apps.demo.papers import write_table

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


def write_budgets(path: Path, daily: Mapping[str, Decimal], *, start: date) -> None:
    """Budgets from what each team costs a day on average, from the month of the first day on."""
    write_table(path, BUDGETS, list(_budgets(daily, start)))


def _budgets(daily: Mapping[str, Decimal], start: date) -> Iterator[tuple[str, ...]]:
    month, quarter = (period_of(grain, start).start for grain in ("month", "quarter"))
    everything = sum(daily.values(), Decimal(0))
    yield _row(COMPANY[1], "", "", "month", everything * 31 * ALL_PERCENT / 100, month, why="as planned")
    by_department: dict[str, Decimal] = {}
    for team in TEAMS:
        by_department[team.department] = by_department.get(team.department, Decimal(0)) + daily.get(
            team.name, Decimal(0)
        )
    for number, (name, cost) in enumerate(sorted(by_department.items())):
        profile = (
            ("terms", TERM_WEIGHT) if name == "live" else ("workdays", "") if name == "corporate" else ("even", "")
        )
        amount = cost * 92 * TIGHT.get(name, ROOM[number % len(ROOM)]) / 100
        named = DEPARTMENTS[name]
        yield _row(named, "department", name, "quarter", amount, quarter, profile=profile, rollover="unused")
    for project, percent in PROJECTS.items():
        yield _row(f"项目 {project}", "tag:project", project, "month", everything * 31 * percent / 100, month)
    for number, team in enumerate(TEAMS):
        amount = daily.get(team.name, Decimal(0)) * 31 * TIGHT.get(team.name, ROOM[number % len(ROOM)]) / 100
        if amount > 0:
            yield _row(team.title, "team", team.name, "month", amount, month, owner_team=team.name)


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
    write_table(path, CALENDAR, [row for year in years for row in _year(year)])


def _year(year: int) -> Iterator[tuple[str, ...]]:
    yield "春季学期", "term", f"{year}-02-24", f"{year}-07-08"
    yield "秋季学期", "term", f"{year}-09-01", f"{year + 1}-01-17"
    yield "618", "promotion", f"{year}-06-01", f"{year}-06-18"
    yield "暑期招生", "promotion", f"{year}-07-09", f"{year}-07-25"
    yield "双十一", "promotion", f"{year}-11-01", f"{year}-11-11"
