"""Elastic pools of every online cluster: how many nodes to keep standing, and what serves the rest hour by hour."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.colours import OTHERS, PALETTE
from apps.charts.figures import Figure
from apps.charts.plans import Axis, Mark, Series, over
from apps.finops.findings import Sentence
from apps.finops.money import rounded
from apps.finops.tables import NODE_HOURS, WORKLOAD_HOURS
from apps.insights.idle.ledger import per_month
from apps.insights.idle.listening import Hours
from apps.marts.models import Publication
from apps.planning.arrays import pack, unpack
from apps.planning.drafts import (
    Action,
    Case,
    Check,
    Column,
    Draft,
    FigureShape,
    Planner,
    Settings,
    Slider,
    TableShape,
)
from apps.planning.metering import AGENTS, FULLEST, LASTING, WEEK, Cost, Metering, Stood
from apps.planning.methods.pools.planning import plan
from apps.planning.methods.pools.problem import HOURS_PER_MONTH, CannotPlan, Outcome, Plan, Pools, Prices
from apps.planning.methods.pools.replay import serve
from apps.planning.methods.pools.verify import verify
from apps.planning.words import cores, money, share

SEED = 20261127
MOST_WEEKS = 8
LEAST_WEEKS = 2
MOST_GAPS = 0.05
FEW_CORES = 1.0

KEEP = "Keep %(nodes)s nodes standing in %(cluster)s instead of %(now)s; what is above them runs %(where)s."
STAY = "Keep the %(nodes)s nodes that stand in %(cluster)s: fewer would cost as much or more."
GROW = (
    "Keep %(nodes)s nodes standing in %(cluster)s instead of %(now)s: bursts above them cost more than the nodes would."
)
ON_SPARE = "Up to %(cores)s spare cores of GPU nodes take work first; they are paid for already."
RISK = (
    "In the last %(weeks)s weeks %(unmet)s of the core-hours asked for would have waited, with what stands now "
    "%(before)s."
)
WALKED = "Decided a week earlier and replayed on the last week, it would have left %(unmet)s waiting."
FLAT = "From %(least)s to %(most)s nodes the cost is within 1 %% of the best: there is room for caution."
BOUND = "The cost of the plan is %(gap)s above what no plan with these prices can beat."
UNKNOWN_FUTURE = "Whether coming weeks are like the last %(weeks)s; a holiday or a new product is not in them."
UNKNOWN_SPARE = "Whether services of %(cluster)s can run on the GPU nodes, which may be another cluster."
UNKNOWN_TERM = "When nodes that were paid ahead can leave: their money is saved only from the end of their term on."
UNKNOWN_PRICE = (
    "What bursts will cost: measured is %(price)s a core-hour asked for, beside %(base)s on nodes that stand."
)
THIN = "%(cluster)s: %(weeks)s whole weeks are metered without gaps; a plan needs %(least)s."
UNPRICED = "%(cluster)s: its standing nodes are not found in the bill, so nothing can be priced."
NO_BURST = "%(cluster)s: nothing but standing nodes was seen, so what a burst costs is not known."
TITLE = "Keep %(nodes)s nodes standing in %(cluster)s instead of %(now)s"
BINDS = {
    "unmet": "Some demand is worth less than serving it costs.",
    "ramp": "Bursts cannot grow faster than %(ramp)s cores an hour.",
    "spare_ramp": "Spare cores cannot be taken up faster than %(ramp)s cores an hour.",
    "spare": "The spare cores of GPU nodes are used up in some hours.",
    "serverless_most": "No more than %(most)s cores of burst were ever had at once.",
    "price": "A standing core costs no less than a burst core: nothing is gained by standing nodes.",
}
CHECKS = {
    "demand": "every hour is served or told unmet",
    "limits": "nothing beyond what is spare or was had",
    "ramps": "no faster than the ramps",
    "cost": "the cost re-adds",
    "replay": "the past weeks come out the same",
    "saving": "the saving is no more than the leaving nodes cost",
}
WHERE = {"elastic": "on nodes that come and go", "serverless": "serverless"}
OUTCOMES = {
    "plan": "this plan",
    "current": "what stands now",
    "peak": "nodes for the peak",
    "p95": "nodes for 95 of 100 hours",
    "serverless": "no standing node",
}


@dataclass(frozen=True)
class _Burst:
    """What bursts run on, and what a core-hour asked for costs there."""

    where: str
    price: Decimal


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every cluster whose work mostly runs until it is stopped, on nodes without GPUs."""
    metering = Metering.of(pinned, now)
    hours = metering.weeks(MOST_WEEKS) if metering else None
    if metering is None or hours is None:
        return
    for cluster in metering.clusters():
        nodes = metering.nodes(cluster, metering.costed)
        if nodes and _is_online(metering, cluster) and not any(node.gpus for node in nodes):
            yield _case(metering, cluster, nodes, hours)


