"""The plan of online and batch together of a cluster by its settings: what it says, promises and shows."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import rounded
from apps.finops.stakes import Stake, in_cluster
from apps.planning.arrays import unpack
from apps.planning.drafts import (
    Action,
    Check,
    Draft,
    Settings,
)
from apps.planning.methods.colocation.backlog import Fitted, fit
from apps.planning.methods.colocation.bounds import bound_of, replay_bounds
from apps.planning.methods.colocation.history import Choices, History, Matrix, evening_of, theta_of_slo
from apps.planning.methods.colocation.quotas import Quotas, quotas
from apps.planning.methods.colocation.verify import verify_backlog, verify_breaches, verify_quotas
from apps.planning.methods.leaving import Claims, Leaving, Stock, leaving, needed
from apps.planning.methods.rightsizing.verify import verify_nodes
from apps.planning.reading.colocation import DAY
from apps.planning.words import cores, money, share

REPLAYED, AHEAD = 14, 7

GIVE = (
    "Let batch work run on the %(nodes)s nodes of %(cluster)s that stand anyway: %(quota)s cores on average of the "
    "coming week."
)
EVENING = (
    "From %(from)s:00 to %(to)s:59 online work has its peak: batch may hold %(guard)s of the nodes then, and begins to "
    "leave at %(drain)s:00."
)
MOVED = (
    "Of the batch work of the last %(days)s days %(moved)s would have fitted in; the rest runs where it runs now, for "
    "%(rest)s a month."
)
SLO = "Requests may take %(slowdown)s times as long as on empty nodes: that lets them be filled to %(theta)s."
BREACHES = (
    "Decided each day for the next and replayed on %(days)s days, online and batch together exceeded %(theta)s of the "
    "cores in %(breaches)s of the hours."
)
WAITS = "Batch work waits %(hours)s hours at most; what would wait longer was not moved."
NO_ROOM = "Online work leaves no room below %(theta)s in these weeks."
BINDS = {
    "online": "In %(hours)s of 168 hours online work decides how much is left.",
    "evening": "In %(hours)s of 168 hours the evening is kept free.",
    "ramp": "In %(hours)s of 168 hours quotas could not change faster.",
    "ceiling": "In %(hours)s of 168 hours memory that nobody asked for is the limit.",
}
BIND_NODES = "What is moved frees nodes of %(cluster)s by whole nodes only."
UNKNOWN_MINUTES = "What happens within an hour: use is known as means of hours."
UNKNOWN_BATCH = "Whether batch work of %(batch)s can run in %(cluster)s: its data, its images, its rights."
UNKNOWN_SLOW = "How much slower batch work becomes beside online work, which has precedence."
TITLE = "Run batch work of %(batch)s on spare cores of %(cluster)s"
REASONS = {"online": "online work", "evening": "the evening is kept", "ramp": "no faster change", "ceiling": "memory"}
CHECKS = {
    "theta": "no quota beyond its share of the cores",
    "evening": "the evening is kept free",
    "ramp": "no quota changes faster than allowed",
    "breaches": "the hours above the limit come out the same",
    "work": "no batch work is done twice or before it came",
    "room": "no hour carries more than its quota",
    "optimal": "no more batch work would have fitted",
    "nodes": "no node leaves that some hour needs",
}


@dataclass(frozen=True)
class _Replayed:
    """What quotas would have done in the last days: by hour, and the nodes that would have left."""

    use: Matrix
    work: Matrix
    given: Quotas
    fitted: Fitted
    breaches: float
    leaves: Leaving
    before: Claims
    after: Claims
    stock: Stock


def make(data: bytes, settings: Settings) -> Draft:
    """The plan of one cluster by these settings."""
    meta, arrays = unpack(data)
    slowdown = settings["slowdown"]
    theta = theta_of_slo(slowdown) if slowdown > 1 else settings["theta"] / 100
    choices = Choices(
        theta=theta, guard_share=settings["guard"] / 100, drain_hours=int(settings["drain"]),
        ramp_share=settings["ramp"] / 100, breach_target=settings["breach"] / 100,
    )  # fmt: skip
    history = _history(meta, arrays)
    evening = evening_of(history, choices)
    first = history.days - REPLAYED
    bounds, risk = replay_bounds(history, choices, first, history.days)
    replayed = _replayed(meta, arrays, history, bounds, evening, choices, int(settings["wait"]))
    coming = _coming(meta, arrays, history, risk, evening, choices)
    cost = Decimal(meta["cost_per_month"])
    saving = min(max(cost, Decimal(0)), _monthly(meta, replayed.leaves.elastic_hours))
    rest = _monthly(meta, float(needed(replayed.after, replayed.stock).sum()))
    return Draft(
        currency=meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=(*_says(meta, coming, replayed, evening, choices, rest), *_slo(slowdown, theta)),
        risks=(
            _breaches(replayed, choices),
            Sentence(WAITS, {"hours": f"{settings['wait']:.0f}"}),
        ),
        binds=_binds(meta, coming),
        unknowns=(
            Sentence(UNKNOWN_MINUTES),
            Sentence(UNKNOWN_BATCH, {"batch": meta["batch_cluster"], "cluster": meta["cluster"]}),
            Sentence(UNKNOWN_SLOW),
        ),
        checks=_checks(coming, replayed, evening, choices, history),
        actions=_actions(meta, saving, (_breaches(replayed, choices),)),
        tables={"week": _week(meta, history, coming), "evening": _evening(coming, evening, choices)},
        content=_content(meta, history, replayed, coming, evening, choices), settings=settings,
        billed_until=date.fromisoformat(meta["since"]),
        objective=float(replayed.fitted.placed.sum()), bound=replayed.fitted.most,
    )  # fmt: skip


def _monthly(meta: dict[str, Any], node_hours: float) -> Decimal:
    """What node-hours of the replayed days cost, as those of a month."""
    return rounded(Fraction(Decimal(meta["node_hour"])) * Fraction(node_hours) * Fraction(365, 12 * REPLAYED))


def _slo(slowdown: float, theta: float) -> tuple[Sentence, ...]:
    """Where what users bear decides how full nodes may be."""
    if slowdown <= 1:
        return ()
    return (Sentence(SLO, {"slowdown": f"{slowdown:g}", "theta": share(theta)}),)


def _history(meta: dict[str, Any], arrays: dict[str, Any]) -> History:
    use = arrays["use"].reshape(-1, DAY, 1)
    return History(date.fromisoformat(meta["day"]), use, arrays["capacity"].reshape(-1, DAY))


def _ceiling(meta: dict[str, Any], arrays: dict[str, Any], hours: slice) -> Matrix:
    """The cores of batch work for which there is memory that nobody asked for."""
    gib_per_core = arrays["job_gib"].sum() / max(arrays["job_cores"].sum(), 1e-9)
    room: Matrix = arrays["free_gib"][hours] / max(gib_per_core, 1e-9)
    return room


def _replayed(
    meta: dict[str, Any], arrays: dict[str, Any], history: History, bounds: Matrix, evening: tuple[int, int],
    choices: Choices, wait: int,
) -> _Replayed:  # fmt: skip
    hours = slice(-REPLAYED * DAY, None)
    capacity, use = arrays["capacity"][hours], arrays["use"][hours]
    given = quotas(bounds.ravel(), capacity, evening, choices, _ceiling(meta, arrays, hours))
    work = arrays["job_cores"][hours]
    fitted = fit(work, given.quota, wait)
    let_in = given.quota
    over_limit = (let_in > 1e-6) & (use + let_in > choices.theta * capacity + 1e-6) & ~np.isnan(use)
    known = ~np.isnan(use)
    left = np.where(work > 1e-9, 1 - fitted.by_arrival / np.maximum(work, 1e-9), 1.0)
    before = Claims(arrays["all_cores"][hours], arrays["all_gib"][hours])
    after = Claims(before.cores - (1 - left) * work, before.gib - (1 - left) * arrays["job_gib"][hours])
    stock = Stock(meta["cores"], meta["gib"], max(meta["fill"], 0.05), 0, arrays["there"][hours])
    return _Replayed(
        use, work, given, fitted, float(over_limit.sum() / max(known.sum(), 1)), leaving(before, after, stock), before,
        after, stock,
    )  # fmt: skip


def _coming(
    meta: dict[str, Any], arrays: dict[str, Any], history: History, risk: float, evening: tuple[int, int],
    choices: Choices,
) -> Quotas:  # fmt: skip
    """The quotas of the coming week; memory as it was in the last one."""
    day = history.capacity[-1]
    bounds = [bound_of(history, history.days + ahead, risk, choices.theta * day, evening) for ahead in range(AHEAD)]
    ceiling = _ceiling(meta, arrays, slice(-AHEAD * DAY, None))
    return quotas(np.concatenate(bounds), np.tile(day, AHEAD), evening, choices, ceiling)


def _says(
    meta: dict[str, Any], coming: Quotas, replayed: _Replayed, evening: tuple[int, int], choices: Choices,
    rest: Decimal,
) -> tuple[Sentence, ...]:  # fmt: skip
    if not coming.quota.any():
        return (Sentence(NO_ROOM, {"theta": share(choices.theta)}),)
    moved = float(replayed.fitted.placed.sum() / max(replayed.work.sum(), 1e-9))
    names = {"nodes": f"{meta['nodes']}", "cluster": meta["cluster"], "quota": cores(float(coming.quota.mean()))}
    return (
        Sentence(GIVE, names),
        Sentence(EVENING, {"from": f"{evening[0]:02d}", "to": f"{evening[1]:02d}", "guard": share(choices.guard_share),
                           "drain": f"{evening[0] - choices.drain_hours:02d}"}),
        Sentence(MOVED, {"days": f"{REPLAYED}", "moved": share(moved), "rest": money(rest, meta)}),
    )  # fmt: skip


def _binds(meta: dict[str, Any], coming: Quotas) -> tuple[Sentence, ...]:
    counted = {name: coming.binds.count(name) for name in BINDS}
    told = [Sentence(BINDS[name], {"hours": f"{count}"}) for name, count in counted.items() if count]
    return (*told, Sentence(BIND_NODES, {"cluster": meta["batch_cluster"]}))


def _checks(
    coming: Quotas, replayed: _Replayed, evening: tuple[int, int], choices: Choices, history: History
) -> tuple[Check, ...]:
    capacity = np.tile(history.capacity[-1], AHEAD).tolist()
    past = history.capacity[-REPLAYED:].ravel().tolist()
    quota = replayed.given.quota.tolist()
    found: list[Any] = [
        *verify_quotas(coming.quota.tolist(), capacity, evening=evening, theta=choices.theta, guard=choices.guard_share,
                       drain=choices.drain_hours, ramp=choices.ramp_share),
        verify_breaches(replayed.use.tolist(), quota, past, theta=choices.theta, told=replayed.breaches),
        *verify_backlog(replayed.work.tolist(), quota, replayed.fitted.placed.tolist(), replayed.fitted.most),
        verify_nodes(
            needed(replayed.before, replayed.stock).tolist(), needed(replayed.after, replayed.stock).tolist(),
            replayed.stock.there.tolist(), stand=0, elastic_hours=replayed.leaves.elastic_hours, standing=0,
        ),
    ]  # fmt: skip
    return tuple(Check(Sentence(CHECKS[one.name]), one.holds) for one in found)


def _breaches(replayed: _Replayed, choices: Choices) -> Sentence:
    told = {"theta": share(choices.theta), "breaches": share(replayed.breaches)}
    return Sentence(BREACHES, {"days": f"{REPLAYED}"} | told)


def _actions(meta: dict[str, Any], saving: Decimal, evidence: tuple[Sentence, ...]) -> tuple[Action, ...]:
    if not saving:
        return ()
    names = {"batch": meta["batch_cluster"], "cluster": meta["cluster"]}
    since = date.fromisoformat(meta["since"])
    return (
        Action(meta["cluster"], meta["team"], Sentence(TITLE, names), evidence, meta["currency"], saving, since,
               scope={"cluster": meta["batch_cluster"]}, stakes=(Stake(in_cluster(meta["batch_cluster"]), saving),)),
    )  # fmt: skip


def _week(meta: dict[str, Any], history: History, coming: Quotas) -> list[list[Any]]:
    """The coming week, hour by hour."""
    first = history.day(history.days)
    return [
        [str(first + timedelta(days=hour // DAY)), hour % DAY, round(float(coming.quota[hour]), 2),
         round(float(min(coming.room[hour], 1e12)), 2), REASONS[coming.binds[hour]]]
        for hour in range(AHEAD * DAY)
    ]  # fmt: skip


def _evening(coming: Quotas, evening: tuple[int, int], choices: Choices) -> list[list[Any]]:
    """How quotas come down before the evening of the first coming day, and up after it."""
    hours = range(max(0, evening[0] - choices.drain_hours - 3), min(DAY, evening[1] + 3))
    return [[hour, round(float(coming.quota[hour]), 2), REASONS[coming.binds[hour]]] for hour in hours]


def _content(
    meta: dict[str, Any], history: History, replayed: _Replayed, coming: Quotas, evening: tuple[int, int],
    choices: Choices,
) -> dict[str, Any]:  # fmt: skip
    hours = slice(-7 * DAY, None)
    capacity = history.capacity[-7:].ravel()
    start = history.day(history.days).weekday()
    rows = coming.quota.reshape(AHEAD, DAY)
    return {
        "first": meta["first"] + (history.days - 7) * DAY,
        "use": [round(float(one), 3) for one in np.nan_to_num(replayed.use[hours])],
        "batch": [round(float(one), 3) for one in replayed.fitted.by_hour[hours]],
        "quota": [round(float(one), 3) for one in replayed.given.quota[hours]],
        "limit": [round(float(one), 3) for one in choices.theta * capacity],
        "heat": [[round(float(one), 2) for one in rows[(day - start) % AHEAD]] for day in range(AHEAD)],
        "cluster": meta["cluster"], "theta": choices.theta, "evening": list(evening),
    }  # fmt: skip
