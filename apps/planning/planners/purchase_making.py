"""The purchase plan of a currency by its settings: what it says, promises and shows."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_UP, Decimal
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import SCALE, add_up, split
from apps.finops.stakes import Stake, in_cluster
from apps.planning.arrays import unpack
from apps.planning.drafts import Action, Check, Draft, Rows, Settings
from apps.planning.methods.purchase.ladder import LADDER_MONTHS
from apps.planning.methods.purchase.memory import Instance, Tier, Tiering, assign
from apps.planning.methods.purchase.mix import break_even
from apps.planning.methods.purchase.terms import MONTH_HOURS
from apps.planning.methods.purchase.verify import Check as Verified
from apps.planning.methods.purchase.verify import check_tiering
from apps.planning.planners import purchase_words as words
from apps.planning.planners.purchase_pools import CENT, MONTH, NOTHING, Planned, in_force, planned, pool_of
from apps.planning.planners.purchase_reading import UNKNOWN_END_MONTHS
from apps.planning.words import money, share

HOURS_A_MONTH = Decimal(730)
CURVE_POINTS = 200
Meta = dict[str, Any]


def make(data: bytes, settings: Settings) -> Draft:
    """The plan of one currency by these settings."""
    meta, arrays = unpack(data)
    found = [
        planned(pool_of(one, demand, settings)) for one, demand in zip(meta["pools"], arrays["demand"], strict=True)
    ]
    tiering, tiers = _tiering(meta)
    costs = [Decimal(one[name]) for one in meta["pools"] for name in ("on_demand", "committed", "spot")]
    cost = sum((max(one, NOTHING) for one in costs), NOTHING).quantize(CENT, ROUND_UP)
    saving = min(cost, sum((one.saving for one in found), NOTHING))
    return Draft(
        currency=meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=_says(found, meta, tiering), risks=_risks(found, meta, settings),
        binds=_binds(found, meta, settings), unknowns=_unknowns(found, meta, settings, tiering),
        checks=_checks([check for one in found for check in one.checks] + tiers),
        actions=tuple(_action(one, meta) for one in found if one.saving > 0),
        tables={
            "purchases": sorted((row for one in found for row in _purchases(one)), key=lambda row: row[0]),
            "pools": [_row(one) for one in found],
            "existing": meta["existing"].get("rows", []),
            "mix": [row for one in found for row in _mix(one)],
        } | ({"memory": _memory_rows(tiering, meta)} if tiering else {}),
        content=_content(found, meta), settings=settings,
        billed_until=date.fromisoformat(meta["since"]),
        objective=sum(one.cost for one in found), bound=sum(one.bound for one in found),
    )  # fmt: skip


def _says(found: Sequence[Planned], meta: Meta, tiering: Tiering | None) -> tuple[Sentence, ...]:
    now = sum((one.amount for one in found), NOTHING)
    price = sum((one.price for one in found), NOTHING) * HOURS_A_MONTH
    pools = sum(bool(one.now) for one in found)
    told = [
        Sentence(words.BUY, {"amount": money(now, meta), "pools": f"{pools}", "cost": money(price, meta)})
        if now else Sentence(words.HOLD)
    ]  # fmt: skip
    later = sum((bought.amount for one in found for bought in one.ladder.purchases if bought.month), NOTHING)
    if later:
        told.append(Sentence(words.LATER, {"amount": money(later, meta), "months": f"{LADDER_MONTHS - 1}"}))
    told += _existing(meta)
    beside = sum((_mix_saving(one) for one in found), NOTHING)
    if beside > 0:
        told.append(Sentence(words.MIX, {"saving": money(beside, meta)}))
    moved = sum((one.move.saving for one in found if one.move), NOTHING) * MONTH
    if moved > 0:
        told.append(Sentence(words.MOVE, {"saving": money(moved, meta)}))
    if tiering and (kept := sum((one.saving or NOTHING for one in tiering.places), NOTHING)) > 0:
        told.append(Sentence(words.MEMORY, {"saving": money(kept, meta)}))
    return tuple(told)


def _existing(meta: Meta) -> list[Sentence]:
    existing = meta["existing"]
    if not existing or existing["savings_rate"] is None:
        return []
    rate = {"rate": share(existing["savings_rate"])}
    if existing["coverage"] is None or existing["utilisation"] is None:
        return [Sentence(words.NONE_HELD, rate)]
    told = {name: share(existing[name]) for name in ("coverage", "utilisation")}
    return [Sentence(words.EXISTING, told | rate | {"waste": money(Decimal(existing["waste"]), meta)})]


def _risks(found: Sequence[Planned], meta: Meta, settings: Settings) -> tuple[Sentence, ...]:
    outcomes = [one.ladder.outcome for one in found if one.ladder.outcome]
    told = []
    if outcomes:
        sums = {name: money(sum((getattr(one, name) for one in outcomes), NOTHING) * MONTH, meta)
                for name in ("low", "high", "fallen")}  # fmt: skip
        expected = money(sum((one.saving for one in found), NOTHING), meta)
        told.append(Sentence(words.RISK, sums | {"expected": expected, "fall": share(settings["fall"] / 100)}))
        amount = sum((one.amount for one in found), NOTHING)
        used = sum((one.amount * Decimal(str(one.used)) for one in found), NOTHING) / amount if amount else NOTHING
        known = sum((one.known for one in found), NOTHING)
        told.append(Sentence(words.REPLAYED, {"known": money(known, meta), "used": share(float(used))}))
    walked = [one for one in found if one.walked is not None]
    if walked:
        saved, best = (sum((getattr(one, name) for one in walked), NOTHING) for name in ("walked", "best"))
        told.append(Sentence(words.WALKED, {"walked": money(saved, meta), "best": money(best, meta)}))
    return tuple(told)


def _binds(found: Sequence[Planned], meta: Meta, settings: Settings) -> tuple[Sentence, ...]:
    told = []
    binds = {name for one in found for name in one.ladder.binds}
    if "pace" in binds:
        told.append(Sentence(words.PACE, {"pace": share(settings["pace"] / 100)}))
    evens = [break_even(offer.ratio, one.pool.pay) for one in found for offer in one.pool.offers]
    if evens:
        told.append(Sentence(words.BREAK_EVEN, {"least": share(float(min(evens)))}))
    for text, families in (
        (words.HELD, [_named(one) for one in found if "held" in one.ladder.binds]),
        (words.UNSOLD, [*meta["unsold"], *(_named(one) for one in found if not one.pool.offers)]),
        (words.SMALL, meta["small"]),
        (words.UNUSED, [_named(one) for one in found if one.ladder.withheld and one.pool.offers]),
    ):
        if families:
            told.append(Sentence(text, {"families": ", ".join(sorted(set(families)))}))
    return (*told, Sentence(words.NOT_COUNTED))


def _named(one: Planned) -> str:
    return f"{one.pool.meta['family']}"


def _unknowns(
    found: Sequence[Planned], meta: Meta, settings: Settings, tiering: Tiering | None
) -> tuple[Sentence, ...]:
    told = [
        Sentence(words.UNKNOWN_FUTURE, {"days": f"{meta['days']}", "hazard": share(settings["hazard"] / 100)}),
        Sentence(words.INTERRUPTIBLE, {"share": share(settings["interruptible"] / 100)})
        if meta["is_metered"] else Sentence(words.UNMETERED),
    ]  # fmt: skip
    endless = sorted({name for one in meta["pools"] for name, _, left in one["held"] if left == UNKNOWN_END_MONTHS})
    if endless:
        told.append(Sentence(words.UNKNOWN_ENDS, {"names": ", ".join(endless[:8])}))
    if meta["is_sample"]:
        told.append(Sentence(words.SAMPLE))
    if meta["unpriced"]:
        told.append(Sentence(words.UNPRICED, {"names": ", ".join(meta["unpriced"][:8])}))
    if Decimal(meta["unlisted"]) > 0:
        told.append(Sentence(words.UNLISTED, {"cost": money(Decimal(meta["unlisted"]), meta)}))
    return (*told, *_memory_unknown(meta, tiering))


def _memory_unknown(meta: Meta, tiering: Tiering | None) -> list[Sentence]:
    memory = meta["memory"]
    missing = memory["count"] - len(memory["instances"])
    told = []
    if missing:
        told.append(Sentence(words.NO_NEEDS, {"count": f"{missing}", "cost": money(Decimal(memory["cost"]), meta)}))
    if memory["instances"] and not memory["tiers"]:
        told.append(Sentence(words.NO_TIERS, {"currency": meta["currency"]}))
    if tiering and tiering.unplaced:
        told.append(Sentence(words.UNPLACED, {"names": ", ".join(name for name, _ in tiering.unplaced[:8])}))
    return told


def _checks(told: Sequence[Verified]) -> tuple[Check, ...]:
    """Each thing once: it is kept where it is kept everywhere."""
    kept: dict[str, bool] = {}
    for one in told:
        kept[one.name] = kept.get(one.name, True) and bool(one.holds)
    return tuple(Check(Sentence(words.CHECKS[name]), holds) for name, holds in kept.items())


def _action(one: Planned, meta: Meta) -> Action:
    amount, least = one.amount, min(break_even(bought.offer.ratio, one.pool.pay) for bought in one.now)
    names = {"amount": money(amount, meta), "family": _named(one), "region": one.pool.meta["region"] or "–"}
    recent = one.pool.demand[-MONTH_HOURS:]
    above = float((recent >= float(one.pool.held + amount) - 1e-6).mean())
    return Action(
        subject=f"{one.pool.meta['region']} {_named(one)}".strip(), team=one.pool.meta["team"],
        title=Sentence(words.TITLE, names),
        evidence=(Sentence(words.EVIDENCE, {"share": share(above), "least": share(float(least))}),),
        currency=meta["currency"], saving_per_month=one.saving, since=date.fromisoformat(meta["since"]),
        scope=_scope(one.pool.meta), stakes=_stakes(one, meta),
    )  # fmt: skip


def _scope(pool: Meta) -> dict[str, str]:
    """The cost that would fall: of the region; of what the bill tells no region of, that of the service."""
    named = {name: pool.get(name, "") for name in ("region", "service")}  # earlier versions kept no service
    return next(({name: value} for name, value in named.items() if value), {})


def _stakes(one: Planned, meta: Meta) -> tuple[Stake, ...]:
    """Its saving by the clusters that cost at the price that would fall, each with what it costs so in all pools."""
    costs = {cluster: Decimal(cost) for cluster, cost in one.pool.meta.get("clusters", {}).items()}
    parts = split(one.saving, {cluster: int(cost.scaleb(SCALE)) for cluster, cost in costs.items()})
    if parts.keys() != costs.keys():
        return ()  # nothing is paid at that price now, or the numbers are of an earlier version
    whole = {cluster: add_up(Decimal(pool["clusters"].get(cluster, 0)) for pool in meta["pools"]) for cluster in costs}
    return tuple(Stake(in_cluster(cluster), parts[cluster], whole[cluster]) for cluster, cost in costs.items() if cost)


def _purchases(one: Planned) -> Rows:
    pool = one.pool.meta
    return [
        [bought.month, pool["team"], pool["family"], pool["region"], bought.offer.name, bought.offer.term_months,
         f"{bought.amount:.2f}", f"{bought.amount * bought.offer.ratio * HOURS_A_MONTH:.2f}",
         float(break_even(bought.offer.ratio, one.pool.pay))]
        for bought in one.ladder.purchases
    ]  # fmt: skip


def _row(one: Planned) -> list[Any]:
    pool, outcome = one.pool.meta, one.ladder.outcome
    amounts = [f"{amount * MONTH:.2f}" if outcome else "" for amount in (
        (outcome.low, outcome.high, outcome.fallen) if outcome else (NOTHING,) * 3)]  # fmt: skip
    recent = one.pool.all_demand[-MONTH_HOURS:]
    return [pool["team"], pool["family"], pool["region"], f"{Decimal(pool['on_demand']):.2f}",
            f"{recent.min():.2f}", f"{recent.mean():.2f}", f"{one.pool.held:.2f}", f"{one.amount:.2f}",
            f"{one.saving:.2f}", *amounts]  # fmt: skip


def _mix_saving(one: Planned) -> Decimal:
    """What spot and serverless save a month of what would be on demand, at effective prices."""
    return sum((way.on_demand - way.cost for way in one.ways if way.way in ("spot", "serverless")), NOTHING) * MONTH


def _mix(one: Planned) -> Rows:
    """Where a month of this pool goes: what is held and on spot today, then the ways above that."""
    pool = one.pool.meta
    place = [pool["team"], pool["family"], pool["region"]]
    told: list[list[Any]] = [
        [*place, words.WAYS[way], "", "", f"{Decimal(pool[name]):.2f}", ""]
        for way, name in (("held", "committed"), ("spot_today", "spot")) if Decimal(pool[name]) > 0
    ]  # fmt: skip
    for way in one.ways:
        if way.on_demand or way.cost:
            told.append([*place, words.WAYS[way.way], "", f"{way.on_demand * MONTH:.2f}", f"{way.cost * MONTH:.2f}",
                         f"{(way.on_demand - way.cost) * MONTH:.2f}"])  # fmt: skip
    if one.move:
        told.append([*place, words.WAYS["generation"], one.move.generation.name,
                     f"{(one.move.cost + one.move.saving) * MONTH:.2f}", f"{one.move.cost * MONTH:.2f}",
                     f"{one.move.saving * MONTH:.2f}"])  # fmt: skip
    return told


def _tiering(meta: Meta) -> tuple[Tiering | None, list[Verified]]:
    """The tier of each database whose needs are known; none where no needs or no tiers are."""
    memory = meta["memory"]
    instances = [
        Instance(name, Decimal(gib), Decimal(mib), Decimal(latency), tier)
        for name, gib, mib, latency, tier, _ in memory["instances"]
    ]
    tiers = [
        Tier(name, Decimal(price), Decimal(mib), Decimal(latency), Decimal(room) if room else None)
        for name, price, mib, latency, room in memory["tiers"]
    ]
    if not instances or not tiers:
        return None, []
    found = assign(instances, tiers)
    return found, check_tiering(instances, tiers, found)


def _memory_rows(tiering: Tiering, meta: Meta) -> Rows:
    billed = {one[0]: one[-1] for one in meta["memory"]["instances"]}
    return [
        [one.instance.name, float(one.instance.gib), one.instance.tier, one.tier.name, billed[one.instance.name],
         f"{one.cost:.2f}", "" if one.saving is None else f"{one.saving:.2f}"]
        for one in tiering.places
    ]  # fmt: skip


def _content(found: Sequence[Planned], meta: Meta) -> dict[str, Any]:
    """The duration curve of the last 30 days over all pools, and what is in force month by month."""
    total = np.sort(sum((one.pool.all_demand[-MONTH_HOURS:] for one in found), np.zeros(1)))[::-1]
    places = np.linspace(0, len(total) - 1, CURVE_POINTS).round().astype(int)
    held, now, later = in_force(found, LADDER_MONTHS)
    return {
        "currency": meta["currency"],
        "curve": [[round(100 * int(place) / max(1, len(total) - 1), 2), round(float(total[place]), 2)]
                  for place in places],
        "held": float(sum((one.pool.held for one in found), NOTHING)),
        "advised": float(sum((one.pool.held + one.amount for one in found), NOTHING)),
        "months": [[round(float(value), 2) for value in row] for row in (held, now, later)],
        "level": round(float(total.mean()), 2),
    }  # fmt: skip
