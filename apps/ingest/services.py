"""What ingestion does: add sources, land files, read bills and usage, pull usage from an API."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.finops.tables import CHARGES, USAGE
from apps.finops.windows import ONE_DAY, Window
from apps.ingest import books, generations, kinds, landing, metered, overviews, remembering, restatements, usage
from apps.ingest.apart import asking
from apps.ingest.bill.writer import Bill
from apps.ingest.deliveries import Policy
from apps.ingest.fetching import fetch
from apps.ingest.models import LandedFile, Source
from apps.ingest.places import Place
from apps.ingest.prometheus.meter import meter_day
from apps.ingest.providers.base import Discovery, Listed, Provider
from apps.ingest.quality import repeats
from apps.ingest.quality.sources import look
from apps.ingest.reading import Reading
from apps.ingest.sources import (
    InvalidSource,
    add_source,
    check_options,
    file_options,
    place_of,
    prometheus_config,
    provider_of,
)
from apps.warehouse import fencing, lake, shared
from apps.warehouse.failpoints import failpoint

__all__ = [
    "InvalidSource",
    "add_source",
    "check_options",
    "decide",
    "discover",
    "fetch",
    "land",
    "meter_files",
    "meter_prometheus",
    "normalize",
    "place_of",
    "prometheus_config",
    "provider_of",
]  # fmt: skip

State = LandedFile.State

BILLS = books.Ledger(
    tables=(CHARGES,),
    source_column="x_SourceName",
    file_column="x_FileId",
    window_of=lambda _table, partition: partition["x_BillingMonth"],
    windows=lambda entry: {entry["window"]: frozenset(entry["days"])},
    by_account=True,
)
USAGE_FILES = books.Ledger(
    tables=tuple(USAGE.values()),
    source_column="source",
    file_column="file_id",
    window_of=lambda table, partition: f"{table.name} {partition['day']}",
    windows=lambda entry: {f"{entry['window']} {day}": frozenset([day]) for day in entry["days"]},
)


# --- Landing --------------------------------------------------------------------------------------------------------
def land(source: Source, now: datetime) -> StepResult:
    """Copy new and changed files of a source into the landing zone; what is still being written waits."""
    failpoint("land.list")
    options = file_options(source)
    fetched = fetch(source, now)
    place = place_of(source)
    try:
        discovery = discover(source, place)
    except landing.LocationMissing as error:
        return StepResult(problems=(Problem("error", "location", source.name, str(error)),))
    files = generations.numbered(discovery.files, source.files.all())
    latest = _latest(source)
    old_enough = (now - timedelta(minutes=options.quiet_minutes)).timestamp() * 1e9
    landed: list[tuple[Listed, landing.Landed]] = []
    problems = [*fetched, *discovery.problems]
    missed: set[tuple[str, str]] = set()
    for listed in files:
        one = listed.found
        if _is_known(listed, latest.get(one.path)):
            continue
        copied = None
        if not (options.quiet_minutes and one.modified_ns > old_enough):
            try:
                copied = place.copy(one)
            except landing.Archived as error:
                problems.append(Problem("error", "unreadable", one.path, f"Cannot be copied: {error.strerror}."))
            except OSError as error:  # the others wait with it: without it they would count, and then be replaced by it
                said = f"Cannot be copied: {error.strerror or error}. What was found with it waits for it."
                problems.append(Problem("error", "unreadable", one.path, said))
                missed.add((listed.period, listed.release))
        if copied:
            landed.append((listed, copied))
        elif listed.period:
            missed.add((listed.period, listed.release))
    landed = [pair for pair in landed if (pair[0].period, pair[0].release) not in missed]
    _enter(source, landed, latest, now)
    for listed, _ in landed:
        place.forget(listed.found)
    return StepResult(rows=len(landed), problems=tuple(problems))


def _is_known(listed: Listed, known: LandedFile | None) -> bool:
    """Whether a file was landed before as it lies there, for the same release: unchanged files may join a new one."""
    if known is None:
        return False
    found = listed.found
    facts = (known.size, known.modified_ns, known.version, known.period, known.release)
    return facts == (found.size, found.modified_ns, found.version, listed.period, listed.release)


def discover(source: Source, place: Place) -> Discovery:
    """The files to take from a source's location: what its provider's manifests list, else all of them."""
    listing = place.find()
    known = provider_of(source) if source.is_billing else kinds.USAGE[source.kind]
    found = known.discover(listing.files, place.read_small)
    return replace(found, problems=(*listing.problems, *found.problems))


def _latest(source: Source) -> dict[str, LandedFile]:
    return {file.path: file for file in source.files.order_by("revision")}


def _enter(
    source: Source, landed: list[tuple[Listed, landing.Landed]], latest: Mapping[str, LandedFile], now: datetime
) -> None:
    """Write the manifest in one transaction: files found together are one delivery, whatever was killed before."""
    fresh = [pair for pair in landed if _is_fresh(pair, latest)]
    renewed = {listed.found.path for listed, _ in fresh}
    provider = provider_of(source) if source.is_billing else None
    told = source.files.filter(state__in=[State.CURRENT, State.LANDED])
    seen = {
        (file.sha256, file.period, file.release, _way(provider, file.path, file.release))
        for file in told
        if latest[file.path].pk == file.pk and file.path not in renewed
    }
    _check_there(fresh)
    with transaction.atomic():
        fencing.check()
        delivery = _next_delivery(source)
        for pair in landed:
            if pair not in fresh:
                found = pair[0].found
                LandedFile.objects.filter(pk=latest[found.path].pk).update(
                    modified_ns=found.modified_ns, version=found.version
                )
        for listed, one in fresh:
            before = latest.get(one.found.path)
            way = _way(provider, one.found.path, listed.release)
            content = (one.sha256, listed.period, listed.release, way)
            LandedFile.objects.create(
                source=source,
                path=one.found.path,
                revision=before.revision + 1 if before else 1,
                sha256=one.sha256,
                size=one.found.size,
                modified_ns=one.found.modified_ns,
                version=one.found.version,
                state=State.DUPLICATE if content in seen else State.LANDED,
                delivery=delivery,
                period=listed.period,
                release=listed.release,
                expected_rows=listed.rows,
                landed_at=now,
            )
            seen.add(content)
        failpoint("land.enter")
        if not shared.is_on():  # of a bucket it was asked: thousands of answers would keep everybody waiting
            _check_there(fresh)


def _check_there(fresh: list[tuple[Listed, landing.Landed]]) -> None:
    """Of a run that was frozen for days the sweep may have taken what nobody names."""
    if gone := shared.missing(landing.landed_path(one.sha256) for _, one in fresh):
        raise landing.Swept(f"{gone[0].name} is gone before it was entered; the next try lands it again.")


def _next_delivery(source: Source) -> int:
    """The number of a delivery that begins now; until it is committed nobody else is given one, of files that would
    seem to be found together with these."""
    Source.objects.select_for_update().get(pk=source.pk)
    return (source.files.aggregate(last=Max("delivery"))["last"] or 0) + 1


def _way(provider: Provider | None, path: str, release: str) -> str:
    """How a bill is read, where its provider tells from its path and release: the same bytes may say other things."""
    if provider is None or not provider.choose:
        return ""
    return ", ".join(mapping.name for mapping in provider.mappings_for(path, release))


def _is_fresh(pair: tuple[Listed, landing.Landed], latest: Mapping[str, LandedFile]) -> bool:
    """Whether the content, or the release it belongs to, differs from what was landed last under this path."""
    listed, one = pair
    known = latest.get(one.found.path)
    told = (one.sha256, listed.period, listed.release)
    return known is None or (known.sha256, known.period, known.release) != told


# --- Reading --------------------------------------------------------------------------------------------------------
def normalize(source: Source, now: datetime) -> StepResult:
    """Read every landed bill into `charges`, and make exactly what counts count, in one commit."""
    beside = _Beside(source)

    def read(file: LandedFile) -> Reading:
        reading = asking.read_bill(
            Bill(
                path=landing.at_hand(file.sha256),
                name=file.path,
                source=source.name,
                file_id=file.file_id,
                zone=settings.COSTOPS_TIME_ZONE,
                mappings=provider.mappings_for(file.path, file.release),
                encodings=provider.encodings,
                rows=file.expected_rows,
                is_answer=provider.has_answers,
                told={"path": file.path, "period": file.period, "release": file.release},
            )
        )
        with books.discarding(BILLS, {file.file_id: reading}):
            return beside.compared(file, reading) if provider.only_grows else reading

    provider = provider_of(source)
    options = file_options(source)
    policy = options.files or provider.files
    try:
        result = books.fill(
            source, BILLS, policy, read, _note(source, now), hold_below=options.hold_below,
            way_of=lambda file: _way(provider, file.path, file.release), same_anywhere=provider.same_anywhere,
        )  # fmt: skip
    except asking.ReaderFailed:
        restatements.catch_up(source, now)  # other files may count now: they came today, not when CostOps is mended
        raise
    found = restatements.catch_up(source, now)
    said = (*look(source.name, found.files, found.changed), *overviews.compare(source))
    return replace(result, problems=(*result.problems, *said))


class _Beside:
    """What other files of a source hold, in the lake or read by the same run, for a table that only grows."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._read: list[tuple[LandedFile, lake.WrittenFile]] = []

    @cached_property
    def _told(self) -> list[tuple[LandedFile, lake.StoredFile]]:
        files = {other.file_id: other for other in self._source.files.all()}
        return [
            (files[key], part)
            for part in lake.files(CHARGES)
            if part.partition["x_SourceName"] == self._source.name and (key := part.partition["x_FileId"]) in files
        ]

    def compared(self, file: LandedFile, reading: Reading) -> Reading:
        """The reading, and what of it others told before: not its own revisions, nor releases of its period."""
        parts = reading.parts.get(CHARGES.name, [])
        told: list[tuple[LandedFile, lake.StoredFile | lake.WrittenFile]] = [*self._told, *self._read]
        others = [
            part for other, part in told if other.path != file.path and (not file.period or other.period != file.period)
        ]
        self._read += [(file, part) for part in parts]
        return replace(reading, problems=(*reading.problems, *repeats.look(file.path, parts, others)))