def _is_online(metering: Metering, cluster: str) -> bool:
    ((online, rest),) = metering.ask(
        f"""
        SELECT sum(cpu_request_core_hours) FILTER (workload_kind IN {LASTING}), sum(cpu_request_core_hours)
        FROM {metering.listener.rows(WORKLOAD_HOURS)} WHERE cluster = ? AND workload_kind NOT IN {AGENTS}""",
        cluster,
    )
    return bool(rest) and 2 * (online or 0) > rest


def _case(metering: Metering, cluster: str, nodes: list[Stood], hours: Hours) -> Case:
    standing = [node for node in nodes if node.stands]
    size, gib = (
        float(np.median([getattr(node, name) for node in standing or nodes])) for name in ("cores", "memory_gib")
    )
    demand = _demand(metering, cluster, hours, gib / size).reshape(-1, WEEK)
    spare = _spare(metering, hours).reshape(-1, WEEK)
    whole = [week for week in range(len(demand)) if np.isnan(demand[week]).mean() <= MOST_GAPS]
    told = {"cluster": cluster}
    if len(whole) < LEAST_WEEKS:
        return Case(cluster, withheld=Sentence(THIN, told | {"weeks": f"{len(whole)}", "least": f"{LEAST_WEEKS}"}))
    cost = metering.cost_of(node.resource for node in standing)
    if not standing or cost.amount <= 0:
        return Case(cluster, withheld=Sentence(UNPRICED, told))
    burst = _burst(metering, cluster, nodes, cost)
    if burst is None:
        return Case(cluster, withheld=Sentence(NO_BURST, told))
    size = max(FEW_CORES, size * metering.fullest(cluster) - _agents(metering, cluster, standing))
    count = len(standing)
    meta = {
        "cluster": cluster, "first": hours.first, "nodes": count, "size": round(size, 6), "currency": cost.currency,
        "team": cost.team, "cost_per_month": f"{per_month(cost.amount, metering.days):.12f}",
        "base": f"{rounded(Fraction(cost.amount) / (24 * metering.days * count * Fraction(round(size, 6)))):.12f}",
        "burst": f"{burst.price:.12f}", "where": burst.where, "since": str(metering.window.end - timedelta(days=1)),
    }  # fmt: skip
    return Case(cluster, pack(meta, demand=_filled(demand[whole]), spare=np.nan_to_num(spare[whole])))


def _demand(metering: Metering, cluster: str, hours: Hours, gib_per_core: float) -> Any:
    """Cores claimed by whatever is no agent, hour by hour; where memory is the scarcer, as many as come with it."""
    return metering.series(
        hours,
        f"""
        SELECT clock, greatest(sum(cores), sum(gib) / {gib_per_core:.6f})
        FROM {metering.claimed(cluster, f"workload_kind NOT IN {AGENTS}")} GROUP BY clock""",
    )


def _spare(metering: Metering, hours: Hours) -> Any:
    """Cores of GPU nodes that nobody claims, hour by hour, of all clusters."""
    return metering.series(
        hours,
        f"""
        WITH claimed AS (
            SELECT cluster, node, clock, sum(greatest(cpu_used_core_hours, cpu_request_core_hours)) AS cores
            FROM {metering.listener.rows(WORKLOAD_HOURS)} WHERE resource_id = '' GROUP BY ALL)
        SELECT clock, sum(greatest(0, {FULLEST} * cpu_capacity_core_hours - coalesce(cores, 0)))
        FROM {metering.listener.rows(NODE_HOURS)} LEFT JOIN claimed USING (cluster, node, clock)
        WHERE gpu_capacity_hours > 0 GROUP BY clock""",
    )


