"""The quality of bills: what every source's bills break, what is held back, how they arrive and what they restated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.charts import labels
from apps.dashboards.arriving import said_late, said_usual
from apps.dashboards.sources import SEVERITIES
from apps.dashboards.telling import said, said_where
from apps.finops.money import add_up
from apps.finops.problems import Problem
from apps.ingest.changes import Change, changes_of
from apps.ingest.models import LandedFile, Restatement
from apps.ingest.quality.checks import ROW_CHECKS, SOURCE_CHECKS, RowCheck, SourceCheck
from apps.ingest.selectors import SourceState, source_states
from apps.pipeline import selectors as pipeline

CHECKS: dict[str, RowCheck | SourceCheck] = {check.code: check for check in ROW_CHECKS} | SOURCE_CHECKS
HELD = SOURCE_CHECKS["held"]
"""Told by file, with what to do, before the checks."""
EXAMPLES = 5
RESTATEMENTS = 6
CELLS = 12
MAX_TEXT = 400


@dataclass(frozen=True)
class Finding:
    """One check that was broken: what it means, the way out, and where it was seen."""

    severity: str
    severity_title: str
    code: str
    means: str
    way_out: str
    count: int
    examples: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Restated:
    """One new issue of a billing month: the difference by currency, and the largest changes."""

    billing_month: str
    at: datetime
    rows_before: int
    rows_after: int
    totals: tuple[tuple[str, Decimal], ...]
    changes: tuple[Change, ...]
    more: int


@dataclass(frozen=True)
class Held:
    """A file that is held back; `is_asked`: what it tells, others tell too, and somebody has to say what it is."""

    number: int
    path: str
    why: str
    is_asked: bool


@dataclass(frozen=True)
class Quality:
    """A source of bills, as the page shows it."""

    name: str
    kind: str
    arrival: str
    late: str
    last_day: date | None
    expected_share: Decimal | None
    held: tuple[Held, ...]
    findings: tuple[Finding, ...]
    restated: tuple[Restated, ...]

    @property
    def is_asked(self) -> bool:
        return any(file.is_asked for file in self.held)


def quality(now: datetime) -> list[Quality]:
    """Every source of bills."""
    return [_quality(state) for state in source_states(now) if state.source.is_billing]


def _quality(state: SourceState) -> Quality:
    source, arrival = state.source, state.arrival
    held = source.files.filter(state=LandedFile.State.HELD).order_by("path")
    newest = pipeline.newest_problems(source.name)
    return Quality(
        name=source.name,
        kind=_(source.title_of_kind),
        arrival=said_usual(arrival),
        late=said_late(arrival),
        last_day=arrival.last_day if arrival else None,
        expected_share=_share(arrival.expected_share if arrival else None),
        held=tuple(Held(file.pk, file.path, _why(file), bool(file.asked) and file.may_replace) for file in held[:20]),
        findings=tuple(_findings(one for one in [*state.problems, *newest] if one.code != HELD.code)),
        restated=tuple(_restated(one) for one in source.restatements.order_by("-pk")[:RESTATEMENTS]),
    )


def _share(learned: float | None) -> Decimal | None:
    """A learned share as the page writes shares."""
    return None if learned is None else Decimal(f"{learned:.4f}")


def _why(file: LandedFile) -> str:
    told = next((told["message"] for told in file.problems if told["code"] == HELD.code), "")
    return labels.plain(said(told.removesuffix(HELD.way_out).strip()), limit=MAX_TEXT)


def _findings(problems: Iterable[Problem]) -> Iterator[Finding]:
    """The broken checks, the severest first; what is said twice counts once."""
    by_code: dict[tuple[str, str], dict[tuple[str, str], None]] = {}
    for problem in problems:
        seen = by_code.setdefault((problem.severity, problem.code), {})
        told = said(_found(problem)) if problem.code in CHECKS else said(problem.message)
        seen[labels.plain(said_where(problem.subject), limit=MAX_TEXT), labels.plain(told, limit=MAX_TEXT)] = None
    for (severity, code), found in sorted(by_code.items(), key=lambda one: list(SEVERITIES).index(one[0][0])):
        check = CHECKS.get(code)
        yield Finding(
            severity=severity,
            severity_title=str(SEVERITIES[severity]),
            code=code,
            means=_(check.means) if check else next(iter(found))[1],
            way_out=_(check.way_out) if check else "",
            count=len(found),
            examples=tuple(found)[:EXAMPLES],
        )


def _found(problem: Problem) -> str:
    """What a check found, without what it means and the way out, which stand above its examples."""
    check = CHECKS[problem.code]
    return problem.message.removeprefix(check.means).strip().removesuffix(check.way_out).strip()


def _restated(one: Restatement) -> Restated:
    changes = changes_of(one)
    currencies = sorted({change.currency for change in changes})
    largest = sorted(changes, key=lambda change: (-abs(change.effective_difference), change.day, change.service))
    return Restated(
        billing_month=one.billing_month,
        at=one.at,
        rows_before=one.rows_before,
        rows_after=one.rows_after,
        totals=tuple(
            (name, add_up(each.effective_difference for each in changes if each.currency == name))
            for name in currencies
        ),
        changes=tuple(largest[:CELLS]),
        more=max(0, len(largest) - CELLS),
    )
