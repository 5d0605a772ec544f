"""Budgets: how much of each is spent, and where its period is expected to land."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from apps.alerts.facts import Ask, Fact
from apps.budgets.selectors import Standing, standings
from apps.finops.findings import Sentence
from apps.finops.money import rounded

SPENT = "%(share)s of the budget %(budget)s is spent"
LANDS = "The budget %(budget)s is expected to end at %(share)s"
SPENT_OF_NOTHING = "The budget %(budget)s allows %(amount)s %(currency)s, and %(money)s are spent"
LANDS_OF_NOTHING = "The budget %(budget)s allows %(amount)s %(currency)s, and is expected to end at %(money)s"
SO_FAR = "%(spent)s of %(amount)s %(currency)s for %(period)s are spent"
SO_FAR_UNTIL = "%(spent)s of %(amount)s %(currency)s for %(period)s are spent until %(day)s"
LANDING = "The period is expected to land at %(landing)s %(currency)s"
BETWEEN = "In 80 of 100 cases it lands between %(lower)s and %(upper)s %(currency)s"
EXCEEDS = "It will exceed its budget on %(day)s (80 %%)"
EXCEEDED = "It exceeded its budget on %(day)s"
EXCEEDS_AHEAD = "It exceeds its budget on %(day)s by what is charged ahead"
TEXTS = (
    SPENT, LANDS, SPENT_OF_NOTHING, LANDS_OF_NOTHING, SO_FAR, SO_FAR_UNTIL, LANDING, BETWEEN, EXCEEDS, EXCEEDED,
    EXCEEDS_AHEAD,
)  # fmt: skip
"""Every sentence, for translation."""


def actual(ask: Ask) -> Iterator[Fact]:
    """Budgets of which a share is spent."""
    for one in standings(now=ask.now):
        if one.spent is not None:
            yield from _fact(ask, one, one.spent, SPENT, SPENT_OF_NOTHING)


def forecast(ask: Ask) -> Iterator[Fact]:
    """Budgets whose period is expected to land so high; where nothing is forecast nothing is known."""
    for one in standings(now=ask.now):
        if one.landing is not None:
            yield from _fact(ask, one, one.landing, LANDS, LANDS_OF_NOTHING)


def _fact(ask: Ask, one: Standing, money: Decimal, of_something: str, of_nothing: str) -> Iterator[Fact]:
    limits = ask.of(one.budget.team)
    if one.amount > 0:
        share = Fraction(money) * 100 / Fraction(one.amount)
        severity, title = limits.severity(share), _share(one, share, of_something)
    else:  # of which nothing is a share: whatever is above it is beyond every limit
        severity, title = limits.gravest if money > one.amount else None, _amounts(one, money, of_nothing)
    if severity is None:
        return
    yield Fact(
        subject=str(one.budget.number),
        period=one.period_name,
        team=one.budget.team,
        severity=severity,
        title=title,
        lines=tuple(_lines(one)),
        link=one.link,
    )


def _share(one: Standing, share: Fraction, title: str) -> Sentence:
    return Sentence(title, {"share": f"{rounded(share):.1f} %", "budget": one.budget.name})


def _amounts(one: Standing, money: Decimal, title: str) -> Sentence:
    written = {"amount": f"{one.amount:,.2f}", "money": f"{money:,.2f}", "currency": one.currency}
    return Sentence(title, {"budget": one.budget.name} | written)


def _lines(one: Standing) -> Iterator[Sentence]:
    if one.spent is not None:
        yield _spent(one, one.spent)
    if one.landing is not None:
        yield Sentence(LANDING, {"landing": f"{one.landing:,.2f}", "currency": one.currency})
    if one.lower is not None and one.upper is not None:
        bounds = {"lower": f"{one.lower:,.2f}", "upper": f"{one.upper:,.2f}", "currency": one.currency}
        yield Sentence(BETWEEN, bounds)
    if one.exceeds_on is not None:
        exceeded = EXCEEDS_AHEAD if one.is_exceeded_ahead else EXCEEDED
        yield Sentence(exceeded if one.state == "exceeded" else EXCEEDS, {"day": f"{one.exceeds_on}"})


def _spent(one: Standing, spent: Decimal) -> Sentence:
    money = {"currency": one.currency, "period": one.period_name, "spent": f"{spent:,.2f}",
             "amount": f"{one.amount:,.2f}"}  # fmt: skip
    if one.spent_until is None:
        return Sentence(SO_FAR, money)
    return Sentence(SO_FAR_UNTIL, money | {"day": f"{one.spent_until}"})