def _agents(metering: Metering, cluster: str, standing: list[Stood]) -> float:
    """The cores of a standing node that agents claim."""
    hours = metering.costed
    ((agents,),) = metering.ask(
        f"""
        SELECT avg(cores) FROM {metering.claimed(cluster, f"workload_kind IN {AGENTS}")}
        WHERE clock >= ? AND clock < ? AND node IN (SELECT unnest(?::VARCHAR[]))""",
        hours.first, hours.end, [node.node for node in standing],
    )  # fmt: skip
    return float(agents or 0)


def _burst(metering: Metering, cluster: str, nodes: list[Stood], cost: Cost) -> _Burst | None:
    """The cheaper of nodes that come and go and serverless pods, per core-hour that was asked for on them."""
    hours = metering.costed
    rows = metering.ask(
        f"""
        SELECT resource_id <> '', sum(greatest(cpu_used_core_hours, cpu_request_core_hours)),
            list(DISTINCT resource_id)
        FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND clock >= ? AND clock < ? AND workload_kind NOT IN {AGENTS}
            AND (resource_id <> '' OR node IN (SELECT unnest(?::VARCHAR[])))
        GROUP BY ALL""",
        cluster, hours.first, hours.end, [node.node for node in nodes if not node.stands],
    )  # fmt: skip
    found = []
    for is_serverless, asked, resources in rows:
        named = resources if is_serverless else [node.resource for node in nodes if not node.stands]
        paid = metering.cost_of(named)
        if asked and paid.amount > 0 and paid.currency == cost.currency:
            price = rounded(Fraction(paid.amount) / Fraction(asked))
            found.append(_Burst("serverless" if is_serverless else "elastic", price))
    return min(found, key=lambda one: (one.price, one.where), default=None)


def _filled(demand: Any) -> Any:
    """Unknown hours as the same hour of the week usually is."""
    usual = np.nanmean(demand, axis=0)
    return np.where(np.isnan(demand), np.nan_to_num(usual, nan=float(np.nanmax(demand)))[None, :], demand)


def make(data: bytes, settings: Settings) -> Draft:
    """The plan of one cluster by these settings."""
    meta, arrays = unpack(data)
    pools = _pools(meta, arrays, settings)
    try:
        found = plan(pools, seed=SEED)
    except CannotPlan as cannot:
        return _nothing(meta, settings, str(cannot))
    cost = Decimal(meta["cost_per_month"])
    saving = min(found.saving_per_month, max(cost, Decimal(0)))
    by_name = {one.name: one for one in found.replayed}
    names = {"cluster": meta["cluster"], "nodes": f"{found.nodes}", "now": f"{pools.nodes}"}
    return Draft(
        currency=meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=_says(found, pools, meta, names),
        risks=_risks(found, by_name, len(pools.demand)),
        binds=_binds(found, pools),
        unknowns=(
            Sentence(UNKNOWN_FUTURE, {"weeks": f"{len(pools.demand)}"}),
            *([Sentence(UNKNOWN_SPARE, {"cluster": meta["cluster"]})] if pools.spare.any() else []),
            Sentence(UNKNOWN_TERM),
            Sentence(UNKNOWN_PRICE, {"price": money(pools.prices.serverless, meta),
                                     "base": money(pools.prices.base, meta)}),
        ),
        checks=tuple(Check(Sentence(CHECKS[one.name]), one.holds) for one in verify(pools, found)),
        actions=_actions(found, pools, meta, names, saving),
        tables={"replay": [_outcome(one) for one in found.replayed], "week": _week(found, pools)},
        content={
            "first": meta["first"] + (len(pools.demand) - 1) * WEEK, "currency": meta["currency"],
            "base": round(found.nodes * pools.cores_per_node, 3), "nodes": found.nodes, "now": pools.nodes,
            "demand": [round(float(one), 3) for one in pools.demand[-1]],
            "curve": [[nodes, float(amount)] for nodes, amount in found.curve], "flat": list(found.flat),
        },
        settings=settings, seed=SEED, objective=float(dict(found.curve)[found.nodes]),
        bound=float(dict(found.curve)[found.nodes]) / (1 + found.gap),
    )  # fmt: skip


