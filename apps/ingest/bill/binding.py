"""Binding a mapping to the columns of a file: which one reads it, and what is wrong with its header."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from apps.finops.problems import Problem
from apps.ingest.bill.mapping import Bound, Input, Mapping
from apps.ingest.reading import Content
from apps.ingest.text.header import BadHeader, refuse_twins


def bind(mappings: Sequence[Mapping], columns: tuple[str, ...], name: str) -> Bound:
    """The first mapping that finds all the columns it requires; BadHeader says what the nearest one misses."""
    bound = [mapping.bind(columns) for mapping in mappings]
    best = min(bound, key=lambda one: len(one.missing()))
    if missing := best.missing():
        wanted = ", ".join(" or ".join(one.names[:3]) for one in missing)
        raise BadHeader(
            Problem(
                "error",
                "missing_column",
                f"{name}, line 1",
                f"Required columns are missing: {wanted}.{_hint(missing, columns)}",
            )
        )
    refuse_twins(columns, name, [best.name(alias) for alias in best.positions])
    return best


def _hint(missing: Iterable[Input], columns: tuple[str, ...]) -> str:
    spelled = {column.casefold(): column for column in columns}
    near = [spelled[name.casefold()] for one in missing for name in one.names if name.casefold() in spelled]
    return f" Names are written exactly so, not {', '.join(near)}." if near else ""


def notes(bound: Bound, name: str) -> list[Problem]:
    """What a person should know about a usable header: columns that are neither read nor custom."""
    stray = [column for column in bound.unread if not column.startswith("x_")]
    if not stray or bound.mapping.keeps != "all":
        return []
    message = f"Columns that are not FOCUS are kept in x_Other: {', '.join(stray)}."
    return [Problem("note", "unknown_column", f"{name}, line 1", message)]


def other_days(bound: Bound, name: str, zone: str, contents: Sequence[Content] = ()) -> list[Problem]:
    """A warning where a bill tells whole days that begin on the day before in the business time zone: by its header, or
    since its charges begin at midnight though it has columns for hours."""
    alias, *hours = bound.mapping.days or ("",)
    one = bound.input(alias) if alias else None
    if one is None or not _begins_before(one.zone, zone):
        return []
    are_days = contents and all(content.begins_at_midnight(one.zone) for content in contents)
    if any(each in bound.positions for each in hours) and not are_days:
        return []
    message = (
        f"These are days of {one.zone}, which begin on the day before in {zone}: what they cost stands one day early. "
        f"Set COSTOPS_TIME_ZONE to {one.zone} before the first fill."
    )
    return [Problem("warning", "other_days", f"{name}, line 1, column {bound.name(alias)}", message)]


def _begins_before(theirs: str, ours: str) -> bool:
    """Whether midnight there is the evening before here, in winter or in summer."""
    nights = [datetime(2026, month, 1, tzinfo=ZoneInfo(theirs)).astimezone(UTC) for month in (1, 7)]
    return any(night.astimezone(ZoneInfo(ours)).day > 1 for night in nights)
