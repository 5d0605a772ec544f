"""Purchase mix: what is committed and how well it is used, what to commit to month by month, what runs on spot."""

from dataclasses import dataclass
from datetime import datetime
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
from apps.planning.arrays import unpack
from apps.planning.drafts import Action, Bring, Check, Column, Draft, FigureShape, Planner, Settings, Slider, TableShape
from apps.planning.methods.purchase.existing import CommittedCost, Summary, summarise
from apps.planning.methods.purchase.ladder import plan
from apps.planning.methods.purchase.mix import Market, Spot, divide
from apps.planning.methods.purchase.outcomes import known_saving
from apps.planning.methods.purchase.terms import MONTH_HOURS, Ladder, Offer, Stance
from apps.planning.methods.purchase.verify import check_division, check_ladder
from apps.planning.offers import COLUMNS, take
from apps.planning.offers import offers as offered
from apps.planning.reading.purchase import read
from apps.planning.words import money, share

STEP = Decimal("0.01")
MONTHS_A_YEAR = Fraction(365, 12 * 30)
POINTS = 240
YEAR = 11

BUY = "Commit to %(amount)s an hour of %(offer)s now: that covers %(covered)s of what runs on demand."
LATER = "Month by month a step more: %(later)s an hour in a year, if demand stays. No single month decides."
NOTHING = "Buy nothing now: no level of demand is used often enough to pay for what is offered."
HELD = "What is committed already was used to %(used)s; it covers %(coverage)s and saves %(saved)s of the list price."
SPAN = "In 80 of 100 futures it saves from %(low)s to %(high)s a month."
FALL = "Should demand fall by %(fall)s at once, it would be %(fallen)s a month."
KNOWN = "In the last 30 days it would have saved %(known)s."
BREAK_EVEN = "%(offer)s pays from %(share)s of hours used on."
BINDS = {
    "held": "What is committed already covers what is used all the time.",
    "break_even": "Higher levels of demand are used in too few hours to pay for a commitment.",
    "pace": "A part of what would pay is bought each month, so that no single month decides.",
}
UNKNOWN_ENDS = "When what is committed now ends: bills do not tell."
UNKNOWN_PLANS = "What other plans give back: decide about those first, and do not commit to nodes that will leave."
UNKNOWN_SAMPLE = "The discounts of your contract: these are samples that come with the program; bring your own table."
UNKNOWN_FUTURE = "Whether demand stays: falls that nobody announces are weighed in, new products are not."
WITHHELD = "Nothing is advised: %(why)s"
TITLE = "Commit to %(amount)s an hour of %(subject)s"
CHECKS = {
    "on sale": "every purchase is on sale",
    "whole steps": "purchases are whole steps",
    "below the highest hour": "no more is bought than the busiest hour takes",
    "re-added saving": "the saving in the known hours re-adds",
    "no more than it costs": "no more is saved than the hours cost",
    "pays at its margin": "the last unit bought is used often enough",
    "no more than its share": "no more than its part is bought at once",
    "every hour is bought once": "every hour is bought once",
    "commitments are paid whole": "commitments are paid whether used or not",
    "nothing negative": "nothing is negative",
}
WAYS = {"commitment": "commitment", "spot": "spot", "serverless": "serverless", "on_demand": "on demand"}


@dataclass(frozen=True)
class _Pool:
    """A pool with what is offered for it, in prices of what is paid on demand."""

    meta: dict[str, Any]
    paid: Any
    offers: list[Offer]
    spot: Spot | None
    held: Summary | None


def _pool(data: bytes) -> _Pool:
    meta, arrays = unpack(data)
    paid, listed = arrays["hours"]
    above = Decimal(str(round(float(listed.sum() / paid.sum()), 9)))
    commitments, spot = [], None
    for name, kind, family, region, term, ratio, interruptions, lost, availability in meta["offers"]:
        if family not in ("", meta["family"]) or region not in ("", meta["region"]):
            continue
        price = (Decimal(ratio) * above).quantize(Decimal("0.000001"))
        if kind == "spot":
            spot = Spot(price, Decimal(interruptions), Decimal(lost), Decimal(availability))
        elif price < 1:
            commitments.append(Offer(name, kind, term, price))
    costs = [CommittedCost(one, status, currency, Decimal(listed), Decimal(cost), name, kind)
             for one, status, currency, listed, cost, name, kind in meta["held"]]  # fmt: skip
    held = next((one for one in summarise(costs) if one.currency == meta["currency"]), None)
    return _Pool(meta, paid, commitments, spot, held)


