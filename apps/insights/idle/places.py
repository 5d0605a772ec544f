"""Candidates among what runs in clusters: namespaces, workloads, GPUs, nodes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.windows import Window
from apps.insights.idle import kinds
from apps.insights.idle.candidates import Candidate, Clock, Ways
from apps.insights.idle.judging import Fleet, Judged, judge, judged_at
from apps.insights.idle.listening import Heard, Listener
from apps.insights.idle.schedules import off_hours
from apps.learning.idle.activity import Activity
from apps.teams.selectors import rule_book


def in_clusters(listener: Listener, clock: Clock, window: Window, ways: Ways) -> Iterator[Candidate]:
    """What is idle of what runs in clusters; a namespace of which all is idle hides its workloads."""
    heard = listener.workloads()
    if heard is not None:
        clocked = listener.by_the_clock(clock.zone)
        last_heard = {cluster: one.last for cluster, one in clocked.items() if one.is_off}
        judgement = judge(Fleet.of(heard), clock.timezone, last_heard=last_heard)
        ways[kinds.WORKLOAD], judged = judgement.way, tuple(judgement.judged)
        claims = listener.counted_claims()
        idle, apart = _by_namespace(judged)
        for place, members in idle.items():
            yield _namespace(heard, place, members, claims, clock)
        for one in apart:
            yield _workload(one, claims, clock)
        hidden = {one.key for members in idle.values() for one in members} | {one.key for one in apart}
        yield from off_hours(heard, judged, listener, window, clock, clocked)
        yield from _gpus(heard, hidden, clock, _gpu_shares(listener, window))
    yield from _nodes(listener, clock, ways)


def _by_namespace(judged: Iterable[Judged]) -> tuple[dict[tuple[str, ...], list[Judged]], list[Judged]]:
    """Namespaces of which all is idle with their workloads, and idle workloads of others."""
    places: dict[tuple[str, ...], list[Judged]] = defaultdict(list)
    listed = list(judged)
    for one in listed:
        places[one.key[:2]].append(one)
    whole = {place: members for place, members in places.items() if all(one.is_idle for one in members)}
    return whole, [one for one in listed if one.is_idle and one.key[:2] not in whole]


def _namespace(
    heard: Heard, place: tuple[str, ...], members: list[Judged], claims: dict[tuple[str, str, str], int], clock: Clock
) -> Candidate:
    cluster, namespace = place
    together = _together(heard, place)
    judged = judged_at(together, 0, clock.timezone)
    chances = [one.probability for one in members if one.probability is not None]
    is_safe = all(one.verdict == "safe" for one in members)
    judged = replace(judged, verdict="safe" if is_safe else "review", probability=min(chances) if chances else None)
    claimed = sum(count for (of, name, _), count in claims.items() if (of, name) == place)
    lost = Sentence(kinds.KINDS[kinds.NAMESPACE].lost, {"workloads": str(len(members)), "claims": str(claimed)})
    return Candidate.of(kinds.NAMESPACE, judged, clock, lost, cluster=cluster, namespace=namespace)


def _together(heard: Heard, place: tuple[str, ...]) -> Heard:
    """All workloads of a namespace as one: of every signal the highest."""
    columns = [column for column, key in enumerate(heard.keys) if key[:2] == place]
    part = heard.activity.of(columns)
    signals = {name: np.fmax.reduce(values, axis=1)[:, None] for name, values in part.signals.items()}
    return Heard(Activity(part.hours, ("/".join(place),), signals), (place,))


def _workload(judged: Judged, claims: dict[tuple[str, str, str], int], clock: Clock) -> Candidate:
    cluster, namespace, workload = judged.key
    lost = Sentence(kinds.KINDS[kinds.WORKLOAD].lost, {"claims": str(claims.get((cluster, namespace, workload), 0))})
    return Candidate.of(
        kinds.WORKLOAD, judged, clock, lost, cluster=cluster, namespace=namespace, workload=workload
    )  # fmt: skip


def _gpu_shares(listener: Listener, window: Window) -> dict[tuple[str, ...], Fraction]:
    """The part of what a workload claims that is its GPUs, by the price ratio of the rules."""
    _, book = rule_book()
    ratio = book.price_ratio
    shares: dict[tuple[str, ...], Fraction] = {}
    for place, (cores, gib, gpus) in listener.gpu_shares(window.start, window.end).items():
        mine = Fraction(gpus) * Fraction(ratio.gpu)
        shares[place] = mine / (
            mine + Fraction(cores) * Fraction(ratio.cpu_core) + Fraction(gib) * Fraction(ratio.memory_gib)
        )
    return shares


def _gpus(
    heard: Heard, hidden: set[tuple[str, ...]], clock: Clock, shares: dict[tuple[str, ...], Fraction]
) -> Iterator[Candidate]:
    """Workloads that work, but not on the GPUs they hold."""
    if "gpu" not in heard.activity.signals:
        return
    values = heard.activity.signals["gpu"]
    columns = np.flatnonzero(~np.isnan(values).all(axis=0)).tolist()
    part = heard.activity.of(columns)
    gpus = Heard(
        Activity(part.hours, part.subjects, {"gpu": part.signals["gpu"]}), tuple(heard.keys[i] for i in columns)
    )
    lost = Sentence(kinds.KINDS[kinds.GPU].lost)
    for one in judge(Fleet.of(gpus), clock.timezone).judged:
        if one.is_idle and one.key not in hidden:
            place = dict(zip(("cluster", "namespace", "workload"), one.key, strict=True))
            yield Candidate.of(kinds.GPU, one, clock, lost, share=shares.get(one.key, Fraction(0)), **place)


def _nodes(listener: Listener, clock: Clock, ways: Ways) -> Iterator[Candidate]:
    heard = listener.nodes()
    if heard is None:
        return
    cores, resources = listener.cores(), listener.node_resources()
    judgement = judge(Fleet.of(heard), clock.timezone)
    ways[kinds.NODE] = judgement.way
    for one in judgement.judged:
        cluster, node, provider_id = one.key
        if one.is_idle and resources.get(provider_id):
            lost = Sentence(kinds.KINDS[kinds.NODE].lost, {"cores": f"{cores.get((cluster, node), 0):g}"})
            yield Candidate.of(
                kinds.NODE, one, clock, lost, cluster=cluster, name=node, resource=resources[provider_id]
            )  # fmt: skip
