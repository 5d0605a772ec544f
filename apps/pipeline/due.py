"""What there is to do now: work that time made due, and work whose inputs differ from what was filled."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Max, QuerySet

from apps.alerts import limits
from apps.allocation import drivers
from apps.allocation.services import METHOD_VERSION
from apps.budgets import looking
from apps.calendars.selectors import today
from apps.estimates.selectors import waits_now
from apps.estimates.services import METHOD_VERSION as ESTIMATES_VERSION
from apps.finops.windows import ONE_DAY, Window, contiguous
from apps.ingest import kinds
from apps.ingest.models import LandedFile, MeteredDay, Source
from apps.ingest.selectors import day_fingerprints
from apps.insights import services as insights
from apps.insights.anomalies import services as anomaly_services
from apps.insights.idle import services as idle_resources
from apps.insights.runs import newest_inputs
from apps.marts.billed import MOST_WAITING, RECENT_DAYS
from apps.marts.finished import finished
from apps.marts.models import Publication
from apps.operations import services as operations
from apps.pipeline.models import STALE, FilledDay, StepRun
from apps.pipeline.work import REPLACING, Work
from apps.planning import services as planning
from apps.savings import services as savings
from apps.teams.selectors import policies, rules_sha256

DAYS_BACK = 7
"""How far back usage is pulled when no bill and no option `since` says otherwise."""
DAYS_TO_COMPLETE = 3
"""How long a day with gaps is pulled again: monitoring that was away delivers late, or never."""
METER_DAYS = 7
ALLOCATE_DAYS = 31
"""The most days of one run: what a killed worker has to do again."""
ESTIMATE_DAYS = MOST_WAITING
"""All that can wait at once: their prices are looked up together."""


@dataclass(frozen=True)
class Ask:
    """What somebody asks for: `sources` (all when None), `window` (what is due when None).

    Work of the steps in `forced` is done whether or not it is due. What is pulled takes the place of what was kept,
    even where it is less, if `replaces`.
    """

    now: datetime
    sources: frozenset[str] | None = None
    window: Window | None = None
    forced: frozenset[str] = field(default=frozenset())
    replaces: bool = False

    def chosen(self, *kinds: str) -> Iterator[Source]:
        """The active sources of some kinds that are asked for."""
        for source in Source.objects.filter(is_active=True, kind__in=kinds).order_by("name"):
            if self.sources is None or source.name in self.sources:
                yield source

    def within(self, days: Iterable[date]) -> list[date]:
        return [day for day in days if self.window is None or self.window.start <= day < self.window.end]


def land(ask: Ask) -> Iterator[Work]:
    """Every source of files, each time the clock says so; at once one that is new, or says something else than when it
    was last looked at."""
    for source in ask.chosen(*kinds.BILLS, *kinds.USAGE):
        told = _digest(json.dumps([source.kind, source.location, source.options, source.secrets], sort_keys=True))
        last = _runs("land", source).order_by("-pk").first()
        yield Work("land", source.name, fingerprint=told, by_clock=last is not None and last.fingerprint == told)


def _runs(step: str, source: Source) -> QuerySet[StepRun]:
    return StepRun.objects.filter(step=step, source=source.name)


def normalize(ask: Ask) -> Iterator[Work]:
    """Sources with bills that were landed and not yet read."""
    yield from _unread("normalize", kinds.BILLS, ask)


def meter(ask: Ask) -> Iterator[Work]:
    """Sources with usage files not yet read; and the days of an API that were never pulled whole, each time the clock
    says so; those of a new API at once."""
    yield from _unread("meter", kinds.USAGE, ask)
    for source in ask.chosen(*kinds.PROMETHEUS):
        days = _pullable(source, ask.now) if ask.window is None else set(ask.within(_until_today(ask.window, ask.now)))
        if "meter" not in ask.forced:
            days &= _incomplete(source, days, ask.now)
        for window in contiguous(days, at_most=METER_DAYS):
            is_known = _runs("meter", source).exists()
            yield Work("meter", source.name, window, REPLACING if ask.replaces else "", by_clock=is_known)


def allocate(ask: Ask) -> Iterator[Work]:
    """Days whose charges, usage, rules or method changed since they were allocated, and days that disappeared."""
    inputs = inputs_of_allocation()
    for window in contiguous(_changed("allocate", inputs, ask), at_most=ALLOCATE_DAYS):
        yield Work("allocate", window=window, fingerprint=digest_of(inputs, window))


def estimate(ask: Ask) -> Iterator[Work]:
    """Days of usage whose bill has not come, when their usage, the bills prices are from, rules or method changed."""
    inputs = inputs_of_estimates()
    for window in contiguous(_changed("estimate", inputs, ask), at_most=ESTIMATE_DAYS):
        yield Work("estimate", window=window, fingerprint=digest_of(inputs, window))


def publish(ask: Ask) -> Iterator[Work]:
    """The days that were allocated anew since they were published, as one window: one fill makes one publication.

    Nothing while a day is stale: it would be published as it lies there.
    """
    inputs = inputs_of_publication()
    is_stale = FilledDay.objects.filter(step__in=("allocate", "estimate"), fingerprint=STALE).exists()
    if not is_stale and (days := _changed("publish", inputs, ask)):
        window = Window(min(days), max(days) + ONE_DAY)
        yield Work("publish", window=window, fingerprint=digest_of(inputs, window))


def forecast(ask: Ask) -> Iterator[Work]:
    """Each publication, until it was forecast as things are now."""
    yield from _once("forecast", insights.identity(), ask, each=True)


def budgets(ask: Ask) -> Iterator[Work]:
    """Each publication, until it was looked ahead from with the budgets and forecasts there are now."""
    yield from _once("budgets", f"{_newest_runs('forecast')} {looking.identity()}", ask, each=True)


def anomalies(ask: Ask) -> Iterator[Work]:
    """Each publication, until it was looked through as things are now."""
    yield from _once("anomalies", anomaly_services.identity(), ask, each=True)


def idle(ask: Ask) -> Iterator[Work]:
    """Each publication, until it was searched as things are now."""
    yield from _once("idle", idle_resources.identity(), ask, each=True)


def plan(ask: Ask) -> Iterator[Work]:
    """The days that are over, until they were planned as things and settings are now."""
    yield from _once("plan", planning.identity(), ask)


def recommend(ask: Ask) -> Iterator[Work]:
    """The days that are over, until what was found in them was taken up; and what slept until today."""
    found = f"{newest_inputs()} {_newest_runs('plan')}"
    again = operations.is_anything_over(ask.now)
    yield from _once("recommend", f"{found} {operations.identity()}", ask, again=again)


def verify(ask: Ask) -> Iterator[Work]:
    """The days that are over, until what initiatives saved was measured by them."""
    yield from _once("verify", savings.identity(), ask)


def alert(ask: Ask) -> Iterator[Work]:
    """Each publication, until what asks for attention in it was told, by the thresholds in force."""
    found = _newest_runs("forecast", "anomalies", "recommend")
    yield from _once("alert", f"{found} {limits.identity()}", ask, each=True)


def _once(step: str, identity: str, ask: Ask, *, each: bool = False, again: bool = False) -> Iterator[Work]:
    """Work on the newest publication that is done once, until its days that are over, or `identity`, change; where
    `each` is said for each publication, whatever its days."""
    newest = Publication.objects.order_by("-number").first()
    if newest is None:
        return
    number = f"{newest.number} {newest.created_at}" if each else ""
    fingerprint = _digest(f"{finished(newest, today=today(ask.now))} {number} {identity}")
    done = StepRun.objects.filter(step=step, state=StepRun.State.DONE).order_by("-pk").first()
    if step in ask.forced or again or done is None or done.fingerprint != fingerprint:
        yield Work(step, fingerprint=fingerprint)


def _newest_runs(*steps: str) -> list[int]:
    """The newest successful run of every step that finds something."""
    done = StepRun.objects.filter(step__in=steps, state=StepRun.State.DONE)
    return sorted(done.values("step").annotate(newest=Max("pk")).values_list("newest", flat=True))


def inputs_of_allocation() -> dict[date, str]:
    """What a day is allocated from, as one fingerprint: its files and pulls, the rules, the method, the tags that are
    kept, and the drivers that policies divide by."""
    tagged = f" tags {settings.COSTOPS_TAG_KEYS}" if settings.COSTOPS_TAG_KEYS else ""
    common = f"{rules_sha256()} {METHOD_VERSION}{tagged}"
    driven = {day: f" {files}" for day, files in drivers.fingerprints(policies()).items()}
    return {day: _digest(f"{inputs} {common}{driven.get(day, '')}") for day, inputs in day_fingerprints().items()}


def inputs_of_estimates() -> dict[date, str]:
    """What a day that waits for its bill is estimated from: itself, and the days prices may be from."""
    late = {day for days in waits_now().values() for day in days}
    if not late:
        return {}
    days = inputs_of_allocation()
    span = timedelta(days=MOST_WAITING + RECENT_DAYS)
    before = {day: told for day, told in days.items() if min(late) - span <= day and day not in late}
    common = f"{_digest(repr(sorted(before.items())))} {ESTIMATES_VERSION}"
    return {day: _digest(f"{days.get(day, '')} {common}") for day in late}


def inputs_of_publication() -> dict[date, str]:
    """What a day is published from: its allocation, and its estimate while it waits for its bill."""
    estimated = filled("estimate")
    return {
        day: _digest(f"{allocated} {estimated[day]}") if day in estimated else allocated
        for day, allocated in filled("allocate").items()
    }


def filled(step: str) -> dict[date, str]:
    """The fingerprints a step last filled its days from."""
    return dict(FilledDay.objects.filter(step=step).values_list("day", "fingerprint"))


def digest_of(inputs: dict[date, str], window: Window) -> str:
    """One fingerprint for a window of days."""
    return _digest("\n".join(f"{day} {inputs.get(day, '')}" for day in window.days()))


def _changed(step: str, inputs: dict[date, str], ask: Ask) -> list[date]:
    before = filled(step)
    days = sorted(inputs.keys() | before.keys())
    if step in ask.forced:
        return ask.within(days)
    return [day for day in days if inputs.get(day) != before.get(day)]


def _unread(step: str, of: Iterable[str], ask: Ask) -> Iterator[Work]:
    for source in ask.chosen(*of):
        unread = LandedFile.objects.filter(source=source, state=LandedFile.State.LANDED).order_by("pk")
        files = [str(pk) for pk in unread.values_list("pk", flat=True)]
        if files or (step in ask.forced and ask.window is None):
            yield Work(step, source.name, fingerprint=_digest(" ".join(files)))


def _pullable(source: Source, now: datetime) -> set[date]:
    """The days of an API source up to today: from its option `since`, else the earliest known day, else a week back."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    today = now.astimezone(zone).date()
    since = source.options.get("since")
    first = date.fromisoformat(since) if since else min(day_fingerprints(), default=today - timedelta(days=DAYS_BACK))
    return set(_until_today(Window(first, today + ONE_DAY), now)) if first <= today else set()


def _until_today(window: Window, now: datetime) -> list[date]:
    """The days of a window of which at least one whole hour is over."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    hour_ago = now - timedelta(hours=1)
    return [day for day in window.days() if Window(day, day + ONE_DAY).hours(zone)[0] <= hour_ago]


def _incomplete(source: Source, days: set[date], now: datetime) -> set[date]:
    """The days never pulled, or pulled before they were over, or pulled with gaps that may still be filled; what was
    pulled by a clock that was ahead may have met a day that had not been yet."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    pulled = {one.day: one for one in MeteredDay.objects.filter(source=source, day__in=days)}
    return {day for day in days if day not in pulled or _is_incomplete(pulled[day], zone, now)}


def _is_incomplete(pulled: MeteredDay, zone: ZoneInfo, now: datetime) -> bool:
    _, end = Window(pulled.day, pulled.day + ONE_DAY).hours(zone)
    has_gaps = pulled.observed_samples < pulled.expected_samples or not pulled.expected_samples
    if pulled.pulled_at < end or pulled.pulled_at > now:
        return True
    return has_gaps and pulled.pulled_at < end + timedelta(days=DAYS_TO_COMPLETE)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
