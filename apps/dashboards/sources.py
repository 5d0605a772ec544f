"""Sources and runs: what state they are in, what is wrong with them, and how far the machine has come."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.charts import labels
from apps.dashboards.arriving import said_late, said_usual
from apps.dashboards.telling import said, said_where
from apps.dashboards.templatetags import costs as written
from apps.dashboards.words import step_title
from apps.finops.problems import Problem
from apps.ingest import scrub
from apps.ingest.selectors import SourceState, source_states
from apps.pipeline import selectors as pipeline
from apps.pipeline.models import StepRun

RUNS, FINISHED = 40, 15
ACTIVE_S, IDLE_S = 2, 15
"""How often runs are asked for: while something runs, and while nothing does."""
LATELY = 500
SUBJECTS = 3
ALIKE = 3
"""So many sentences of one kind stand by themselves; more are told as the first of them, and others like it."""
MAX_TEXT = 600
MAX_SUBJECTS = 200
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
SEVERITIES: dict[str, Promise] = {"error": _("error"), "warning": _("warning"), "note": _("note")}


@dataclass(frozen=True)
class ProblemGroup:
    """One thing wrong, and everywhere it is: `first` and `more` name file, line and column, or query.

    `alike` are other things of the same kind, `alike_count` in all: where, and what is wrong there.
    """

    severity: str
    severity_title: str
    code: str
    message: str
    count: int
    first: tuple[str, ...]
    more: tuple[str, ...]
    alike: tuple[tuple[str, str], ...] = ()
    alike_count: int = 0


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
    usual: str
    late: str
    held: int
    problems: tuple[ProblemGroup, ...]


@dataclass(frozen=True)
class SourcesPage:
    """Every source, what is wrong that belongs to none of them, and files that are no longer what they were."""

    sources: tuple[SourceRow, ...]
    problems: tuple[ProblemGroup, ...]
    damaged: tuple[ProblemGroup, ...]


def sources_page(now: datetime) -> SourcesPage:
    newest = _newest_runs()
    return SourcesPage(
        sources=tuple(_source_row(state, newest.get(state.source.name, [])) for state in source_states(now)),
        problems=grouped(problem for run in newest.get("", []) for problem in _problems_of(run)),
        damaged=grouped(scrub.problems()),
    )


def _newest_runs() -> dict[str, list[StepRun]]:
    """By source (empty: none), the newest finished run of everything done lately."""
    newest: dict[str, StepRun] = {}
    for run in pipeline.recent_runs(LATELY):
        if run.state not in StepRun.ACTIVE:
            newest.setdefault(run.key, run)
    by_source: dict[str, list[StepRun]] = {}
    for run in newest.values():
        by_source.setdefault(run.source, []).append(run)
    return by_source


def _source_row(found: SourceState, runs: list[StepRun]) -> SourceRow:
    source = found.source
    problems = grouped([*found.problems, *(problem for run in runs for problem in _problems_of(run))])
    state = _state(found, {problem.severity for problem in problems})
    return SourceRow(
        name=source.name,
        kind=gettext(source.title_of_kind),
        location=without_credentials(source.location),
        cluster=source.cluster,
        state=state,
        state_title=str(STATES[state]),
        last_received=found.last_received,
        last_day=found.last_day,
        files=found.files,
        rows=found.rows,
        refused=found.refused,
        usual=said_usual(found.arrival),
        late=said_late(found.arrival),
        held=found.held,
        problems=problems,
    )


def _state(found: SourceState, severities: set[str]) -> str:
    if not found.source.is_active:
        return "paused"
    if "error" in severities:
        return "error"
    if found.last_received is None:
        return "empty"
    return "warning" if "warning" in severities else "ok"


def _problems_of(run: StepRun) -> list[Problem]:
    """What a run noticed; a failure that noticed nothing in particular is itself a problem."""
    if run.problems or run.state != StepRun.State.FAILED:
        return [Problem(**problem) for problem in run.problems]
    return [Problem("error", run.step, run.key, run.message or run.step)]


def grouped(problems: Iterable[Problem]) -> tuple[ProblemGroup, ...]:
    """The same thing in many places said once, and much of the same kind; the severest first."""
    kinds: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    for problem in problems:
        messages = kinds.setdefault((problem.severity, problem.code), {})
        messages.setdefault(problem.message, {})[problem.subject] = None
    severest_first = sorted(kinds.items(), key=lambda kind: list(SEVERITIES).index(kind[0][0]))
    return tuple(group for told, messages in severest_first for group in _groups(*told, messages))


def _groups(severity: str, code: str, messages: Mapping[str, Iterable[str]]) -> list[ProblemGroup]:
    groups = [_group(severity, code, message, list(subjects)) for message, subjects in messages.items()]
    if len(groups) <= ALIKE:
        return groups
    first, *others = groups
    alike = [(subject, one.message) for one in others for subject in (*one.first, *one.more)]
    return [replace(first, alike=tuple(alike[:MAX_SUBJECTS]), alike_count=sum(one.count for one in others))]


def _group(severity: str, code: str, message: str, subjects: list[str]) -> ProblemGroup:
    shown = tuple(labels.plain(said_where(subject), limit=MAX_TEXT) for subject in subjects[:MAX_SUBJECTS])
    return ProblemGroup(
        severity=severity,
        severity_title=str(SEVERITIES[severity]),
        code=labels.plain(code),
        message=labels.plain(said(message), limit=MAX_TEXT),
        count=len(subjects),
        first=shown[:SUBJECTS],
        more=shown[SUBJECTS:],
    )


def without_credentials(location: str) -> str:
    """A path or address without user, password or query: what is shown to people."""
    if "://" not in location:
        return location
    parts = urlsplit(location)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def runs(now: datetime) -> list[dict[str, Any]]:
    """The newest runs as text, unfinished ones first: the same for the page and for the script that keeps it fresh."""
    unfinished = pipeline.active_runs()[: RUNS - FINISHED]
    finished = [run for run in pipeline.recent_runs(2 * RUNS) if run.state not in StepRun.ACTIVE]
    return [run_row(run, now) for run in [*unfinished, *finished][:RUNS]]


def news(now: datetime) -> dict[str, Any]:
    """What the sources page keeps fresh: counts of the work at hand, when sources were looked at, and runs.

    `mark` stands for all of it; after `again_s` one asks anew.
    """
    return kept_fresh(runs(now))


def kept_fresh(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Runs with the work at hand, the `mark` of all that, and when to ask anew."""
    found = pipeline.progress()
    is_active = bool(found.waiting or found.running)
    told = {
        **asdict(found),
        "total": found.total,
        "finished": found.done + found.failed,
        "is_active": is_active,
        "again_s": ACTIVE_S if is_active else IDLE_S,
        "looked_at": written.moment(pipeline.last_fill().looked_at),
        "runs": rows,
    }
    return told | {"mark": hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]}


def run_row(run: StepRun, now: datetime) -> dict[str, str]:
    """A run as text."""
    last = run.window_end - timedelta(days=1) if run.window_end else None
    days = written.day_range(run.window_start, last) if run.window_start and last else ""
    length = (run.finished_at or now) - run.started_at if run.started_at else None
    return {
        "id": str(run.pk),
        "state": run.state,
        "state_title": str(RUN_STATES[run.state]),
        "step": run.step,
        "title": step_title(run.step),
        "source": run.source,
        "window": days,
        "rows": f"{run.rows:,}" if run.rows else "",
        "duration": written.span(length) if length is not None else "",
        "started": written.moment(run.started_at) if run.started_at else "",
        "message": _message(run),
    }


def _message(run: StepRun) -> str:
    told: Iterable[Mapping[str, Any]] = run.problems
    return labels.plain(said(next((str(problem["message"]) for problem in told), run.message)))
