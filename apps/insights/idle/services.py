"""Finding what is idle on the days that are over in what was published, again when anything it is found in changed."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.calendars.selectors import today
from apps.finops.findings import Sentence
from apps.finops.money import add_up
from apps.finops.steps import StepResult
from apps.finops.windows import Window
from apps.insights.idle import kinds
from apps.insights.idle.candidates import Candidate, Clock, Ways
from apps.insights.idle.ledger import Ledger, Shares, complete_window, per_month
from apps.insights.idle.listening import Listener
from apps.insights.idle.places import in_clusters
from apps.insights.idle.resources import in_bill
from apps.insights.models import IdleFinding, IdleRun
from apps.insights.runs import keep, looked_at, taken_over
from apps.marts.models import Publication
from apps.marts.selectors import publication
from apps.teams.models import UNALLOCATED

METHOD_VERSION = "3"
"""Raised whenever something else would be found in the same data."""
KEPT_RUNS = 30
"""What was idle in so many publications stays readable."""
PRECEDENCE = (
    kinds.NAMESPACE, kinds.WORKLOAD, kinds.GPU, kinds.VOLUME, kinds.DISK, kinds.NODE, kinds.COMMITMENT, kinds.INSTANCE,
    kinds.ADDRESS, kinds.LOAD_BALANCER, kinds.DATABASE, kinds.SNAPSHOT, kinds.SCHEDULE,
)  # fmt: skip
"""Whose the money is where several things share a cost: the first takes it, and no other promises it again."""


def identity() -> str:
    """What findings depend on besides the publication."""
    return f"{METHOD_VERSION} {settings.COSTOPS_TIME_ZONE}"


def find(*, now: datetime) -> StepResult:
    """Find what is idle in the newest publication; the same data are not looked at again."""
    pinned, zone = publication(), ZoneInfo(settings.COSTOPS_TIME_ZONE)
    inputs = looked_at(pinned, identity(), today=today(now))
    if (before := taken_over(IdleRun, pinned.number, now, inputs=inputs)) is not None:
        return StepResult(rows=before.findings.count(), versions={"publication": pinned.number})
    window = complete_window(pinned, today=today(now))
    listener = Listener(pinned, today=today(now))
    ways: Ways = {}
    found = tuple(_candidates(pinned, window, listener, zone, ways)) if window else ()
    rows = _rows(found, pinned, window) if window else iter(())
    run = IdleRun(
        publication=pinned.number, model_version=METHOD_VERSION, inputs=inputs, created_at=now,
        end_day=window.end if window else None, costed_days=(window.end - window.start).days if window else 0,
        last_hour=listener.last_hour, ways=ways,
    )  # fmt: skip
    return StepResult(rows=keep(run, rows, most=KEPT_RUNS), versions={"publication": pinned.number})


def _candidates(
    pinned: Publication, window: Window, listener: Listener, zone: ZoneInfo, ways: Ways
) -> Iterator[Candidate]:
    if listener.hours is not None:
        yield from in_clusters(listener, Clock.at(listener.hours.end, zone), window, ways)
    yield from in_bill(pinned, window, listener, zone, ways)


def _rows(found: Iterable[Candidate], pinned: Publication, window: Window) -> Iterator[IdleFinding]:
    """A finding for every team and currency that pays for a candidate, with what no other promises."""
    listed = sorted(found, key=lambda one: (PRECEDENCE.index(one.kind), one.subject))
    places = {(one.cluster, one.namespace) for one in listed if one.namespace}
    ledger = Ledger.read(pinned, window, places, {one.resource for one in listed})
    days = (window.end - window.start).days
    return (
        _row(one, team, currency, cost, days)
        for one in listed
        for (team, currency), cost in _taken(ledger, one).items()
    )


def _taken(ledger: Ledger, one: Candidate) -> Shares:
    if one.kind == kinds.NAMESPACE:
        return ledger.take(ledger.of_namespace(one.cluster, one.namespace))
    if one.workload:
        mine = ledger.of_workload(one.cluster, one.namespace, one.workload)
        on_nodes = [part for part in mine if part.pool == "node"]
        return ledger.take(on_nodes if one.kind == kinds.GPU else mine, one.share)
    if one.cost is not None:
        return _told_apart(ledger, one.resource, *one.cost)
    if one.kind == kinds.NODE:
        return ledger.take(ledger.unclaimed(one.resource))
    return ledger.take(ledger.of_resource(one.resource))


def _told_apart(ledger: Ledger, resource: str, currency: str, cost: Decimal) -> Shares:
    """A cost the bill tells apart: of the teams that carry it, or, where they carry more, of the one that carries
    most."""
    shares = {key: share for key, share in ledger.take(ledger.of_resource(resource)).items() if key[1] == currency}
    if add_up(shares.values()) == cost:
        return shares
    largest = max(shares, key=lambda key: shares[key], default=(UNALLOCATED, currency))
    return {largest: cost}


def _row(one: Candidate, team: str, currency: str, cost: Decimal, days: int) -> IdleFinding:
    judged = one.judged
    return IdleFinding(
        **{name: getattr(one, name) for name in _PLAIN},
        team=team, currency=currency, cost_text=f"{cost:.12f}", per_month_text=f"{per_month(cost, days):.12f}",
        evidence=[_told(line) for line in one.evidence], lost=_told(one.lost),
        windows=[list(span) for span in one.windows],
        probability=judged.probability if judged else None, last_active=judged.last_active if judged else None,
        signals={name: [peak, judged.floors[name]] for name, peak in judged.peaks.items()} if judged else {},
        activity=dict(judged.days) if judged else {}, slots=judged.slots if judged and judged.days else [],
    )  # fmt: skip


_PLAIN = (
    "identity", "kind", "subject", "cluster", "namespace", "workload", "resource", "name", "service", "verdict",
    "is_known", "since", "at_stake",
)  # fmt: skip


def _told(sentence: Sentence) -> list[object]:
    return [sentence.text, dict(sentence.values)]
