"""After a restore: what the lake holds of a later moment than the database is done again, as the database says.

A backup copies the database first, then the logs of the lake: a fill beside it may have come further by then.
"""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from apps.finops.tables import ALLOCATED, CHARGES, ESTIMATES, PASSED_ON, USAGE, LakeTable
from apps.ingest import kinds
from apps.ingest.books import API_FILE_ID
from apps.ingest.models import MeteredDay, Source
from apps.marts.models import Publication
from apps.pipeline import due
from apps.pipeline.models import STALE, FilledDay
from apps.pipeline.services import ask_for
from apps.pipeline.work import Work
from apps.units import services as units
from apps.warehouse import lake
from apps.warehouse.lake import StoredFile

BY_SOURCE = ((CHARGES, "x_SourceName"), *((table, "source") for table in USAGE.values()))
"""Tables that are filled source by source, and the column that names it."""


def settle(*, now: datetime) -> None:
    """Have everything filled anew that may be newer than the database; what nobody knows of counts no more."""
    newest = Publication.objects.order_by("-number").first()
    pinned = newest.versions if newest else {}
    _forget_strangers()
    units.go_back()
    _read_again(pinned, now)
    inputs, published = due.inputs_of_publication(), due.filled("publish")
    unpublished = {day for day in inputs.keys() | published.keys() if inputs.get(day) != published.get(day)}
    _fill_anew("allocate", unpublished | _days_of(ALLOCATED, pinned) | _days_of(PASSED_ON, pinned))
    _fill_anew("estimate", _days_of(ESTIMATES, pinned))


def _forget_strangers() -> None:
    """Take out what a source brought that the database does not know."""
    known = set(Source.objects.values_list("name", flat=True))
    for table, column in BY_SOURCE:
        held = lake.files(table) if lake.is_there(table) else ()
        if strange := [file for file in held if file.partition[column] not in known]:
            lake.commit(table, add=[], remove=strange, note={"step": "restore"})


def _read_again(pinned: dict[str, int], now: datetime) -> None:
    """Have files compared with what the lake holds, and the next pull of a day kept, whatever it was before."""
    changed = [(file.partition, column) for table, column in BY_SOURCE for file in _newer(table, pinned)]
    pulled = {(told["source"], told["day"]) for told, _ in changed if told.get("file_id") == API_FILE_ID}
    for name, day in pulled:
        MeteredDay.objects.filter(source__name=name, day=day).update(content_sha256="")
    names = {told[column] for told, column in changed}
    ask_for(list(_readings(Source.objects.filter(name__in=names).order_by("name"))), now)


def _readings(sources: Iterable[Source]) -> Iterator[Work]:
    for step, of in (("normalize", kinds.BILLS), ("meter", kinds.USAGE)):
        yield from (Work(step, source.name) for source in sources if source.kind in of)


def _newer(table: LakeTable, pinned: dict[str, int]) -> list[StoredFile]:
    """What the newest publication does not pin of a table, or pins and is not there any more."""
    return lake.changed(table, pinned.get(table.name), lake.version(table)) if lake.is_there(table) else []


def _days_of(table: LakeTable, pinned: dict[str, int]) -> set[date]:
    return {date.fromisoformat(file.partition["day"]) for file in _newer(table, pinned)}


def _fill_anew(step: str, days: Iterable[date]) -> None:
    FilledDay.objects.bulk_create(
        [FilledDay(step=step, day=day, fingerprint=STALE) for day in sorted(days)],
        update_conflicts=True, unique_fields=["step", "day"], update_fields=["fingerprint"],
    )  # fmt: skip
