"""Reading the ledger: initiatives, what was measured of them, what teams saved, and the way from found to verified."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db.models import Prefetch, prefetch_related_objects

from apps.finops.errors import CostOpsError
from apps.finops.money import NOTHING, add_up, divided, rounded
from apps.operations.models import Recommendation
from apps.operations.overlaps import Promise, promise
from apps.operations.people import seen_teams
from apps.operations.states import SETTLED as DONE
from apps.savings.models import Initiative, Measurement
from apps.savings.people import Reader, seen_by

CENT = Decimal("0.01")
MONTH = Decimal(365) / 12
"""Days of a month of money."""
State = Initiative.State
RecommendationState = Recommendation.State
_WITHOUT_CONTENT = Prefetch("measurements", Measurement.objects.defer("content"))
STEPS = ("identified", "approved", "implemented", "verified")
_APPROVED = (RecommendationState.ACCEPTED, RecommendationState.IN_PROGRESS, *DONE)
_LOST = (RecommendationState.DECLINED, RecommendationState.CLOSED, RecommendationState.REVERTED)


class NoSuchInitiative(CostOpsError):
    """There is no such initiative, or it is not for the caller to know of."""


@dataclass(frozen=True)
class Entry:
    """An initiative with its newest measurement, if there is one; `final` is the newest a verdict rests on."""

    one: Initiative
    newest: Measurement | None = None
    final: Measurement | None = None

    @property
    def verified_per_month(self) -> Decimal | None:
        """What was verified, its own share, by the month; None where nothing is verified."""
        if self.one.state != State.VERIFIED or self.final is None:
            return None
        return per_month(self.final, "saving")

    @property
    def at_least_per_month(self) -> Decimal | None:
        """The lower bound of the same."""
        return None if self.verified_per_month is None or self.final is None else per_month(self.final, "lower")


@dataclass(frozen=True)
class Way:
    """Money a month in one currency: everything identified, and what of it was approved, implemented and verified."""

    currency: str
    identified: Decimal
    approved: Decimal
    implemented: Decimal
    verified: Decimal

    @property
    def steps(self) -> tuple[tuple[str, Decimal], ...]:
        return tuple((name, getattr(self, name)) for name in STEPS)


def per_month(found: Measurement, name: str) -> Decimal | None:
    """`saving`, `lower` or `upper` of a measurement by the month, to the cent."""
    amount, days = found.money(name), (found.end - found.start).days
    if amount is None or days < 1:
        return None
    by_day = divided(amount, Decimal(days))
    return None if by_day is None else (by_day * MONTH).quantize(CENT)


def entries(reader: Reader | None, *, team: str = "", state: str = "") -> list[Entry]:
    """The initiatives somebody may know of, the newest first; without a reader, everybody's."""
    found = Initiative.objects.order_by("pk") if reader is None else seen_by(reader)
    narrowed = {name: value for name, value in (("team", team), ("state", state)) if value}
    return [_entry(one) for one in found.filter(**narrowed).order_by("-pk").prefetch_related(_WITHOUT_CONTENT)]


def entry(number: int, reader: Reader | None) -> Entry:
    found = Initiative.objects.all() if reader is None else seen_by(reader)
    one = found.filter(pk=number).prefetch_related(_WITHOUT_CONTENT).first()
    if one is None:
        raise NoSuchInitiative(f"There is no initiative {number}.")
    return _entry(one)


def _entry(one: Initiative) -> Entry:
    measured = sorted(one.measurements.all(), key=lambda each: each.pk)
    final = [each for each in measured if each.is_final]
    return Entry(one, measured[-1] if measured else None, final[-1] if final else None)


def verified(teams: frozenset[str] | None, start: date, end: date) -> dict[str, Decimal]:
    """What was verifiably saved on the days `start` <= day < `end`, by currency: of these teams, or of all."""
    found: dict[str, list[Decimal]] = {}
    for one in entries(None, state=State.VERIFIED):
        if one.final is not None and (teams is None or one.one.team in teams):
            found.setdefault(one.one.currency, []).append(_within(one.final, start, end))
    return {currency: add_up(amounts) for currency, amounts in sorted(found.items())}