DECISIONS = ("accept", "add", "replace", "reject")
"""What may become of what is held back: as is proposed, beside what it tells again, in its place; or nothing."""
_ANSWERS = {"add": "adds", "replace": "replaces"}


def decide(source: Source, decision: str, *, shown: Collection[int] | None = None) -> int:
    """Take what was held back of a source (of these files), at the next fill, or refuse it; how many files that were.

    What is asked about is told again now, after all that came since: it would not do to ask about others because of it.
    To replace takes no file that cannot (`LandedFile.may_replace`): it stays held.
    """
    held = source.files.filter(state=State.HELD)
    if shown is not None:
        held = held.filter(pk__in=shown)
    if decision == "reject":
        return held.update(state=State.REFUSED, contents=[], rows=0)
    with transaction.atomic():
        first = _next_delivery(source)
        files = list(held.select_for_update().order_by("delivery", "path", "revision"))
        if decision == "replace":
            files = [file for file in files if file.may_replace]
        newest = dict(source.files.order_by("revision").values_list("path", "pk"))
        for at, (_, delivered) in enumerate(groupby(files, key=lambda file: file.delivery), start=first):
            for file in delivered:
                asked = file.asked
                if asked and not file.period and newest[file.path] == file.pk:
                    file.delivery = at
                answers = {key: _ANSWERS.get(decision, key.partition(":")[0]) for key in asked}
                file.state, file.is_accepted, file.answers = State.LANDED, True, (file.answers or {}) | answers
                file.save(update_fields=["state", "is_accepted", "answers", "delivery"])
    return len(files)


