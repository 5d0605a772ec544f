"""The way from nothing to the first published number: what is done, what is now, what comes next."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts import labels
from apps.dashboards.faults import said
from apps.dashboards.sources import ProblemGroup, grouped, news
from apps.dashboards.uploads import form as upload_form
from apps.finops.errors import CostOpsError
from apps.finops.problems import Problem
from apps.finops.windows import ONE_DAY
from apps.ingest import kinds, sources
from apps.ingest.models import LandedFile, Source
from apps.marts.models import Publication
from apps.marts.selectors import NothingPublished, publication
from apps.pipeline.selectors import open_failures
from apps.teams.documents import READERS, TeamsFileRefused
from apps.teams.models import Team
from apps.teams.organising import newest_tree_number
from apps.teams.selectors import active_teams, rules_sha256
from apps.teams.services import import_teams

STEPS: dict[str, Promise] = {
    "source": gettext_lazy("Say where bills come from"),
    "bill": gettext_lazy("Bring a bill"),
    "teams": gettext_lazy("Say who pays"),
    "fill": gettext_lazy("Fill"),
    "number": gettext_lazy("The first number"),
}
DONE, NOW, NEXT, MAY = "done", "now", "next", "may"
STATES: dict[str, tuple[Promise, str]] = {
    DONE: (gettext_lazy("done"), "ok"), NOW: (gettext_lazy("now"), "running"), NEXT: (gettext_lazy("next"), ""),
    MAY: (gettext_lazy("now or later"), ""),
}  # fmt: skip
UPLOADED = kinds.READY_TO_UPLOAD
"""Kinds whose files are brought as they are; the others need options, which are given at the terminal."""
TEAMS_EXAMPLE = """teams:
  - name: web
    title: Web shop
rules:
  - name: web by account
    when: {sub_account: "1001"}
    team: web
