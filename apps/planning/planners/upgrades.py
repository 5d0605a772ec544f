"""Compute apart from storage, and faster stacks: what clusters would need, and what their standing nodes would save."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.charts.figures import Figure, Step, bridge
from apps.finops.findings import Sentence
from apps.finops.money import less, rounded
from apps.finops.stakes import Stake, in_cluster
from apps.planning.arrays import unpack
from apps.planning.drafts import (
    Action,
    Check,
    Column,
    Draft,
    FigureShape,
    OutcomeShape,
    Planner,
    Settings,
    Slider,
    TableShape,
)
from apps.planning.methods.whatif.upgrades import HOURS_PER_MONTH, CannotCompare, Compared, Stack, Upgrade, compare
from apps.planning.methods.whatif.verify import verify
from apps.planning.reading.upgrades import read
from apps.planning.words import cores, money

BOUND_BY = {
    "compute": "Of the %(cores)s standing cores of %(cluster)s its busiest hour used %(busiest)s: work decides.",
    "storage": "Of the %(cores)s standing cores of %(cluster)s its busiest hour used %(busiest)s: storage decides.",
    "both": (
        "Of the %(cores)s standing cores of %(cluster)s its busiest hour used %(busiest)s: storage and work decide "
        "together."
    ),
}
SEPARATE = "Store its %(gib)s GiB apart from compute, for %(stored)s a month: %(after)s cores are needed then."
FASTER = "With a stack that does %(gain)s %% of the work per core %(after)s cores are needed."
LEAVE = "%(nodes)s of %(standing)s standing nodes can leave."
STAY = "No node can leave by it."
LOSS = "It would cost %(loss)s a month more than it saves."
RISK = "The busiest hour of %(days)s days is held with nodes filled to %(fill)s; a busier one would be slower."
BIND = "Nodes leave as a whole: what is freed beside them saves nothing."
UNKNOWN_GAIN = "What the new stack really does per core: measure it on a part of the work first."
UNKNOWN_EFFORT = "What the change costs in work, and how long both ways run side by side."
UNKNOWN_DENSITY = "How much storage a core has to bring along: taken is what stands now."
CANNOT = "These figures cannot be compared: %(why)s"
TITLE = "Separate storage from compute in %(cluster)s, or renew its stack"
CHECKS = {
    "before": "the cores now carry the work and the storage, one less would not",
    "after": "the cores afterwards carry it, one less would not",
    "difference": "the difference re-adds",
    "nodes": "only whole nodes leave",
    "saving": "the money re-adds",
    "bounded": "no more is saved than the cores cost",
}
STACKS = {"now": "now", "then": "afterwards"}
BINDS = {"compute": "work", "storage": "storage", "both": "work and storage"}


def make(data: bytes, settings: Settings) -> Draft:
    """The comparison for one cluster by these settings."""
    meta, _arrays = unpack(data)
    cost = Decimal(meta["cost_per_month"])
    try:
        upgrade = _upgrade(meta, settings)
        found = compare(upgrade)
    except CannotCompare as cannot:
        return Draft(
            meta["currency"],
            cost,
            Decimal(0),
            (Sentence(CANNOT, {"why": str(cannot)}),),
            settings=settings,
            billed_until=date.fromisoformat(meta["since"]),
        )
    saving = min(max(found.saving_per_month, Decimal(0)), max(cost, Decimal(0)))
    return Draft(
        currency=meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=_says(meta, settings, found),
        risks=(Sentence(RISK, {"days": f"{meta['days']}", "fill": f"{100 * Decimal(meta['fill']):.0f} %"}),),
        binds=(Sentence(BIND),),
        unknowns=(Sentence(UNKNOWN_GAIN), Sentence(UNKNOWN_EFFORT), Sentence(UNKNOWN_DENSITY)),
        checks=tuple(Check(Sentence(CHECKS[name]), holds) for name, holds in verify(upgrade, found)),
        actions=_actions(meta, saving, found),
        tables={"stacks": [_row("now", upgrade.before, found.cores_before, found.binds_before),
                           _row("then", upgrade.after, found.cores_after, found.binds_after)]},
        # Floats, for the chart alone; the amounts of the plan are exact.
        content={"now": float(cost), "leaves": float(_nodes(upgrade, found)), "currency": meta["currency"],
                 "stored": float(found.storage_cost_per_month)},
        settings=settings,
        billed_until=date.fromisoformat(meta["since"]),
    )  # fmt: skip


def _upgrade(meta: dict[str, Any], settings: Settings) -> Upgrade:
    """Work is cores used in the busiest hour, and a core does as much of it as nodes may be filled."""
    fill, stored = Decimal(meta["fill"]), Decimal(meta["stored_gib"])
    density = None
    if stored:
        density = rounded(Fraction(stored) / meta["cores"] * Fraction(str(settings["density"])) / 100)
    gain = Decimal(str(settings["gain"])) / 100
    before = Stack(Decimal(meta["busiest"]), fill, stored, density)
    is_apart = settings["separate"] >= 1 and density is not None
    after = Stack(before.work, fill * gain, stored, None if is_apart or density is None else density)
    price = Decimal(str(settings["storage_price"])) if is_apart else Decimal(0)
    return Upgrade(before, after, Decimal(meta["core_hour"]), price, meta["cores"], meta["cores_per_node"])


def _nodes(upgrade: Upgrade, found: Compared) -> Decimal:
    """What the leaving nodes cost a month."""
    freed = found.nodes_leaving * upgrade.cores_per_node
    return rounded(Fraction(upgrade.price_per_core_hour) * HOURS_PER_MONTH * freed)


def _says(meta: dict[str, Any], settings: Settings, found: Compared) -> tuple[Sentence, ...]:
    names = {"cluster": meta["cluster"], "cores": cores(meta["cores"]), "busiest": cores(float(meta["busiest"]))}
    told = [Sentence(BOUND_BY[found.binds_before], names)]
    if found.storage_cost_per_month:
        stored = {"gib": cores(float(meta["stored_gib"])), "stored": money(found.storage_cost_per_month, meta)}
        told.append(Sentence(SEPARATE, stored | {"after": f"{found.cores_after}"}))
    if settings["gain"] != 100:
        told.append(Sentence(FASTER, {"gain": f"{settings['gain']:g}", "after": f"{found.cores_after}"}))
    if found.nodes_leaving > 0:
        told.append(Sentence(LEAVE, {"nodes": f"{found.nodes_leaving}", "standing": f"{meta['nodes']}"}))
    else:
        told.append(Sentence(STAY))
    if found.saving_per_month < 0:
        told.append(Sentence(LOSS, {"loss": money(less(Decimal(0), found.saving_per_month), meta)}))
    return tuple(told)


def _actions(meta: dict[str, Any], saving: Decimal, found: Compared) -> tuple[Action, ...]:
    if not saving:
        return ()
    names = {"nodes": f"{found.nodes_leaving}", "standing": f"{meta['nodes']}"}
    return (
        Action(meta["cluster"], meta["team"], Sentence(TITLE, {"cluster": meta["cluster"]}), (Sentence(LEAVE, names),),
               meta["currency"], saving, date.fromisoformat(meta["since"]),
               scope={"cluster": meta["cluster"]}, stakes=(Stake(in_cluster(meta["cluster"]), saving),)),
    )  # fmt: skip


def _row(name: str, stack: Stack, needed: int, binds: str) -> list[Any]:
    density = None if stack.gib_per_core is None else float(stack.gib_per_core)
    return [STACKS[name], stack.compute_cores, stack.storage_cores, needed, BINDS[binds], density]


def draw(draft: Draft, _what: str) -> Figure:
    """From what the standing nodes cost to what they would."""
    content = draft.content
    then = content["now"] - content["leaves"] + content["stored"]
    steps = [Step(_("standing nodes now"), content["now"], is_level=True),
             Step(_("nodes that leave"), -content["leaves"]), Step(_("storage apart"), content["stored"]),
             Step(_("afterwards"), then, is_level=True)]  # fmt: skip
    return bridge(steps, currency=content["currency"])


PLANNER = Planner(
    name="upgrades",
    title=gettext_lazy("Separation and upgrades"),
    about=gettext_lazy("What a cluster needs when storage leaves its nodes, or a core does more work."),
    version="3",
    read=read,
    make=make,
    draw=draw,
    sliders=(
        Slider("separate", gettext_lazy("Store apart from compute (1) or on the nodes (0)"), 0, 1, 1, 1),
        Slider("gain", gettext_lazy("Work a core does afterwards, against now"), 50, 400, 5, 100, "%"),
        Slider("density", gettext_lazy("Storage that comes with a core, against now"), 25, 400, 5, 100, "%"),
        Slider("storage_price", gettext_lazy("Price of a GiB stored apart, a month"), 0, 2, 0.01, 0.12),
    ),
    tables=(
        TableShape(
            "stacks", gettext_lazy("Cores, now and afterwards"),
            (
                Column("stack", gettext_lazy("Stack"), "words"),
                Column("compute_cores", gettext_lazy("Cores for work"), "number"),
                Column("storage_cores", gettext_lazy("Cores for storage"), "number"),
                Column("cores", gettext_lazy("Cores needed"), "number"),
                Column("binds", gettext_lazy("What binds"), "words"),
                Column("gib_per_core", gettext_lazy("GiB that come with a core"), "number"),
            ),
        ),
    ),
    figures=(FigureShape("bridge", gettext_lazy("Cost a month, now and afterwards"), ""),),
    outcomes=(
        OutcomeShape("data_update_lead_time", gettext_lazy("Data update lead time"), "h"),
        OutcomeShape("delivery_lead_time", gettext_lazy("Delivery lead time"), "d"),
    ),
    days=90,
)  # fmt: skip
