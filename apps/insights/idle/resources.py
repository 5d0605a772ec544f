"""Candidates among what the bill names one by one: disks, servers, addresses, load balancers, databases, snapshots,
commitments."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from apps.allocation.matching import kubernetes_resource, load_balancer_resource
from apps.finops.findings import Sentence
from apps.finops.money import add_up, divided
from apps.finops.windows import ONE_DAY, Window
from apps.insights.idle import describing, kinds
from apps.insights.idle.billed import (
    BilledResource,
    Group,
    UnusedCommitment,
    groups_with,
    resources,
    unused_commitments,
)
from apps.insights.idle.candidates import Candidate, Clock, Ways
from apps.insights.idle.judging import PRESENT_HOURS, Fleet, Judged, judge
from apps.insights.idle.listening import Heard, Hours, Listener, parsed
from apps.learning.idle.activity import FLOORS, Activity, Flags, Matrix
from apps.marts.models import Publication

SIGNALS = ("network", "requests", "attached")
Siblings = Mapping[Group, Sequence[int]]
"""How many resources there are of each group, and how many of them clusters know."""
LATE_DAYS = 1
"""So much later than usual a charge may come without the resource being gone."""
LEAST_UNUSED = 4
"""A commitment is worth a word from so many unused days of 28 on."""


@dataclass(frozen=True)
class Clusters:
    """What clusters know of billed resources, by the resource as the bill names it: 1 in hours that it was used.

    `metered` are the hours in which anything of the kind was known at all.
    """

    hours: Hours | None
    used: Mapping[str, Mapping[str, Matrix]]
    metered: Mapping[str, Flags]
    claims: Mapping[str, tuple[str, str, str]]

    @classmethod
    def of(cls, listener: Listener) -> "Clusters":
        if listener.hours is None:
            return cls(None, {}, {}, {})
        told = {
            kinds.DISK: (listener.volumes(), kubernetes_resource),
            kinds.LOAD_BALANCER: (listener.balancers(), load_balancer_resource),
            kinds.INSTANCE: (listener.node_presence(), kubernetes_resource),
        }
        used = {kind: _by_resource(heard, parse) for kind, (heard, parse) in told.items() if heard is not None}
        metered = {
            kind: np.logical_or.reduce([~np.isnan(one) for one in known.values()]) for kind, known in used.items()
        }
        claims = listener.claims()
        names = parsed(claims, kubernetes_resource)
        return cls(listener.hours, used, metered, {names[volume]: claim for volume, claim in claims.items()})

    def nodes_now(self) -> frozenset[str]:
        """Servers that stood in a cluster in the last hours."""
        nodes = self.used.get(kinds.INSTANCE, {})
        return frozenset(name for name, known in nodes.items() if not np.isnan(known[-PRESENT_HOURS:]).all())

    def knows(self, one: BilledResource) -> bool:
        return one.resource in self.used.get(one.kind, {})


def _by_resource(heard: Heard, parse: Callable[[ir.StringValue], ir.StringValue]) -> dict[str, Matrix]:
    names = parsed((key[0] for key in heard.keys), parse)
    values = heard.activity.signals["attached"]
    return {names[key[0]]: values[:, column] for column, key in enumerate(heard.keys)}


def in_bill(pinned: Publication, window: Window, listener: Listener, zone: ZoneInfo, ways: Ways) -> Iterator[Candidate]:
    """What is idle of what the bill names, but for servers that stand in a cluster: they are judged as its nodes."""
    clusters = Clusters.of(listener)
    here = clusters.nodes_now()
    found = [
        one for one in resources(pinned, window.end)
        if one.resource not in here and _is_there(one, window.end, clusters)
    ]  # fmt: skip
    hours = _hours(clusters.hours, window, zone)
    clock = Clock.at(hours.end, zone)
    metered = groups_with(found, lambda one: one.is_metered)
    by_kind: dict[str, list[BilledResource]] = defaultdict(list)
    for one in found:
        by_kind[one.kind].append(one)
    for kind, alike in by_kind.items():
        fleet = Fleet(tuple((one.resource,) for one in alike), _activity(alike, hours, clusters, metered, zone))
        judgement = judge(fleet, clock.timezone, FLOORS, only_present=False)
        ways[kind] = judgement.way
        siblings = _siblings(alike, clusters)
        for one, judged in zip(alike, judgement.judged, strict=True):
            yield from _candidates(kind, one, judged, clusters, siblings, clock)
    yield from _commitments(unused_commitments(pinned, window.start, window.end), window)


def _is_there(one: BilledResource, end: date, clusters: Clusters) -> bool:
    """Whether it is still charged for: on the last day, or at longer intervals. A server that left its cluster and is
    not charged for any more was given back."""
    was_node = one.kind == kinds.INSTANCE and clusters.knows(one)
    return _is_charged(one.last_day, 0 if was_node else one.interval_days, end)


def _is_charged(last: date, interval_days: int, end: date) -> bool:
    """Whether what is charged at intervals, none where they are not known, is so still before the day `end`."""
    ago = (end - last).days
    return ago <= 1 or (interval_days > 0 and ago <= interval_days + LATE_DAYS)


def _hours(metered: Hours | None, window: Window, zone: ZoneInfo) -> Hours:
    """The hours both bill and clusters tell of: until the bill ends, or the clusters' last hour where that is later."""
    first, end = (int(moment.timestamp()) // 3600 for moment in window.hours(zone))
    if metered is None:
        return Hours(end - 24 * 90, end)
    return Hours(min(metered.first, first), max(metered.end, end))


def _activity(
    alike: list[BilledResource], hours: Hours, clusters: Clusters, metered: set[Group], zone: ZoneInfo
) -> Callable[[NDArray[np.int64]], Activity]:
    """The activity of some of them, by their places."""
    known = groups_with(alike, clusters.knows)

    def part(columns: NDArray[np.int64]) -> Activity:
        some = [alike[column] for column in columns.tolist()]
        signals = _signals(some, hours, clusters, metered, known, zone)
        return Activity(hours.stamps, tuple(one.resource for one in some), signals)

    return part


def _signals(
    some: list[BilledResource], hours: Hours, clusters: Clusters, metered: set[Group], known: set[Group], zone: ZoneInfo
) -> dict[str, Matrix]:
    shape = (hours.count, len(some))
    signals: dict[str, Matrix] = defaultdict(lambda: np.full(shape, np.nan))
    for column, one in enumerate(some):
        _from_bill(one, signals, column, hours, one.group in metered, zone)
        heard = _heard(one, clusters, one.group in known)
        if heard is not None and clusters.hours is not None:
            at = clusters.hours.first - hours.first
            first, _ = _hours_of(one.first_day, zone)
            signals["attached"][at : at + len(heard), column] = heard
            signals["attached"][: max(first - hours.first, 0), column] = np.nan
    return {name: signals[name] for name in SIGNALS if name in signals and not np.isnan(signals[name]).all()}


@lru_cache(maxsize=1_000)
def _hours_of(day: date, zone: ZoneInfo) -> tuple[int, int]:
    """The first hour of a day and the first of the next, since 1970."""
    start, end = (int(moment.timestamp()) // 3600 for moment in Window(day, day + ONE_DAY).hours(zone))
    return start, end


def _from_bill(
    one: BilledResource, signals: dict[str, Matrix], column: int, hours: Hours, is_metered: bool, zone: ZoneInfo
) -> None:
    """What a bill tells is of whole days: every hour of a day is given the same."""
    was_unused = one.was_unused
    for day in one.days:
        start, end = (hour - hours.first for hour in _hours_of(day.day, zone))
        span = slice(max(start, 0), max(end, 0))
        if is_metered or day.transfer_kb is not None:
            signals["network"][span, column] = (day.transfer_kb or 0) / (3600 * max(end - start, 1))
        if day.requests is not None:
            signals["requests"][span, column] = day.requests / max(end - start, 1)
        if was_unused:
            signals["attached"][span, column] = 0 if day.is_unused else 1
    if one.is_unused:  # bills come late: until the next says otherwise, it stays as it was
        signals["attached"][max(_hours_of(one.last_day, zone)[1] - hours.first, 0) :, column] = 0


def _heard(one: BilledResource, clusters: Clusters, is_usual: bool) -> Matrix | None:
    """When a cluster used it, hour by hour. Hours without a word are hours of no use where it was known before, or,
    `is_usual`, clusters use others of its group; a server may as well stand outside all clusters."""
    known = clusters.used.get(one.kind, {}).get(one.resource)
    if known is None and (not is_usual or one.kind == kinds.INSTANCE):
        return None
    silent = np.where(clusters.metered[one.kind], 0.0, np.nan)
    return silent if known is None else np.where(np.isnan(known), silent, known)


def _candidates(
    kind: str, one: BilledResource, judged: Judged, clusters: Clusters, siblings: Siblings, clock: Clock
) -> Iterator[Candidate]:
    if not judged.is_idle and (judged.is_known or judged.peaks):
        return  # it is used, or too new to tell
    claim = clusters.claims.get(one.resource)
    kind = kinds.VOLUME if kind == kinds.DISK and claim else kind
    lost = Sentence(kinds.KINDS[kind].lost, {"claim": "/".join(claim)} if kind == kinds.VOLUME and claim else {})
    place = {"cluster": claim[0], "namespace": claim[1]} if claim else {}
    made = Candidate.of(
        kind, judged, clock, lost, resource=one.resource, name=one.name or one.resource, service=one.service, **place
    )
    yield made.said(*_more(kind, one, judged, siblings))


def _siblings(alike: list[BilledResource], clusters: Clusters) -> Siblings:
    found: dict[Group, list[int]] = defaultdict(lambda: [0, 0])
    for one in alike:
        counts = found[one.group]
        counts[0] += 1
        counts[1] += clusters.knows(one)
    return found


def _more(kind: str, one: BilledResource, judged: Judged, siblings: Siblings) -> Iterator[Sentence]:
    """What else the bill and the clusters say."""
    if one.is_unused:
        yield Sentence(describing.BILL_SAYS, {"description": one.description[:200]})
    if kind == kinds.DISK and judged.is_known:
        disks, mounted = siblings[one.group]
        yield Sentence(describing.NOT_MOUNTED, {"disks": str(disks), "mounted": str(mounted)})
    if judged.peaks.get("network") == 0 and all(day.transfer_kb is None for day in one.days):
        yield Sentence(describing.NO_TRAFFIC)


def _commitments(found: list[UnusedCommitment], window: Window) -> Iterator[Candidate]:
    for one in found:
        unused, days_held = sorted(day for day, cost in one.unused.items() if cost > 0), sorted(one.unused)
        interval = (days_held[-1] - days_held[-2]).days if len(days_held) > 1 else 0
        if len(unused) < LEAST_UNUSED or not _is_charged(days_held[-1], interval, window.end):
            continue  # it is used, or has ended
        nothing = add_up(one.unused.values())
        share = divided(100 * nothing, add_up([nothing, *one.used.values()]))
        days = (window.end - window.start).days
        yield Candidate(
            kinds.COMMITMENT, "review", is_known=True, since=_since(one, unused),
            lost=Sentence(kinds.KINDS[kinds.COMMITMENT].lost),
            evidence=(
                Sentence(describing.UNUSED_DAYS, {"unused": str(len(unused)), "days": str(days)}),
                Sentence(describing.UNUSED_SHARE, {"share": f"{share or 0:.1f}"}),
            ),
            resource=one.resource or one.commitment, name=one.name or one.commitment, service=one.kind,
            cost=(one.currency, nothing),
        )  # fmt: skip


def _since(one: UnusedCommitment, unused: list[date]) -> date:
    """The first of the last unbroken run of unused days."""
    since = unused[-1]
    while since - ONE_DAY in one.unused and one.unused[since - ONE_DAY] > 0:
        since -= ONE_DAY
    return since
