"""The right-sizing plan of a cluster by its settings: what it says, promises and shows."""

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import add_up
from apps.finops.stakes import Stake, in_cluster
from apps.planning.drafts import (
    Action,
    Check,
    Draft,
    Settings,
)
from apps.planning.methods.leaving import needed
from apps.planning.methods.rightsizing import rules
from apps.planning.methods.rightsizing.choosing import BAD_SHARE, Replay, held_against, replay
from apps.planning.methods.rightsizing.choosing import Settings as Rightsizing
from apps.planning.methods.rightsizing.memory import MemoryPlan, plan_memory
from apps.planning.methods.rightsizing.usage import Array
from apps.planning.methods.rightsizing.verify import verify_nodes, verify_replay, verify_serverless
from apps.planning.reading.rightsizing import DAY
from apps.planning.sizing import LEAST_HISTORY, Cluster, Money, Sized, money_of, parts_of, size
from apps.planning.words import cores, money, share

JUDGED_DAYS = 28
SHOWN_DAYS = 14
BORROWED_DAYS = 14

LOWER = (
    "Lower requests in %(cluster)s, for %(count)s of its workloads: %(cores)s cores and %(gib)s GiB are claimed no "
    "more."
)
STANDING = "With them standing nodes leave for good: %(count)s of %(stand)s."
ELASTIC = "With them nodes that come and go are there for %(hours)s hours a month less."
FREED = "What is freed does not add up to a node in any hour, so nothing is saved on nodes yet."
SERVERLESS = (
    "Serverless pods of %(count)s workloads cost %(saving)s a month less: they are charged by what they ask for."
)
SERVERLESS_MORE = "Serverless pods of %(count)s workloads that are raised cost %(saving)s a month more."
NOTHING = "No request in %(cluster)s can be lowered at this risk."
RAISE = "%(count)s workloads use more than they ask for; raising them to be safe would claim %(cores)s more cores."
RAISED = "%(count)s workloads are raised, by %(cores)s cores together: they use more than they ask for."
RISK = (
    "Decided anew each day and replayed on the next, %(above)s of the hours of the last %(days)s days peaked above the "
    "request, on %(bad)s of days more than 5 of 100."
)
MEMORY_RISK = "Memory: on one of %(one_in)s days a workload's peak is expected above its request at most."
BIND_GIB = "Memory decides how many nodes there are in most hours, cores do not."
BIND_CORES = "Cores decide how many nodes there are in most hours, memory does not."
BIND_KEEP = "%(count)s workloads stay as they are: less than %(days)s days of history, or a change below a tenth."
UNKNOWN_HOURS = "Peaks within an hour: only means of hours are metered here, so requests are drawn to be too small."
UNKNOWN_LIMITS = (
    "The limits of containers, and what happens when neighbours peak at once: a request is a promise, no ceiling."
)
UNKNOWN_FUTURE = "Whether coming weeks are like the last %(days)s days."
BIND_SIZES = (
    "Serverless pods are rounded up to the sizes of the provider: a request lowered within one saves nothing there."
)
TITLE = "Lower requests in %(cluster)s, for %(count)s of the team's workloads"
EVIDENCE = "%(workload)s: %(cpu)s cores instead of %(cpu_now)s, %(gib)s GiB instead of %(gib_now)s"
VERDICTS = {
    "lower": "lowered", "raise": "raised", "alike": "stays: nearly the same", "young": "stays: too little history",
    "short": "asks for too little",
}  # fmt: skip
CHECKS = {
    "throttled": "the share of hours above the request comes out the same",
    "bad_days": "the share of bad days comes out the same",
    "nodes": "no node leaves that some hour needs",
    "seen": "no request for memory is below the highest of the last week",
    "serverless": "what serverless pods cost less comes out the same, and is no more than they cost",
    "parts": "the workloads' savings add up to the plan's",
}


