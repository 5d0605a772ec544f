"""Reading what was published: publications, and the answer to a CostQuery."""

import hashlib
import itertools
import operator
from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import ibis
import ibis.expr.types as ir
from django.conf import settings
from django.core.cache import cache

from apps.finops.errors import CostOpsError
from apps.finops.once import once
from apps.finops.tables import (
    COST_MART,
    COVERAGE_MART,
    KEPT_TAGS,
    MONEY,
    LakeTable,
)
from apps.finops.tags import key_of
from apps.marts.conversion import convert
from apps.marts.models import Publication
from apps.marts.placing import placed
from apps.marts.query import MAX_ROWS, Answer, BadQuestion, CostQuery, PublicationFacts, check_tags
from apps.marts.recent import Recent, Rows
from apps.marts.scoping import visible, without_teams
from apps.marts.tagging import tag_value
from apps.marts.team_rows import TeamRows
from apps.rates.selectors import UsedRate, newest_version, version_identity
from apps.teams.organising import newest_tree_number, tree_identity
from apps.warehouse import lake
from apps.warehouse.engine import TOO_LARGE, rows_of

CACHE_SECONDS = 24 * 3600
_recent: Recent[Rows] = Recent(200_000)
_team_rows = TeamRows()


class NothingPublished(CostOpsError):
    """There is no publication to read: nothing was filled yet, or the number asked for does not exist."""


class NoSuchPublication(NothingPublished):
    """No publication ever had this number."""

    def __init__(self, number: int, newest: int) -> None:
        self.number = number
        super().__init__(f"There is no publication number {number}; the newest is {newest}.")


class LetGo(NothingPublished):
    """There was a publication of this number, and it is not kept any more (`keeping`); `next_number` is."""

    def __init__(self, gone: Publication, next_number: int) -> None:
        self.number, self.next_number = gone.number, next_number
        super().__init__(
            f"Publication {gone.number} of {gone.created_at:%Y-%m-%d} is not kept any more: of old ones the last of "
            "every day stays, later of every month, and each that something rests on. The next one that can be read is "
            f"{next_number}."
        )


def publication(number: int | None = None) -> Publication:
    """One publication, the newest by default."""
    found = once(("publication", number), lambda: _publication(number))
    return once(("publication", found.number), lambda: found)


def _publication(number: int | None) -> Publication:
    if number is None:
        found = Publication.objects.order_by("-number").first()
    else:
        found = Publication.objects.filter(number=number).first()
    if found is not None and found.let_go_at is None:
        return found
    newest = Publication.objects.order_by("-number").first()
    if newest is None:
        raise NothingPublished("There is no publication yet. Add sources and run `manage.py fill`.")
    if found is None:
        raise NoSuchPublication(number or 0, newest.number)
    later = Publication.objects.filter(number__gt=found.number, let_go_at=None).order_by("number").first()
    raise LetGo(found, (later or newest).number)


def let_go_of_older() -> None:
    """Forget what was answered of earlier publications: a process that computes asks about the newest alone, and would
    fill its memory hour by hour."""
    newest = Publication.objects.order_by("-number").values_list("number", flat=True).first()
    if _recent.keep_only_of(newest or 0):
        _team_rows.clear()
        cache.clear()  # what this process keeps: counts are of all, and stay


def publications(limit: int | None = 100) -> list[Publication]:
    """The newest publications first, of those that can be read; all of them without a limit."""
    return list(Publication.objects.filter(let_go_at=None).order_by("-number")[:limit])


def answer(query: CostQuery) -> Answer:
    """Answer a question from the publication it names. The same question of the same publication is answered from
    the cache."""
    pinned = publication(query.as_of)
    asked = with_versions(replace(query, as_of=pinned.number))
    key = f"answer:{hashlib.sha256(_told(asked, pinned).encode()).hexdigest()}"
    rates = cache.get(f"{key}:rates") if asked.currency else ()
    rows = None if rates is None else _recent.get(key) or cache.get(key)
    if rows is None or rates is None:
        rows, rates = _rows(asked, pinned)
        cache.set(key, rows, CACHE_SECONDS)
        if asked.currency:
            cache.set(f"{key}:rates", rates, CACHE_SECONDS)
    _recent.put(key, rows)
    columns = (*_groups(query), query.metric)
    published = facts(pinned, asked.start, asked.end)
    return Answer(query=asked, publication=published, columns=columns, rows=rows, rates=rates)


def _told(asked: CostQuery, pinned: Publication) -> str:
    """All that an answer depends on: a publication that left the months of a question as they were answers it the
    same."""
    told = f"{_read_of(identity(pinned), pinned, asked.start, asked.end)} {spelled(asked)}"
    return told + _versions_of(asked)