"""


class NotTheFirst(CostOpsError):
    """There are teams or rules that did not come by this page; nothing was changed."""


@dataclass(frozen=True)
class StepState:
    """One step of the way."""

    key: str
    title: str
    state: str
    state_title: str
    tone: str


@dataclass(frozen=True)
class FirstSteps:
    """The page. `stage` changes when any step does; `refused` and `problems` are of what was just asked."""

    steps: tuple[StepState, ...]
    stage: str
    kinds: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str, bool], ...]
    upload: Mapping[str, Any]
    files: tuple[tuple[str, str, int], ...]
    file_problems: tuple[ProblemGroup, ...]
    failures: tuple[ProblemGroup, ...]
    teams: tuple[str, ...]
    takes_teams: bool
    totals: tuple[tuple[str, Decimal], ...]
    publication: Publication | None
    news: Mapping[str, Any]
    example: str
    given: Mapping[str, str] = field(default_factory=dict)
    refused: str = ""
    problems: tuple[ProblemGroup, ...] = ()

    @property
    def last_day(self) -> date | None:
        end = self.publication.end_day if self.publication else None
        return end - ONE_DAY if end else None

    @property
    def now(self) -> str:
        """The step that is to be done; empty where all are."""
        return next((one.key for one in self.steps if one.state == NOW), "")


def page(
    now: datetime, *, taken: str = "", given: Mapping[str, str] | None = None, wrong: CostOpsError | None = None
) -> FirstSteps:
    """Where the installation stands; `taken` is what the reader imported here last, `wrong` why what was just asked
    was not done."""
    found = list(Source.objects.filter(is_active=True).order_by("name"))
    files = list(LandedFile.objects.filter(source__in=found).order_by("-landed_at", "-pk")[:20])
    teams, published = active_teams(), _published()
    steps = _steps(found, files, bool(teams), published)
    problems = wrong.problems if isinstance(wrong, TeamsFileRefused) else ()
    titles = kinds.titles()
    return FirstSteps(
        steps=steps,
        stage=stage(steps),
        kinds=tuple((kind, _(titles[kind])) for kind in UPLOADED),
        sources=tuple((one.name, _(one.title_of_kind), sources.is_uploadable(one)) for one in found),
        upload=upload_form(),
        files=tuple((labels.plain(one.path), str(one.state), one.rows) for one in files),
        file_problems=grouped(Problem(**told) for one in files for told in one.problems),
        failures=grouped(
            Problem("error", run.step, run.key, run.message)
            for run in open_failures()
            if run.message and not run.problems
        ),
        teams=tuple(one.title or one.name for one in teams),
        takes_teams=takes_teams(taken),
        totals=tuple(sorted((currency, Decimal(total)) for currency, total in _totals(published).items())),
        publication=published,
        news=news(now),
        example=TEAMS_EXAMPLE,
        given=given or {},
        refused="" if wrong is None or problems else said(str(wrong)),
        problems=grouped(replace(one, message=said(one.message)) for one in problems),
    )


def _published() -> Publication | None:
    try:
        found = publication()
    except NothingPublished:
        return None
    return found if found.end_day is not None else None


def _totals(published: Publication | None) -> Mapping[str, str]:
    """Effective cost by currency."""
    told: Mapping[str, Any] = published.totals if published else {}
    return {
        currency: total["effective_cost"] if isinstance(total, Mapping) else total for currency, total in told.items()
    }


def _steps(
    found: list[Source], files: list[LandedFile], has_teams: bool, published: Publication | None
) -> tuple[StepState, ...]:
    is_done = {
        "source": any(one.is_billing for one in found),
        "bill": any(one.state == LandedFile.State.CURRENT and one.source.is_billing for one in files),
        "teams": has_teams,
        "fill": published is not None,
        "number": published is not None,
    }
    first = next((key for key in STEPS if not is_done[key] and key != "teams"), "")
    return tuple(_step(key, _state(key, first, is_done)) for key in STEPS)


def _state(key: str, first: str, is_done: Mapping[str, bool]) -> str:
    if is_done[key]:
        return DONE
    return MAY if key == "teams" else NOW if key == first else NEXT


def _step(key: str, state: str) -> StepState:
    title, tone = STATES[state]
    return StepState(key, str(STEPS[key]), state, str(title), tone)


def stage(steps: tuple[StepState, ...]) -> str:
    return "-".join(one.state for one in steps)


def progress(now: datetime) -> dict[str, Any]:
    """What the page keeps fresh; at another `stage` than it was made with it is made anew."""
    return {"news": news(now), "stage": page(now).stage}


def add_source(given: Mapping[str, str], now: datetime) -> Source:
    """A source whose files are brought through the browser."""
    kind = given.get("kind", "")
    if kind not in UPLOADED:
        raise sources.InvalidSource(_("Choose a kind of file."))
    name, cluster = given.get("name", "").strip(), given.get("cluster", "").strip()
    return sources.add_upload_source(name=name, kind=kind, cluster=cluster, options={}, now=now)


def takes_teams(taken: str) -> bool:
    """Whether a file may say who pays: there are no teams and rules yet, or those that the same person imported here,
    unchanged, and nothing is published. Everything later goes by drafts, which others approve, or by the terminal."""
    standing = _standing()
    return not standing or (standing == taken and _published() is None)


def _standing() -> str:
    """What teams, rules and organisation there are is known by; empty where there are none."""
    teams = list(Team.objects.order_by("pk").values_list())
    rules, tree = rules_sha256(), newest_tree_number()
    return hashlib.sha256(repr((teams, rules, tree)).encode()).hexdigest() if teams or rules or tree else ""


def take_teams(brought: Any, now: datetime, *, taken: str = "") -> str:
    """Import a file of teams; by what is known what was taken, so that the same person can correct it."""
    if not takes_teams(taken):
        raise NotTheFirst(
            _(
                "There are teams or rules already, and nothing was changed. Draft other rules on the page of rules, or "
                "import the file at the terminal (manage.py import_teams)."
            )
        )
    suffix = Path(brought.name or "").suffix.lower()
    if suffix not in READERS:
        raise sources.InvalidSource(_("The name must end in one of %(endings)s.") % {"endings": ", ".join(READERS)})
    with tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR) as folder:
        path = Path(folder) / f"teams{suffix}"
        shutil.copyfile(brought.temporary_file_path(), path)
        import_teams(path, now)
    return _standing()
