"""Elastic pools of every online cluster: how many nodes to keep standing, and what serves the rest hour by hour."""

from datetime import date
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
from apps.finops.stakes import Stake, in_cluster
from apps.planning.arrays import unpack
from apps.planning.drafts import (
    Action,
    Check,
    Column,
    Draft,
    FigureShape,
    Planner,
    Settings,
    Slider,
    TableShape,
)
from apps.planning.metering import WEEK
from apps.planning.methods.pools.planning import plan
from apps.planning.methods.pools.problem import HOURS_PER_MONTH, CannotPlan, Outcome, Plan, Pools, Prices
from apps.planning.methods.pools.replay import serve
from apps.planning.methods.pools.verify import verify
from apps.planning.reading.pools import FEW_CORES, read
from apps.planning.words import cores, moment_format, moments, money, share

SEED = 20261127

KEEP = {
    "elastic": "Keep %(nodes)s nodes standing in %(cluster)s instead of %(now)s; nodes that come and go take the rest.",
    "serverless": "Keep %(nodes)s nodes standing in %(cluster)s instead of %(now)s; the rest runs serverless.",
}
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
OUTCOMES = {
    "plan": "this plan",
    "current": "what stands now",
    "peak": "nodes for the peak",
    "p95": "nodes for 95 of 100 hours",
    "serverless": "no standing node",
}


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
        settings=settings, billed_until=date.fromisoformat(meta["since"]), seed=SEED,
        objective=float(dict(found.curve)[found.nodes]),
        bound=float(dict(found.curve)[found.nodes]) / (1 + found.gap),
    )  # fmt: skip


def _nothing(meta: dict[str, Any], settings: Settings, why: str) -> Draft:
    """A plan that changes nothing, and says why."""
    return Draft(
        currency=meta["currency"], cost_per_month=Decimal(meta["cost_per_month"]), saving_per_month=Decimal(0),
        says=(Sentence("%(why)s", {"why": why}),), settings=settings, seed=SEED,
        billed_until=date.fromisoformat(meta["since"]),
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
    text = KEEP[meta["where"]] if found.nodes < pools.nodes else STAY if found.nodes == pools.nodes else GROW
    told = [Sentence(text, names)]
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
            currency=meta["currency"], saving_per_month=saving, since=date.fromisoformat(meta["since"]),
            scope={"cluster": meta["cluster"]}, stakes=(Stake(in_cluster(meta["cluster"]), saving),),
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
    hours = moments(content["first"], len(rows))
    named = ((2, _("standing nodes"), PALETTE[0]), (3, _("spare cores of GPU nodes"), PALETTE[2]),
             (4, _("burst"), PALETTE[1]), (5, _("unmet"), PALETTE[9]))  # fmt: skip
    series = [Series(title, [row[place] for row in rows], colour, "area") for place, title, colour in named]
    series.append(Series(_("asked for"), [row[1] for row in rows], OTHERS, "dashed"))
    marks = [Mark("y", content["base"])]
    return over(Axis("", hours, moments=moment_format()), series, unit=_("cores"), marks=marks)


PLANNER = Planner(
    name="pools",
    title=gettext_lazy("Elastic pools"),
    about=gettext_lazy("How many nodes to keep standing, and where what is above them runs cheapest hour by hour."),
    version="3",
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
                Column("plan", gettext_lazy("Plan"), "words"),
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
            most=0,
        ),
    ),
    figures=(
        FigureShape("week", gettext_lazy("The last week under the plan"), gettext_lazy("cores")),
        FigureShape("curve", gettext_lazy("Cost by the number of standing nodes"), ""),
    ),
)  # fmt: skip