def make(data: bytes, settings: Settings) -> Draft:
    """The plan of one cluster by these settings."""
    case = Cluster.of(data)
    margin = settings["margin"] / 100
    chosen = replay(case.cpu, Rightsizing(risk=settings["risk"] / 100, margin=margin))
    kept = plan_memory(case.memory, settings["memory_risk"] / 100, margin)
    sized = size(case, chosen, kept, may_raise=bool(settings["raise"]))
    paid = money_of(case, sized)
    parts = parts_of(case, sized, paid)
    judged = chosen.above[-JUDGED_DAYS:], chosen.bad[-JUDGED_DAYS:]
    told = float(np.nanmean(judged[0])), float(np.nanmean(judged[1]))
    rows = _rows(case, sized, chosen, kept, parts)
    return Draft(
        currency=case.meta["currency"], cost_per_month=paid.cost, saving_per_month=paid.saving,
        says=_says(case, sized, chosen, paid),
        risks=(
            Sentence(RISK, {"above": share(told[0]), "bad": share(told[1]), "days": f"{len(judged[0])}"}),
            Sentence(MEMORY_RISK, {"one_in": f"{100 / settings['memory_risk']:,.0f}"}),
        ),
        binds=_binds(case, sized), unknowns=_unknowns(case),
        checks=_checks(case, chosen, sized, told, parts, paid), actions=_actions(case, sized, parts),
        tables={"workloads": rows, "strategies": _strategies(case, chosen, kept)},
        content=_content(case, chosen, may_raise=bool(settings["raise"])), settings=settings,
        billed_until=date.fromisoformat(case.meta["since"]),
    )  # fmt: skip


def _says(case: Cluster, sized: Sized, chosen: Replay, paid: Money) -> tuple[Sentence, ...]:
    cluster = {"cluster": case.meta["cluster"]}
    lowered = sized.verdicts.count("lower")
    if not lowered:
        told = [Sentence(NOTHING, cluster)]
    else:
        freed = (np.mean(had - has) for had, has in ((sized.before.cores, sized.after.cores),
                                                     (sized.before.gib, sized.after.gib)))  # fmt: skip
        amounts = dict(zip(("cores", "gib"), (cores(max(0.0, float(each))) for each in freed), strict=True))
        told = [Sentence(LOWER, cluster | {"count": f"{lowered}"} | amounts)]
        leaves = sized.leaves
        if leaves.standing:
            told.append(Sentence(STANDING, {"count": f"{leaves.standing}", "stand": f"{case.meta['stand']}"}))
        if leaves.elastic_hours:
            told.append(Sentence(ELASTIC, {"hours": cores(paid.elastic_hours)}))
        if not leaves.standing and not leaves.elastic_hours:
            told.append(Sentence(FREED))
    told += _serverless(case, paid)
    for verdict, text in (("short", RAISE), ("raise", RAISED)):
        places = [place for place, one in enumerate(sized.verdicts) if one == verdict]
        if places:
            more = (chosen.request[-1] - case.arrays["cpu_request"])[places] * case.arrays["pods"].mean(axis=0)[places]
            told.append(
                Sentence(text, {"count": f"{len(places)}", "cores": cores(float(np.clip(more, 0, None).sum()))})
            )
    return tuple(told)


def _serverless(case: Cluster, paid: Money) -> list[Sentence]:
    """What serverless pods cost less or more."""
    told = []
    for text, gains in ((SERVERLESS, [gain for gain in paid.serverless.values() if gain > 0]),
                        (SERVERLESS_MORE, [-gain for gain in paid.serverless.values() if gain < 0])):  # fmt: skip
        if gains:
            told.append(Sentence(text, {"count": f"{len(gains)}", "saving": money(add_up(gains), case.meta)}))
    return told


def _binds(case: Cluster, sized: Sized) -> tuple[Sentence, ...]:
    by_gib = sized.after.gib / case.meta["gib"] > sized.after.cores / case.meta["cores"]
    kept = sum(verdict in ("alike", "young") for verdict in sized.verdicts)
    return (
        Sentence(BIND_GIB if by_gib.mean() > 0.5 else BIND_CORES),
        *([Sentence(BIND_SIZES)] if case.serverless else []),
        *([Sentence(BIND_KEEP, {"count": f"{kept}", "days": f"{LEAST_HISTORY}"})] if kept else []),
    )


