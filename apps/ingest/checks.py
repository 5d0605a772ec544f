"""A look at a source before it is trusted: what would be read, and what is wrong with it; nothing is published."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.conf import settings

from apps.finops.problems import Problem
from apps.ingest import kinds, landing, overviews, services, usage
from apps.ingest.bill import checks as bill_checks
from apps.ingest.bill.binding import other_days
from apps.ingest.bill.sheets import in_rows, open_sheet
from apps.ingest.models import Source
from apps.ingest.places import Place
from apps.ingest.prometheus import checks as prometheus
from apps.ingest.providers.base import Listed, Provider
from apps.ingest.selectors import state_of
from apps.ingest.text import careful
from apps.ingest.text.answers import in_csv
from apps.ingest.text.encoding import in_utf8
from apps.ingest.text.header import BadHeader
from apps.ingest.unpack import Member, Unreadable, unpacked

MOST_FILES = 20
"""A folder of thousands is judged by its first files."""


@dataclass(frozen=True)
class Fact:
    """One line of the answer."""

    subject: str
    found: str
    is_good: bool = True


def check(source: Source, now: datetime) -> list[Fact]:
    """What there is at a source, and the first problems of every file; the whole of each file is read."""
    services.check_options(source)
    if source.is_prometheus:
        told = prometheus.check(services.prometheus_config(source), now=now)
        return [Fact(fact.name, fact.value, fact.is_good) for fact in told]
    place = services.place_of(source)
    try:
        discovery = services.discover(source, place)
    except landing.LocationMissing as error:
        return [Fact("location", str(error), is_good=False)]
    found = [listed.found for listed in discovery.files]
    facts = [
        Fact("location", f"{source.location}: {len(found)} files, {sum(one.size for one in found)} bytes", bool(found))
    ]
    facts += [_fact(problem) for problem in discovery.problems]
    for listed in islice(discovery.files, MOST_FILES):
        facts += _check_file(source, place, listed)
    facts += [_fact(problem) for problem in overviews.check(source, discovery.files)]
    facts += _arrivals(source, now)
    if len(found) > MOST_FILES:
        facts.append(Fact("files", f"{len(found) - MOST_FILES} more files were not looked into"))
    return facts


def _arrivals(source: Source, now: datetime) -> list[Fact]:
    """How its days arrive, and what is late."""
    found = state_of(source, now).arrival
    facts = [Fact("arrivals", found.sentence)] if found and found.sentence else []
    return [*facts, Fact("arrivals", str(found.late), is_good=False)] if found and found.late else facts


def _check_file(source: Source, place: Place, listed: Listed) -> list[Fact]:
    found = listed.found
    if not source.is_billing:
        if kinds.USAGE[source.kind].convert:
            return [Fact(found.path, f"{found.size} bytes, to be converted")]
        table = usage.table_of(found.path)
        told = f"{found.size} bytes of {table.name}" if table else "the name tells no usage table; see docs/data.md"
        return [Fact(found.path, told, table is not None)]
    try:
        with place.at_hand(found) as path, unpacked(path, found.path) as bundle:
            return [
                fact
                for member in bundle.members
                for fact in _check_bill(member, bundle.folder, services.provider_of(source), listed)
            ]
    except (Unreadable, BadHeader, OSError) as error:
        return [Fact(found.path, str(error), is_good=False)]


def _check_bill(member: Member, folder: Path, provider: Provider, listed: Listed) -> list[Fact]:
    mappings = provider.mappings_for(listed.found.path, listed.release)
    member = in_utf8(member, folder, provider.encodings)
    member = in_csv(member, folder) if provider.has_answers else member
    member = in_rows(member, folder, mappings)
    sheet, said = open_sheet(member, mappings)
    said += other_days(sheet.bound, member.name, settings.COSTOPS_TIME_ZONE)
    if not sheet.origin:
        plan = bill_checks.plan(sheet.header, sheet.bound)
        said += careful.examine(member.path, member.name, plan, by_row=member.kind == "json")
    found = f"{len(sheet.bound.positions)} columns read, {len(sheet.bound.unread)} others"
    return [Fact(member.name, found), *(_fact(problem) for problem in said)]


def _fact(problem: Problem) -> Fact:
    return Fact(problem.subject, f"{problem.severity}: {problem.message}", problem.severity != "error")