def _nothing(meta: dict[str, Any], settings: Settings, why: str) -> Draft:
    """A plan that changes nothing, and says why."""
    return Draft(
        currency=meta["currency"], cost_per_month=Decimal(meta["cost_per_month"]), saving_per_month=Decimal(0),
        says=(Sentence("%(why)s", {"why": why}),), settings=settings, seed=SEED,
    )  # fmt: skip


def _pools(meta: dict[str, Any], arrays: dict[str, Any], settings: Settings) -> Pools:
    base = rounded(Fraction(Decimal(meta["base"])) * 100 / Fraction(settings["fill"]))
    burst = Decimal(meta["burst"]) * Decimal(str(settings["burst_price"])) / 100
    demand = arrays["demand"]
    rise = max(float(np.diff(demand.reshape(-1)).max(initial=0.0)), FEW_CORES) * settings["ramp"] / 100
    return Pools(
        demand=demand, spare=arrays["spare"] * settings["spare_share"] / 100,
        cores_per_node=meta["size"] * settings["fill"] / 100, nodes=meta["nodes"],
        prices=Prices(base, Decimal(0), rounded(Fraction(burst)), rounded(Fraction(base) * Fraction(settings["lost"]))),
        ramp=rise, spare_ramp=rise, serverless_most=float(demand.max()),
    )  # fmt: skip


def _says(found: Plan, pools: Pools, meta: dict[str, Any], names: dict[str, str]) -> tuple[Sentence, ...]:
    text = KEEP if found.nodes < pools.nodes else STAY if found.nodes == pools.nodes else GROW
    told = [Sentence(text, names | {"where": WHERE[meta["where"]]})]
    if (most := float(found.hours.spare.max(initial=0.0))) > FEW_CORES:
        told.append(Sentence(ON_SPARE, {"cores": cores(most)}))
    return (*told, Sentence(FLAT, {"least": f"{found.flat[0]}", "most": f"{found.flat[1]}"}))


def _risks(found: Plan, by_name: dict[str, Outcome], weeks: int) -> tuple[Sentence, ...]:
    unmet = {"unmet": share(by_name["plan"].unmet_share), "before": share(by_name["current"].unmet_share)}
    told = [Sentence(RISK, {"weeks": f"{weeks}"} | unmet)]
    if found.walked is not None:
        told.append(Sentence(WALKED, {"unmet": share(found.walked.unmet_share)}))
    return tuple(told)


def _binds(found: Plan, pools: Pools) -> tuple[Sentence, ...]:
    told = {"ramp": cores(pools.ramp), "most": cores(pools.serverless_most)}
    return (
        *(Sentence(BINDS[name], told) for name in found.binds),
        Sentence(BOUND, {"gap": share(found.gap)}),
    )


def _actions(
    found: Plan, pools: Pools, meta: dict[str, Any], names: dict[str, str], saving: Decimal
) -> tuple[Action, ...]:
    if not saving:
        return ()
    return (
        Action(
            subject=meta["cluster"], team=meta["team"], title=Sentence(TITLE, names),
            evidence=_risks(found, {one.name: one for one in found.replayed}, len(pools.demand)),
            currency=meta["currency"], saving_per_month=saving, since=datetime.fromisoformat(meta["since"]).date(),
        ),
    )  # fmt: skip


def _outcome(one: Outcome) -> list[Any]:
    monthly = rounded(Fraction(one.cost_per_week) * Fraction(HOURS_PER_MONTH) / WEEK)
    return [OUTCOMES[one.name], one.nodes, f"{monthly:.2f}", float(one.burst_core_hours), float(one.spare_core_hours),
            one.unmet_share]  # fmt: skip