def _unknowns(case: Cluster) -> tuple[Sentence, ...]:
    return (
        *([] if case.meta["has_peaks"] else [Sentence(UNKNOWN_HOURS)]),
        Sentence(UNKNOWN_FUTURE, {"days": f"{case.cpu.days}"}), Sentence(UNKNOWN_LIMITS),
    )  # fmt: skip


def _checks(
    case: Cluster, chosen: Replay, sized: Sized, told: tuple[float, float], parts: list[Decimal], paid: Money
) -> tuple[Check, ...]:
    days = slice(max(0, case.cpu.days - JUDGED_DAYS), case.cpu.days)
    found = [
        *verify_replay(case.cpu.samples[days].tolist(), chosen.request[days].tolist(), *told, bad_share=BAD_SHARE),
        verify_nodes(
            needed(sized.before, case.stock).tolist(), needed(sized.after, case.stock).tolist(),
            case.stock.there.tolist(), stand=case.stock.stand, elastic_hours=sized.leaves.elastic_hours,
            standing=sized.leaves.standing,
        ),
    ]  # fmt: skip
    week = np.nanmax(case.memory.samples[-7:].reshape(-1, case.memory.count), axis=0, initial=0)
    lowered = sized.memory < case.arrays["memory_request"]
    seen = bool((sized.memory[lowered] >= np.minimum(week[lowered], case.meta["gib"]) - 1e-6).all())
    return (
        *(Check(Sentence(CHECKS[one.name]), one.holds) for one in found),
        Check(Sentence(CHECKS["seen"]), seen),
        *_counted(case, sized, paid),
        Check(Sentence(CHECKS["parts"]), add_up(parts) == (paid.saving if any(parts) else add_up(parts))),
    )


def _counted(case: Cluster, sized: Sized, paid: Money) -> list[Check]:
    """Serverless pods counted day by day."""
    holds = all(
        verify_serverless(
            days, Decimal(cost), case.meta["ratio"], resource,
            now=(case.arrays["cpu_request"][place], case.arrays["memory_request"][place]),
            then=(sized.cpu[place], sized.memory[place]), months=12 * case.meta["days"] / 365,
            told=float(paid.serverless.get(place, 0)),
        )
        for place, cost, resource, days in case.serverless
    )  # fmt: skip
    return [Check(Sentence(CHECKS["serverless"]), holds)] if case.serverless else []


def _actions(case: Cluster, sized: Sized, parts: list[Decimal]) -> tuple[Action, ...]:
    """One for each team: its workloads, the dearest as evidence."""
    teams: dict[str, list[int]] = {}
    for place, verdict in enumerate(sized.verdicts):
        if verdict == "lower" and parts[place]:
            teams.setdefault(case.meta["teams"][place], []).append(place)
    cluster, since = case.meta["cluster"], date.fromisoformat(case.meta["since"])
    return tuple(
        Action(
            subject=f"{cluster} {team}", team=team,
            title=Sentence(TITLE, {"count": f"{len(places)}", "cluster": cluster}),
            evidence=tuple(_evidence(case, sized, place) for place in sorted(places, key=lambda one: -parts[one])[:3]),
            currency=case.meta["currency"], saving_per_month=add_up(parts[place] for place in places), since=since,
            scope={"cluster": cluster, "team": team},
            stakes=tuple(
                Stake(in_cluster(cluster, team, *case.meta["workloads"][place][:2]), parts[place]) for place in places
            ),
        )
        for team, places in sorted(teams.items())
    )  # fmt: skip


def _evidence(case: Cluster, sized: Sized, place: int) -> Sentence:
    namespace, workload, _kind = case.meta["workloads"][place]
    return Sentence(EVIDENCE, {
        "workload": f"{namespace}/{workload}", "cpu": f"{sized.cpu[place]:.2f}", "gib": f"{sized.memory[place]:.2f}",
        "cpu_now": f"{case.arrays['cpu_request'][place]:.2f}", "gib_now": f"{case.arrays['memory_request'][place]:.2f}",
    })  # fmt: skip