def _versions_of(asked: CostQuery) -> str:
    told = version_identity(asked.rates_as_of or 0) if asked.currency else ""
    return told + (tree_identity(asked.organisation_as_of or 0) if asked.levels else "")


def read_with(asked: CostQuery, pinned: Publication) -> str:
    """Which publication, rates and organisation a question is asked of."""
    return issue(pinned) + _versions_of(asked)


def _read_of(published: str, pinned: Publication, start: date, end: date) -> str:
    """What stands for the months of a window as they are in a publication."""
    key = f"read:{published}:{start:%Y-%m}:{end - timedelta(days=1):%Y-%m}"
    read: str | None = cache.get(key)
    if read is None:
        paths = " ".join(file.path for file in _files_of(COST_MART, pinned, start, end))
        read = hashlib.sha256(f"{settings.COSTOPS_LAKE} {paths}".encode()).hexdigest()
        cache.set(key, read, CACHE_SECONDS)
    return read


def with_versions(query: CostQuery) -> CostQuery:
    """The question with the versions it is answered with: of the rates where it converts, and of the organisation
    where it asks for a level of it. Raises BadQuestion where it asks for a tag that cost is not told by."""
    check_tags(query)
    if query.currency is not None and query.rates_as_of is None:
        query = replace(query, rates_as_of=newest_version())
    if query.levels and query.organisation_as_of is None:
        query = replace(query, organisation_as_of=newest_tree_number())
    return query


def issue(pinned: Publication) -> str:
    """Which publication it is, whatever stands in it: a number alone is given again when a database is restored from an
    older copy."""
    return f"{settings.COSTOPS_LAKE} {pinned.number} {pinned.created_at.timestamp()}"


def identity(pinned: Publication) -> str:
    """What an answer depends on besides the question."""
    return hashlib.sha256(f"{issue(pinned)} {sorted(pinned.versions.items())}".encode()).hexdigest()[:24]


def spelled(query: CostQuery) -> str:
    """A question as text, the same in every process: sets are written in order."""
    converted = (query.currency, query.rates_as_of) if query.currency else ()
    narrowed = query.filters, query.excludes
    return repr((query.start, query.end, query.metric, query.group_by, *narrowed, query.scope.identity, *converted))


def facts(pinned: Publication, start: date, end: date) -> PublicationFacts:
    """What a publication says of itself, with the coverage of a window."""
    return PublicationFacts(
        number=pinned.number,
        created_at=pinned.created_at,
        status=pinned.status,
        coverage=_coverage(pinned, start, end),
        first_day=pinned.first_day,
        end_day=pinned.end_day,
        came_until=pinned.came_until,
        whole_until=pinned.whole_until,
    )


def _coverage(pinned: Publication, start: date, end: date) -> Decimal | None:
    """Observed / expected samples of a window: of what was so far at its end, less what was so far at its start."""
    known = _samples_so_far(pinned)
    at_start, at_end = (known[bisect_left(known, day, lo=1, key=operator.itemgetter(0)) - 1] for day in (start, end))
    observed, expected = (at_end[place] - at_start[place] for place in (1, 2)) if start < end else (0, 0)
    return (Decimal(observed) / Decimal(expected)).quantize(Decimal("0.0001")) if expected else None


def _samples_so_far(pinned: Publication) -> Rows:
    """Day, observed and expected samples up to and with it, in order, after a row of nothing. Every answer tells its
    coverage; to read a year of days of every cluster from a cache takes longer than many an answer."""
    key = f"samples-so-far:{identity(pinned)}"
    rows = _recent.get(key)
    if rows is None:
        by_day: dict[date, tuple[int, int]] = {}
        for one in covered_days(pinned):
            observed, expected = by_day.get(one.day, (0, 0))
            by_day[one.day] = observed + one.observed, expected + one.expected
        so_far = itertools.accumulate(
            ((day, *by_day[day]) for day in sorted(by_day)),
            lambda before, now: (now[0], before[1] + now[1], before[2] + now[2]),
            initial=(date.min, 0, 0),
        )
        rows = tuple(so_far)
        _recent.put(key, rows)
    return rows


@dataclass(frozen=True)
class CoveredDay:
    """The samples of one day of a cluster: how many were seen, of how many."""

    day: date
    cluster: str
    observed: int
    expected: int


def covered_days(pinned: Publication) -> list[CoveredDay]:
    """The days of usage of a publication, cluster by cluster. They are read once: they are few."""
    key = f"covered-days:{identity(pinned)}"
    days: list[CoveredDay] | None = cache.get(key)
    if days is None:
        days = _covered_days(pinned)
        cache.set(key, days, CACHE_SECONDS)
    return days


