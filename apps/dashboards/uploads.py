"""The upload page: what may be brought where, why something was not taken, and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.charts import labels
from apps.dashboards.sources import ProblemGroup, grouped
from apps.finops.problems import Problem
from apps.ingest import uploads
from apps.ingest.landing import SUFFIXES
from apps.ingest.models import LandedFile, Source
from apps.ingest.selectors import billed

REFUSALS: Mapping[str, Promise] = {
    "empty": _("The file is empty."),
    "name": _("This name cannot be taken: name the file with letters, digits, spaces and hyphens."),
    "suffix": _("Only bills are taken: CSV, Parquet, JSON, also packed with gzip or zip."),
    "twice": _("Two files of the same name."),
}
STATES: Mapping[str, tuple[str, Promise]] = {
    "": ("running", _("Waiting to be taken over")),
    LandedFile.State.LANDED: ("running", _("Waiting to be read")),
    LandedFile.State.CURRENT: ("ok", _("Counts")),
    LandedFile.State.SUPERSEDED: ("", _("Replaced by a newer file")),
    LandedFile.State.DUPLICATE: ("warning", _("Same content as another file")),
    LandedFile.State.REFUSED: ("error", _("Refused")),
    LandedFile.State.HELD: ("warning", _("Held back")),
}


@dataclass(frozen=True)
class Choice:
    """A source to choose."""

    name: str
    kind: str


@dataclass(frozen=True)
class Fate:
    """What became of a file. `costs` is what it bills, by currency."""

    name: str
    tag: str
    state: str
    rows: int
    costs: tuple[tuple[str, str], ...]
    problems: tuple[ProblemGroup, ...]


@dataclass(frozen=True)
class Results:
    """The files of one upload."""

    source: str
    files: tuple[Fate, ...]
    is_waiting: bool


def form() -> dict[str, Any]:
    """What the page needs to ask for files."""
    choices = [Choice(source.name, gettext(source.title_of_kind)) for source in uploads.uploadable_sources()]
    return {"sources": choices, "limit_mib": settings.COSTOPS_UPLOAD_MIB, "accept": ",".join((*SUFFIXES, ".gz"))}


def brought(files: Iterable[Any]) -> list[uploads.Brought]:
    return [uploads.Brought(file.name or "", Path(file.temporary_file_path()), file.size) for file in files]


def refused(files: Sequence[uploads.Brought]) -> list[tuple[str, str]]:
    """Names as they may be shown, and why they are not taken."""
    found = uploads.refusals(files)
    return [(labels.plain(name), str(REFUSALS[reason])) for name, reason in found.items()]


def results(source: Source, names: Sequence[str]) -> Results:
    found = uploads.fates(source, names)
    files = tuple(_fate(name, landed) for name, landed in found.items())
    waiting = {"", LandedFile.State.LANDED}
    return Results(source.name, files, any((one.state if one else "") in waiting for one in found.values()))


def _fate(name: str, landed: LandedFile | None) -> Fate:
    tag, title = STATES[landed.state if landed else ""]
    costs = billed(landed.contents) if landed else {}
    return Fate(
        name=labels.plain(name),
        tag=tag,
        state=str(title),
        rows=landed.rows if landed else 0,
        costs=tuple((currency, f"{amount:,.2f}") for currency, amount in costs.items()),
        problems=grouped(Problem(**problem) for problem in landed.problems) if landed else (),
    )