def _rows(case: Cluster, sized: Sized, chosen: Replay, kept: MemoryPlan, parts: list[Decimal]) -> list[list[Any]]:
    """A row for each workload: the money first, then what asks for too little."""
    above = chosen.above[-JUDGED_DAYS:]
    seen = (~np.isnan(above)).sum(axis=0)
    fleet = float(np.nanmean(above))
    throttled = (np.nansum(above, axis=0) + BORROWED_DAYS * fleet) / (seen + BORROWED_DAYS)
    history = case.cpu.history[-1]
    order = sorted(range(case.cpu.count), key=lambda one: (-parts[one], sized.verdicts[one], one))
    return [
        [*case.meta["workloads"][place][:2], case.meta["teams"][place], VERDICTS[sized.verdicts[place]],
         *(round(float(each[place]), 4) for each in (case.arrays["cpu_request"], sized.cpu,
                                                     case.arrays["memory_request"], sized.memory)),
         f"{parts[place]:.12f}", round(float(throttled[place]), 6), _known(kept.chance[-1][place]),
         int(history[place]), case.meta["workloads"][place][2]]
        for place in order
    ]  # fmt: skip


def _known(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _strategies(case: Cluster, chosen: Replay, kept: MemoryPlan) -> list[list[Any]]:
    """Ours and the rules of others, replayed alike: cores asked for as a part of now's, hours above, bad days; GiB as
    a part of now's, and days with a peak of memory above, each of which may be a kill. Rules that are of cores only
    have nothing of memory."""
    days = slice(max(0, case.cpu.days - JUDGED_DAYS), case.cpu.days)
    requests = {"CostOps": (chosen.request, kept.request)} | {
        name: (rule(case.cpu), rules.OTHERS_MEMORY[name](case.memory) if name in rules.OTHERS_MEMORY else None)
        for name, rule in rules.OTHERS.items()
    }
    told: list[list[Any]] = []
    for name, (cpu, memory) in requests.items():
        above, bad = held_against(case.cpu, cpu)
        row = [name, _asked(case, "cpu_request", cpu[days]), *(_mean(each[days]) for each in (above, bad))]
        if memory is not None:
            peaks = held_against(case.memory, memory)[0]
            killed = np.where(np.isnan(peaks), np.nan, peaks > 0)
            row += [_asked(case, "memory_request", memory[days]), _mean(killed[days])]
        told.append([*row, *([None] * (6 - len(row)))])
    return told


def _asked(case: Cluster, name: str, requests: Array) -> float:
    """What was asked for on average, as a part of what is asked for now."""
    pods, now = case.arrays["pods"].mean(axis=0), case.arrays[name]
    whole = max(float(np.nansum(now * pods)), 1e-9)
    return round(float(np.nansum(np.nanmean(requests, axis=0) * pods)) / whole, 4)


def _mean(values: Array) -> float:
    return round(float(np.nanmean(values)), 6)


def _content(case: Cluster, chosen: Replay, *, may_raise: bool) -> dict[str, Any]:
    pods = case.arrays["pods"].mean(axis=0)
    now = max(float((case.arrays["cpu_request"] * pods).sum()), 1e-9)
    slack, risk = chosen.slack_by_candidate, chosen.risk_by_candidate
    points = []
    if slack is not None and risk is not None:
        weight = pods / max(float(pods.sum()), 1e-9)
        points = [
            [round(float(np.nansum(own * pods)) / now, 4), round(float(np.nansum(chance * weight)), 6)]
            for own, chance in zip(slack, risk, strict=True)
        ]
    days = slice(max(0, case.cpu.days - SHOWN_DAYS), case.cpu.days)
    used = np.nan_to_num(case.cpu.samples[days]) * pods
    most = np.inf if may_raise else case.arrays["cpu_request"]
    return {
        "first": case.meta["first"] + days.start * DAY,
        "points": sorted(points),
        "used": [round(float(one), 3) for one in used.sum(axis=2).ravel()],
        "asked": round(now, 3),
        "advised": [round(float(np.nansum(np.fmin(one, most) * pods)), 3) for one in chosen.request[days]],
    }