def meter_files(source: Source, now: datetime) -> StepResult:
    """Read every landed usage file into the usage tables."""

    policy = file_options(source).files
    settling: Policy = policy if policy in ("parts", "snapshots") else "parts"
    paths = dict(source.files.values_list("pk", "path"))

    beside: list[tuple[str, lake.WrittenFile]] = []

    def read(file: LandedFile) -> Reading:
        table = None if kinds.USAGE[source.kind].convert else usage.table_of(file.path)
        given = usage.UsageFile(
            path=landing.at_hand(file.sha256),
            name=file.path,
            source=source.name,
            cluster=source.cluster,
            file_id=file.file_id,
            zone=settings.COSTOPS_TIME_ZONE,
            kind=source.kind,
            replaces=frozenset(f"f{pk}" for pk, path in paths.items() if path == file.path or policy == "snapshots"),
            beside=tuple(part for name, part in beside if table is None or name == table.name),
        )
        reading = asking.read_usage(given)
        with books.discarding(USAGE_FILES, {file.file_id: reading}):
            reading = usage.compare(given, reading)
        beside.extend((name, part) for name, parts in reading.parts.items() for part in parts)
        return reading

    return books.fill(source, USAGE_FILES, settling, read, _note(source, now))


def _note(source: Source, now: datetime) -> dict[str, str]:
    return {"source": source.name, "at": now.isoformat()}


def meter_prometheus(source: Source, window: Window, now: datetime, *, is_replacing: bool = False) -> StepResult:
    """Pull usage for the days of a window, up to the last whole hour; an identical pull changes nothing, and hours the
    server has no more stay as they were kept, unless what it has now is to replace them."""
    config = prometheus_config(source)
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    last_hour = now.replace(minute=0, second=0, microsecond=0)
    problems: list[Problem] = []
    versions: dict[str, int] = {}
    rows = 0
    for day in window.days():
        start, end = Window(day, day + ONE_DAY).hours(zone)
        if start >= last_hour:
            break
        tables, said = meter_day(config, start, min(end, last_hour))
        problems += said
        if any(problem.severity == "error" for problem in said):
            continue
        kept, lost = (tables, []) if is_replacing else remembering.keep_lost_hours(source, day, tables)
        problems += lost
        versions |= metered.keep_day(source, day, kept, now)
        rows += sum(table.num_rows for table in kept.values())
    return StepResult(rows=rows, problems=tuple(problems), versions=versions)
