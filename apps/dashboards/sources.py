"""Sources and runs: what state they are in, what is wrong with them, and how far the machine has come."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.db.models import Count, Max, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.charts import labels
from apps.dashboards.templatetags import costs as written
from apps.ingest.models import LandedFile, MeteredDay, Source
from apps.pipeline import selectors as pipeline
from apps.pipeline.models import StepRun

RUNS, FINISHED = 40, 15
FILES = 200
MAX_TEXT = 600
STATES: dict[str, Promise] = {
    "ok": _("Healthy"),
    "warning": _("Needs a look"),
    "error": _("Failed"),
    "empty": _("Nothing received yet"),
    "paused": _("Paused"),
}
RUN_STATES: dict[str, Promise] = {
    "waiting": _("Waiting"),
    "running": _("Running"),
    "done": _("Done"),
    "failed": _("Failed"),
}
KINDS: dict[str, Promise] = {
    "focus": _("FOCUS billing export"),
    "prometheus": _("Prometheus"),
    "usage_files": _("Usage files"),
}
SEVERITIES: dict[str, Promise] = {"error": _("error"), "warning": _("warning"), "note": _("note")}


@dataclass(frozen=True)
class ProblemRow:
    """One thing wrong: `subject` names file, line and column, or query."""

    severity: str
    severity_title: str
    code: str
    subject: str
    message: str


@dataclass(frozen=True)
class SourceRow:
    """A source as the page shows it."""

    name: str
    kind: str
    location: str
    cluster: str
    state: str
    state_title: str
    last_received: datetime | None
    last_day: date | None
    files: int
    rows: int
    refused: int
    problems: tuple[ProblemRow, ...]


def sources() -> list[SourceRow]:
    """Every source, by name, with its state and its problems."""
    counted = Source.objects.order_by("name").annotate(
        current=Count("files", filter=Q(files__state=LandedFile.State.CURRENT)),
        refused=Count("files", filter=Q(files__state=LandedFile.State.REFUSED)),
        landed_at=Max("files__landed_at"),
    )
    metered = {
        row["source"]: (row["pulled"], row["last"])
        for row in MeteredDay.objects.values("source").annotate(pulled=Max("pulled_at"), last=Max("day")).order_by()
    }
    rows, days, failed = _rows_and_last_days(), _metered_last_days(metered), _newest_failures()
    return [_source_row(source, metered, rows, days, failed) for source in counted]


def _source_row(
    source: Any,
    metered: Mapping[int, tuple[datetime, date]],
    read: Mapping[int, tuple[int, date | None]],
    days: Mapping[int, date],
    failed: Mapping[str, StepRun],
) -> SourceRow:
    problems = _problems_of(source, failed.get(source.name))
    pulled = metered.get(source.pk, (None, None))[0]
    rows, last = read.get(source.pk, (0, None))
    received = max((moment for moment in (source.landed_at, pulled) if moment), default=None)
    state = _state(source, problems, received)
    return SourceRow(
        name=source.name,
        kind=str(KINDS.get(source.kind, source.kind)),
        location=without_credentials(source.location),
        cluster=source.cluster,
        state=state,
        state_title=str(STATES[state]),
        last_received=received,
        last_day=max((day for day in (last, days.get(source.pk)) if day), default=None),
        files=source.current,
        rows=rows,
        refused=source.refused,
        problems=problems,
    )


def _state(source: Source, problems: Iterable[ProblemRow], received: datetime | None) -> str:
    severities = {problem.severity for problem in problems}
    if not source.is_active:
        return "paused"
    if "error" in severities:
        return "error"
    if received is None:
        return "empty"
    return "warning" if "warning" in severities else "ok"


def _rows_and_last_days() -> dict[int, tuple[int, date | None]]:
    """Per source: rows that count, and the last day they reach."""
    found: dict[int, tuple[int, date | None]] = {}
    current = LandedFile.objects.filter(state=LandedFile.State.CURRENT)
    for source, rows, contents in current.values_list("source", "rows", "contents"):
        total, last = found.get(source, (0, None))
        days = [date.fromisoformat(day) for part in contents for day in _day_texts(part)]
        found[source] = total + rows, max([*days, *([last] if last else [])], default=None)
    return found


def _day_texts(part: Mapping[str, Any]) -> list[str]:
    """The days a window of a file names, however it lists them."""
    days = part.get("days") or ()
    texts = days.values() if isinstance(days, Mapping) else days
    return [text for text in texts if isinstance(text, str) and len(text) == 10]


def _metered_last_days(metered: Mapping[int, tuple[datetime, date]]) -> dict[int, date]:
    return {source: last for source, (_pulled, last) in metered.items()}


def _newest_failures() -> dict[str, StepRun]:
    """Per source, its newest finished run of a step, where that failed."""
    finished = StepRun.objects.filter(state__in=["done", "failed"]).exclude(source="")
    newest = finished.values("source", "step").annotate(last=Max("pk")).order_by().values_list("last", flat=True)
    failed = StepRun.objects.filter(pk__in=list(newest), state="failed").order_by("pk")
    return {run.source: run for run in failed}


def _problems_of(source: Source, failure: StepRun | None) -> tuple[ProblemRow, ...]:
    """Problems of the files that count or were refused, and of the newest run if it failed; each of them once."""
    telling = source.files.filter(state__in=["current", "refused", "landed"]).exclude(problems=[]).order_by("-pk")
    rows = [
        problem_row(problem) for problems in telling.values_list("problems", flat=True)[:FILES] for problem in problems
    ]
    if failure is not None:
        rows += [problem_row(problem) for problem in failure.problems]
        if failure.message and not failure.problems:
            rows.append(_failure_row(failure))
    return tuple(dict.fromkeys(sorted(rows, key=lambda row: list(SEVERITIES).index(row.severity))))


def _failure_row(failure: StepRun) -> ProblemRow:
    return ProblemRow(
        "error", str(SEVERITIES["error"]), failure.step, failure.step, labels.plain(failure.message, limit=MAX_TEXT)
    )


def problem_row(problem: Mapping[str, Any]) -> ProblemRow:
    """A stored problem as the page shows it."""
    severity = problem.get("severity") if problem.get("severity") in SEVERITIES else "error"
    return ProblemRow(
        severity=str(severity),
        severity_title=str(SEVERITIES[str(severity)]),
        code=labels.plain(str(problem.get("code", ""))),
        subject=labels.plain(str(problem.get("subject", "")), limit=MAX_TEXT),
        message=labels.plain(str(problem.get("message", "")), limit=MAX_TEXT),
    )


def without_credentials(location: str) -> str:
    """A path or address without user, password or query: what is shown to people."""
    if "://" not in location:
        return location
    parts = urlsplit(location)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def runs(now: datetime) -> list[dict[str, str]]:
    """The newest runs as text, unfinished ones first: the same for the page and for the script that keeps it fresh."""
    unfinished = pipeline.active_runs()[: RUNS - FINISHED]
    finished = [run for run in pipeline.recent_runs(2 * RUNS) if run.state not in StepRun.ACTIVE]
    return [_run_row(run, now) for run in [*unfinished, *finished][:RUNS]]


def news(now: datetime) -> dict[str, Any]:
    """What the sources page keeps fresh: counts of the work at hand, when sources were looked at, and runs."""
    found = pipeline.progress()
    return {
        **asdict(found),
        "total": found.total,
        "finished": found.done + found.failed,
        "is_active": bool(found.waiting or found.running),
        "looked_at": written.moment(pipeline.last_fill().looked_at),
        "runs": runs(now),
    }


def _run_row(run: StepRun, now: datetime) -> dict[str, str]:
    last = run.window_end - timedelta(days=1) if run.window_end else None
    days = written.day_range(run.window_start, last) if run.window_start and last else ""
    length = (run.finished_at or now) - run.started_at if run.started_at else None
    return {
        "id": str(run.pk),
        "state": run.state,
        "state_title": str(RUN_STATES[run.state]),
        "step": run.step,
        "source": run.source,
        "window": days,
        "rows": f"{run.rows:,}" if run.rows else "",
        "duration": written.span(length) if length is not None else "",
        "started": written.moment(run.started_at) if run.started_at else "",
        "message": labels.plain(run.message or "; ".join(str(p.get("message", "")) for p in run.problems[:3])),
    }