def make(data: bytes, settings: Settings) -> Draft:
    """The purchases for one pool by these settings."""
    pool = _pool(data)
    stance = Stance(pace=settings["pace"] / 100, drift=settings["drift"] / 100)
    fall = Decimal(str(settings["fall"])) / 100
    ladder = plan(pool.paid, [], pool.offers, stance=stance, fall=fall, step=STEP)
    hours = [Decimal(f"{hour:.6f}") for hour in pool.paid]
    known = known_saving(hours[-MONTH_HOURS:], Decimal(0), ladder.now, Decimal(1))
    ways, committed_cost = _mix(pool, ladder, hours, Decimal(str(settings["interruptible"])) / 100)
    checks = [
        *check_ladder(hours, [], pool.offers, ladder, step=STEP, known=known, pace=Decimal(str(stance.pace)) + STEP),
        *check_division(hours[-28 * 24 :], ways, committed_cost),
    ]  # fmt: skip
    cost = max(Decimal(pool.meta["cost_per_month"]), Decimal(0))
    expected = ladder.outcome.expected if ladder.outcome else Decimal(0)
    saving = min(cost, max(Decimal(0), rounded(Fraction(expected) * MONTHS_A_YEAR)))
    return Draft(
        currency=pool.meta["currency"], cost_per_month=cost, saving_per_month=saving,
        says=_says(pool, ladder), risks=_risks(pool, ladder, known),
        binds=tuple(Sentence(BINDS[name]) for name in dict.fromkeys(ladder.binds)),
        unknowns=(
            *([] if pool.meta["offers_version"] else [Sentence(UNKNOWN_SAMPLE)]), Sentence(UNKNOWN_PLANS),
            Sentence(UNKNOWN_ENDS), Sentence(UNKNOWN_FUTURE),
        ),
        checks=tuple(Check(Sentence(CHECKS[one.name]), one.holds) for one in checks),
        actions=_actions(pool, ladder, saving),
        tables={"purchases": _purchases(ladder), "held": _held(pool), "mix": [
            [WAYS[one.way], f"{_monthly(one.on_demand):.12f}", f"{_monthly(one.cost):.12f}"] for one in ways]},
        content=_content(pool, ladder), settings=settings,
    )  # fmt: skip


def _mix(pool: _Pool, ladder: Ladder, hours: list[Decimal], interruptible: Decimal) -> tuple[Any, Decimal]:
    """What the hours of the last four weeks would be bought from."""
    committed = sum((one.amount for one in ladder.now), Decimal(0))
    cost = sum((one.amount * one.offer.ratio for one in ladder.now), Decimal(0))
    cheapest = min((one.ratio for one in pool.offers), default=Decimal(1))
    ways = divide(
        hours[-28 * 24 :], committed, cost, share=interruptible, market=Market(pool.spot), cheapest_commitment=cheapest
    )
    return ways, cost


def _monthly(amount: Decimal) -> Decimal:
    return rounded(Fraction(amount) * 365 / (12 * 28))


def _says(pool: _Pool, ladder: Ladder) -> tuple[Sentence, ...]:
    told = []
    if ladder.withheld:
        told.append(Sentence(WITHHELD, {"why": ladder.withheld}))
    elif not ladder.now:
        told.append(Sentence(NOTHING))
    else:
        covered = np.minimum(pool.paid[-MONTH_HOURS:], float(sum(one.amount for one in ladder.now))).sum()
        names = " + ".join(dict.fromkeys(one.offer.name for one in ladder.now))
        told.append(Sentence(BUY, {
            "amount": _hourly(sum((one.amount for one in ladder.now), Decimal(0)), pool), "offer": names,
            "covered": share(float(covered / pool.paid[-MONTH_HOURS:].sum())),
        }))  # fmt: skip
        in_a_year = [one for one in ladder.purchases if one.month <= YEAR < one.month + one.offer.term_months]
        later = sum((one.amount for one in in_a_year), Decimal(0))
        told.append(Sentence(LATER, {"later": _hourly(later, pool)}))
    if pool.held is not None and pool.held.commitments:
        rates = pool.held.utilisation, pool.held.coverage, pool.held.savings_rate
        used, coverage, saved = (share(float(rate)) if rate is not None else "–" for rate in rates)
        told.append(Sentence(HELD, {"used": used, "coverage": coverage, "saved": saved}))
    return tuple(told)


def _hourly(amount: Decimal, pool: _Pool) -> str:
    return money(amount, pool.meta)


def _risks(pool: _Pool, ladder: Ladder, known: Decimal) -> tuple[Sentence, ...]:
    if ladder.outcome is None:
        return ()
    outcome = ladder.outcome
    return (
        Sentence(SPAN, {"low": money(outcome.low, pool.meta), "high": money(outcome.high, pool.meta)}),
        Sentence(FALL, {"fall": share(float(outcome.fall)), "fallen": money(outcome.fallen, pool.meta)}),
        Sentence(KNOWN, {"known": money(known, pool.meta)}),
        *(Sentence(BREAK_EVEN, {"offer": one.name, "share": share(float(one.ratio))}) for one in pool.offers),
    )


def _actions(pool: _Pool, ladder: Ladder, saving: Decimal) -> tuple[Action, ...]:
    if not saving or not ladder.now:
        return ()
    amount = _hourly(sum((one.amount for one in ladder.now), Decimal(0)), pool)
    return (
        Action(
            subject=pool.meta["subject"], team=pool.meta["team"],
            title=Sentence(TITLE, {"amount": amount, "subject": pool.meta["subject"]}),
            evidence=_risks(pool, ladder, Decimal(0))[:2], currency=pool.meta["currency"], saving_per_month=saving,
            since=datetime.fromisoformat(pool.meta["since"]).date(),
        ),
    )  # fmt: skip


