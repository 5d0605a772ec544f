"""The period that a question is compared with, and which step of time stands beside which."""

from collections.abc import Callable
from datetime import date, timedelta

from apps.finops.periods import Published
from apps.finops.windows import ONE_DAY, Window
from apps.marts.query import BadQuestion, CostQuery

WORDS = ("previous", "year")


def read_comparison(text: str) -> str | Window:
    """`previous`, `year`, or the days `FIRST/AFTER` of a window; raises BadQuestion that says so."""
    if text in WORDS:
        return text
    first, _, after = text.partition("/")
    try:
        return Window.parse(first, after)
    except ValueError:
        raise BadQuestion(
            f"compare: {text[:40]!r} is not previous, year, or a window such as 2026-09-01/2026-10-01, its end excluded"
        ) from None


def compared(query: CostQuery, compare: str | Window, known: Published) -> tuple[Window | None, Window, str]:
    """The days of a question that are compared, those they are compared with, and why they cannot be; empty where they
    can."""
    asked = Window(query.start, query.end)
    if isinstance(compare, Window):
        both = known.compared(asked, compare)
        return (*both, "") if both else (None, compare, unknown_because(asked, compare, known))
    before = window_before(query, compare, known)
    return known.part_of(asked), before, unknown_because(asked, before, known)


def window_before(query: CostQuery, compare: str, known: Published) -> Window:
    """The days that `previous` and `year` compare with.

    `previous` is as many days just before; where the question begins with a month, the same days of the month before,
    and of whole months as many whole months. `year` is the same days a year earlier. Days of the question that have
    not come have no counterpart either: part of a month is compared with the same part.
    """
    asked = Window(query.start, query.end)
    end = (known.part_of(asked) or asked).end
    if compare == "year":
        return Window(_months_back(query.start, 12), _end_back(end, 12))
    if query.start.day != 1 or (months := _months(query)) == 0:
        return Window(query.start - (end - query.start), query.start)
    return Window(_months_back(query.start, months), _end_back(end, months))


def _months(query: CostQuery) -> int:
    """How many months to step back: those of a question of whole months, one for part of one month; else none."""
    last = query.end - ONE_DAY
    spanned = (last.year - query.start.year) * 12 + last.month - query.start.month + 1
    return spanned if query.end.day == 1 or spanned == 1 else 0


def _end_back(end: date, months: int) -> date:
    """The day after the last: whole months stay whole months."""
    return _months_back(end, months) if end.day == 1 else _months_back(end - ONE_DAY, months) + ONE_DAY


def _months_back(day: date, months: int) -> date:
    """The same day so many months earlier, the last of the month where it has no such day."""
    first = date(day.year + (day.month - 1 - months) // 12, (day.month - 1 - months) % 12 + 1, 1)
    last = (first + timedelta(days=32)).replace(day=1) - ONE_DAY
    return min(first + timedelta(days=day.day - 1), last)


def unknown_because(asked: Window, before: Window, days: Published) -> str:
    """Why days cannot be compared with those before; empty where they can."""
    if days.until is None:
        return "No cost is published."
    known = f"only those from {days.first} until {days.until} (end excluded)"
    part = days.part_of(asked)
    if days.came_in_part(asked):
        since = f"every bill came from {days.first} until {days.until} (end excluded)"
        return f"A bill is late on every day of {asked}: {since}."
    if part is None:
        return f"None of the days of {asked} is published, {known}."
    if days.part_of(before) != before:
        return f"Not all days of {before} are published, {known}."
    if part.start - asked.start >= before.end - before.start:
        return f"None of the days of {before} stands beside a day of {asked} that is published, {known}."
    return ""


Step = date | str
_STEPS: dict[str, tuple[Callable[[date], int], Callable[[int], Step]]] = {
    "day": (date.toordinal, date.fromordinal),
    "week": (lambda day: (day.toordinal() - 1) // 7, lambda week: date.fromordinal(week * 7 + 1)),
    "month": (
        lambda day: day.year * 12 + day.month - 1,
        lambda month: f"{date(month // 12, month % 12 + 1, 1):%Y-%m}",
    ),
}
"""Grain → the number of the step a day lies in, and the step of a number as answers spell it."""


def moved(grain: str, step: Step, before: Window, now: Window) -> Step | None:
    """The step of the present period beside a step of the one before: the third day stands beside the third. None
    where the present period is over by then."""
    number, spelled = _STEPS[grain]
    at = number(date.fromisoformat(f"{step}-01") if isinstance(step, str) else step)
    moved_to = at - number(before.start) + number(now.start)
    return spelled(moved_to) if moved_to <= number(now.end - ONE_DAY) else None