def _week(found: Plan, pools: Pools) -> list[list[Any]]:
    """The last week under the plan, hour by hour: demand, and what serves it."""
    base = found.nodes * pools.cores_per_node
    hours = serve(pools, pools.demand[-1:], pools.spare[-1:], base)
    asked = pools.demand[-1]
    columns = [asked, np.minimum(asked, base), hours.spare[0], hours.used[0], hours.unmet[0]]
    return [[hour, *(round(float(column[hour]), 3) for column in columns)] for hour in range(WEEK)]


def draw(draft: Draft, what: str) -> Figure:
    """The week hour by hour, or the cost over standing nodes."""
    content = draft.content
    if what == "curve":
        nodes, costs = zip(*content["curve"], strict=True)
        least, most = content["flat"]
        marks = [Mark("x", least, most + 0.001, title=_("within 1 %")), Mark("x", content["now"], title=_("now"))]
        series = [Series(_("expected cost a week"), list(costs), PALETTE[0], "line")]
        return over(Axis(_("standing nodes"), list(nodes)), series, unit=content["currency"], marks=marks)
    rows = draft.tables["week"]
    start = datetime.fromtimestamp(content["first"] * 3600, UTC)
    moments = [(start + timedelta(hours=row[0])).isoformat() for row in rows]
    named = ((2, _("standing nodes"), PALETTE[0]), (3, _("spare cores of GPU nodes"), PALETTE[2]),
             (4, _("burst"), PALETTE[1]), (5, _("unmet"), PALETTE[9]))  # fmt: skip
    series = [Series(title, [row[place] for row in rows], colour, "area") for place, title, colour in named]
    series.append(Series(_("asked for"), [row[1] for row in rows], OTHERS, "dashed"))
    marks = [Mark("y", content["base"])]
    return over(Axis("", moments, is_time=True), series, unit=_("cores"), marks=marks)


PLANNER = Planner(
    name="pools",
    title=gettext_lazy("Elastic pools"),
    about=gettext_lazy("How many nodes to keep standing, and where what is above them runs cheapest hour by hour."),
    version="1",
    read=read,
    make=make,
    draw=draw,
    sliders=(
        Slider("fill", gettext_lazy("How full nodes are planned, against the fullest seen"), 50, 100, 5, 100, "%"),
        Slider("spare_share", gettext_lazy("Spare cores of GPU nodes that may be used"), 0, 100, 5, 0, "%"),
        Slider("burst_price", gettext_lazy("Price of bursts, against what was measured"), 50, 200, 5, 100, "%"),
        Slider("ramp", gettext_lazy("How fast bursts may grow, against the fastest seen"), 10, 200, 10, 100, "%"),
        Slider("lost", gettext_lazy("What a lost core-hour is worth, in core-hours that stand"), 2, 100, 1, 20),
    ),
    tables=(
        TableShape(
            "replay", gettext_lazy("Replayed on the past weeks"),
            (
                Column("plan", gettext_lazy("Plan")),
                Column("nodes", gettext_lazy("Standing nodes"), "number"),
                Column("cost_per_month", gettext_lazy("Cost a month"), "money"),
                Column("burst_core_hours", gettext_lazy("Burst, core-hours a week"), "number"),
                Column("spare_core_hours", gettext_lazy("Spare, core-hours a week"), "number"),
                Column("unmet", gettext_lazy("Unmet"), "share"),
            ),
        ),
        TableShape(
            "week", gettext_lazy("The last week under the plan"),
            (
                Column("hour", gettext_lazy("Hour of the week"), "number"),
                Column("asked", gettext_lazy("Asked for"), "number"),
                Column("standing", gettext_lazy("On standing nodes"), "number"),
                Column("spare", gettext_lazy("On spare cores"), "number"),
                Column("burst", gettext_lazy("Burst"), "number"),
                Column("unmet", gettext_lazy("Unmet"), "number"),
            ),
        ),
    ),
    figures=(
        FigureShape("week", gettext_lazy("The last week under the plan"), gettext_lazy("cores")),
        FigureShape("curve", gettext_lazy("Cost by the number of standing nodes"), ""),
    ),
)  # fmt: skip