def _purchases(ladder: Ladder) -> list[list[Any]]:
    return [
        [one.month, one.offer.name, one.offer.term_months, f"{one.amount:.2f}", f"{one.amount * one.offer.ratio:.4f}",
         float(one.offer.ratio)]
        for one in ladder.purchases
    ]  # fmt: skip


def _held(pool: _Pool) -> list[list[Any]]:
    """What is committed already, each with how well it is used."""
    if pool.held is None:
        return []
    return [
        [one.name or one.commitment, one.kind, f"{one.used:.12f}", f"{one.unused:.12f}", f"{one.saved:.12f}",
         *(None if rate is None else float(rate) for rate in (one.utilisation, one.savings_rate, one.break_even))]
        for one in pool.held.commitments
    ]  # fmt: skip


def _content(pool: _Pool, ladder: Ladder) -> dict[str, Any]:
    falling = np.sort(pool.paid[-3 * MONTH_HOURS :])[::-1]
    places = np.unique(np.linspace(0, len(falling) - 1, POINTS).astype(int))
    by_month: dict[str, list[float]] = {}
    for one in ladder.purchases:
        months = by_month.setdefault(one.offer.name, [0.0] * 36)
        for month in range(one.month, min(36, one.month + one.offer.term_months)):
            months[month] = round(months[month] + float(one.amount), 4)
    return {
        "duration": [[round(100 * int(place) / len(falling), 2), round(float(falling[place]), 4)] for place in places],
        "now": float(sum((one.amount for one in ladder.now), Decimal(0))), "months": by_month,
        "currency": pool.meta["currency"],
    }  # fmt: skip


def draw(draft: Draft, what: str) -> Figure:
    """Demand by how often it is reached, or the ladder month by month."""
    content = draft.content
    unit = _("%(currency)s an hour") % {"currency": content["currency"]}
    if what == "ladder":
        series = [
            Series(name, months, PALETTE[place], "area")
            for place, (name, months) in enumerate(content["months"].items())
        ]
        return over(Axis(_("months from now"), list(range(36))), series, unit=unit)
    hours, levels = zip(*content["duration"], strict=True)
    marks = [Mark("y", content["now"], colour=PALETTE[2], title=_("commit to"))] if content["now"] else []
    series = [Series(_("on demand"), list(levels), PALETTE[0] if levels else OTHERS, "line")]
    return over(Axis(_("part of hours, %"), list(hours)), series, unit=unit, marks=marks)


def identity() -> str:
    """The version of the table of offers."""
    return f"{offered()[1]}"


PLANNER = Planner(
    name="purchase",
    title=gettext_lazy("Purchase mix"),
    about=gettext_lazy("What to commit to month by month, how well what is held is used, and what runs on spot."),
    version="1",
    read=read,
    make=make,
    draw=draw,
    identity=identity,
    bring=Bring(gettext_lazy("What commitments and spot cost"), COLUMNS, take),
    sliders=(
        Slider("pace", gettext_lazy("Part of what would pay that is bought each month"), 5, 100, 5, 40, "%"),
        Slider("drift", gettext_lazy("Expected change of demand a month"), -10, 10, 0.5, 0, "%"),
        Slider("fall", gettext_lazy("Fall of demand to be tried"), 0, 90, 5, 30, "%"),
        Slider("interruptible", gettext_lazy("Part of every hour that may be interrupted"), 0, 100, 5, 0, "%"),
    ),
    tables=(
        TableShape(
            "purchases", gettext_lazy("What to buy, month by month"),
            (
                Column("month", gettext_lazy("Months from now"), "number"),
                Column("offer", gettext_lazy("Offer")),
                Column("term_months", gettext_lazy("Months it runs"), "number"),
                Column("covers", gettext_lazy("Covers an hour"), "money"),
                Column("costs", gettext_lazy("Costs an hour"), "money"),
                Column("break_even", gettext_lazy("Pays from"), "share"),
            ),
        ),
        TableShape(
            "held", gettext_lazy("Committed already"),
            (
                Column("commitment", gettext_lazy("Commitment")),
                Column("kind", gettext_lazy("Kind")),
                Column("used", gettext_lazy("Used"), "money"),
                Column("unused", gettext_lazy("Unused"), "money"),
                Column("saved", gettext_lazy("Saved against the list"), "money"),
                Column("utilisation", gettext_lazy("Utilisation"), "share"),
                Column("savings_rate", gettext_lazy("Effective savings rate"), "share"),
                Column("break_even", gettext_lazy("Pays from"), "share"),
            ),
        ),
        TableShape(
            "mix", gettext_lazy("What the last four weeks would be bought from"),
            (
                Column("way", gettext_lazy("Way"), "words"),
                Column("on_demand", gettext_lazy("On demand a month"), "money"),
                Column("cost", gettext_lazy("Cost a month"), "money"),
            ),
        ),
    ),
    figures=(
        FigureShape("duration", gettext_lazy("How often demand is as high"), ""),
        FigureShape("ladder", gettext_lazy("The ladder, month by month"), ""),
    ),
)  # fmt: skip