def _covered_days(pinned: Publication) -> list[CoveredDay]:
    if COVERAGE_MART.name not in pinned.versions:
        return []
    rows = lake.scan(COVERAGE_MART, at=pinned.versions[COVERAGE_MART.name])
    found = rows_of(rows.select("day", "cluster", "observed_samples", "expected_samples"))
    return [CoveredDay(day, cluster, int(observed), int(expected)) for day, cluster, observed, expected in found]


def window_of(table: LakeTable, pinned: Publication, start: date, end: date) -> ir.Table | None:
    """The pinned rows of a mart with start <= day < end; None when the publication holds no such month."""
    chosen = _files_of(table, pinned, start, end)
    if not chosen:
        return None
    rows = lake.scan(table, only=chosen)
    return rows.filter(rows.day >= start, rows.day < end)


def _files_of(table: LakeTable, pinned: Publication, start: date, end: date) -> list[lake.StoredFile]:
    """The files of the months of a window."""
    version = pinned.versions.get(table.name)
    months = f"{start:%Y-%m}", f"{end - timedelta(days=1):%Y-%m}"
    found = () if version is None else lake.files(table, at=version)
    return [file for file in found if months[0] <= file.partition["month"] <= months[1]]


def _rows(query: CostQuery, pinned: Publication) -> tuple[Rows, tuple[UsedRate, ...]]:
    rows = window_of(COST_MART, pinned, query.start, query.end)
    if rows is None:
        return (), ()
    found = _of_teams(rows, query, pinned)
    return grouped(rows, query) if found is None else (found, ())


def _of_teams(rows: ir.Table, query: CostQuery, pinned: Publication) -> Rows | None:
    """The answer out of the rows of all teams, which many ask for, each of the own; None where it is asked by itself:
    where nobody else asked the same, there are too many rows of all, or the rates of an answer are its own."""
    of_all, teams = without_teams(query)
    key = _told(of_all, pinned)
    if teams is None or query.currency is not None or not _team_rows.is_asked_by_others(key, teams):
        return None

    def summed(_of_all: frozenset[str] | None) -> ir.Table:
        every, _ = seen(rows, of_all)
        groups = {f"group_{place}": _group(every, name) for place, name in enumerate(_groups(query))}
        return every.group_by("team", **groups).aggregate(cost=every[query.metric].sum().cast(MONEY))

    found = _team_rows.get(key, teams, summed, names=len(_groups(query)))
    return None if found is None else tuple(sorted(found, key=lambda row: [(one is None, one) for one in row[:-1]]))


def grouped(rows: ir.Table, query: CostQuery) -> tuple[Rows, tuple[UsedRate, ...]]:
    """Rows of cost, those of the window, as a question wants them: filtered, seen, converted, added up, in order."""
    if query.levels:  # a join is compiled faster the fewer columns it carries
        rows = rows.select(_needed(query))
    rows, rates = seen(rows, query)
    groups = [_group(rows, name) for name in _groups(query)]
    summed = rows.group_by(groups).aggregate(**{query.metric: rows[query.metric].sum().cast(MONEY)})
    try:
        found = rows_of(summed.order_by([ibis.asc(column) for column in summed.columns[:-1]]).limit(MAX_ROWS + 1))
    except TOO_LARGE as too_large:
        if query.currency is None:
            raise
        raise BadQuestion(
            f"currency: an amount in {query.currency} has more than 26 digits; check its rates"
        ) from too_large
    if len(found) > MAX_ROWS:
        raise BadQuestion(
            f"The answer has more than {MAX_ROWS} rows; ask for fewer groups, a shorter window, or filter."
        )
    return tuple(found), rates


def seen(rows: ir.Table, query: CostQuery) -> tuple[ir.Table, tuple[UsedRate, ...]]:
    """The rows that pass the filters of a question and that its viewer may see, in its currency."""
    rows = placed(rows, query)
    return convert(visible(rows, query.scope), query)


def _needed(query: CostQuery) -> list[str]:
    """The columns of the mart that a question reads."""
    narrowed = (name for name, _ in (*query.filters, *query.excludes))
    seen_by = ("sub_account",) if query.scope.accounts else ()
    asked = [*query.group_by, *narrowed, *seen_by, *(KEPT_TAGS if query.tags else ())]
    return list(dict.fromkeys(["day", "team", "currency", query.metric, *(n for n in asked if n in COST_MART.columns)]))


def _groups(query: CostQuery) -> tuple[str, ...]:
    """What rows of an answer are by: currencies are never added."""
    return query.group_by if "currency" in query.group_by else (*query.group_by, "currency")


def _group(rows: ir.Table, name: str) -> ir.Value:
    if key := key_of(name):
        return tag_value(rows, name).name(f"tag_{key.encode().hex()}")  # an engine's names ignore case
    return rows.day.truncate("W").cast("timestamp").cast("date").name("week") if name == "week" else rows[name]