def _within(final: Measurement, start: date, end: date) -> Decimal:
    """The part of a measured saving that fell on some days: by what each day was below its counterfactual."""
    days = [
        (date.fromisoformat(day), Decimal(repr(expected)) - Decimal(repr(actual)))
        for day, actual, expected, *_ in final.content.get("days", ())
    ]
    counted = [(day, amount) for day, amount in days if final.start <= day < final.end]
    total, own = (
        add_up(amount for _, amount in counted),
        add_up(amount for day, amount in counted if start <= day < end),
    )
    saving = final.money("saving") or Decimal(0)
    return (saving * own / total).quantize(CENT) if total else Decimal(0)


def verified_per_month(found: Iterable[Entry]) -> dict[str, Decimal]:
    """What some initiatives verifiably save by the month, by currency; only those that are verified are counted."""
    amounts: dict[str, list[Decimal]] = {}
    for one in found:
        if (amount := one.verified_per_month) is not None:
            amounts.setdefault(one.one.currency, []).append(amount)
    return {currency: add_up(told) for currency, told in sorted(amounts.items())}


def ways(reader: Reader | None) -> list[Way]:
    """The way from found to verified, by currency. What an initiative carries out counts with it, not by itself, and
    with one alone; unless it was reverted. Nor does what else would save the same, but for what goes beyond it."""
    told = entries(reader)
    kept = [one for one in told if one.one.state not in (State.DRAFT, State.WITHDRAWN)]
    live = [one for one in kept if one.one.state != State.REVERTED]
    prefetch_related_objects([one.one for one in live], "recommendations")
    within = {each.pk for one in live for each in one.one.recommendations.all()}
    teams = None if reader is None else seen_teams(reader)
    rows = Recommendation.objects.exclude(state__in=_LOST)
    found = [one for one in (rows if teams is None else rows.filter(team__in=teams)) if one.pk not in within]
    currencies = sorted({one.currency for one in found if one.saving > 0} | {one.one.currency for one in kept})
    return [_way(currency, found, live) for currency in currencies]


def _way(currency: str, found: Iterable[Recommendation], live: Iterable[Entry]) -> Way:
    recommended = [one for one in found if one.currency == currency]
    stated = [one for one in live if one.one.currency == currency]
    begun = [one for one in stated if one.newest is not None or one.one.state != State.STATED]
    return Way(
        currency,
        identified=_promised(recommended, stated),
        approved=_promised((one for one in recommended if one.state in _APPROVED), stated),
        implemented=_promised((one for one in recommended if one.state in DONE), begun),
        verified=verified_per_month(stated).get(currency, Decimal(0)),
    )


def _promised(recommended: Iterable[Recommendation], stated: Iterable[Entry]) -> Decimal:
    """What initiatives promise and, beyond that, recommendations."""
    initiatives = sorted(stated, key=lambda one: (-one.one.promised, one.one.pk))
    carried = {each.pk: each for one in initiatives for each in one.one.recommendations.all()}
    own, beyond = promise(carried.values()), promise(recommended, settled=carried.values())
    untold = dict(carried)
    return add_up([*beyond.counted.values(), *(_of_its_own(one, own, untold) for one in initiatives)])


def _of_its_own(one: Entry, own: Promise, untold: dict[int, Recommendation]) -> Decimal:
    """What an initiative promises of what it carries out first, which is then told: of several that carry out the same
    the one that promises most has it, of equals the oldest, and what others would save of the same is theirs."""
    carried = list(one.one.recommendations.all())
    first = [each for each in carried if untold.pop(each.pk, None) is not None]
    whole = add_up(each.saving for each in carried)
    if carried and not first:
        return NOTHING
    if not whole:
        return one.one.promised
    part = add_up(own.counted.get(each.pk, NOTHING) for each in first)
    return rounded(Fraction(one.one.promised) * Fraction(part) / Fraction(whole))


def last_day(found: Measurement) -> date:
    return found.end - timedelta(days=1)
