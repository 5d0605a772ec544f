"""The four costs side by side: what would be paid without any discount, down to what is paid."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from apps.finops.money import add_up, less
from apps.finops.tables import COSTS
from apps.marts.query import CostQuery, PublicationFacts
from apps.marts.selectors import answer
from apps.rates.selectors import UsedRate

ZERO = Decimal(0)


@dataclass(frozen=True)
class Bases:
    """The four costs of something, and what leads from each to the next.

    list - `negotiated` = contracted; contracted - `committed` = effective; effective - `amortised` = billed. The last
    is what counts here and is, or was, paid at another time: commitments and fees spread over their term, less what is
    paid now for later.
    """

    key: tuple[Any, ...]
    currency: str
    list_cost: Decimal
    contracted_cost: Decimal
    effective_cost: Decimal
    billed_cost: Decimal

    @property
    def negotiated(self) -> Decimal:
        return less(self.list_cost, self.contracted_cost)

    @property
    def committed(self) -> Decimal:
        return less(self.contracted_cost, self.effective_cost)

    @property
    def amortised(self) -> Decimal:
        return less(self.effective_cost, self.billed_cost)


@dataclass(frozen=True)
class BasesAnswer:
    """The four costs by the groups of a question; `totals` by currency."""

    query: CostQuery
    publication: PublicationFacts
    rates: tuple[UsedRate, ...]
    rows: tuple[Bases, ...]
    totals: tuple[Bases, ...]


def bases(query: CostQuery) -> BasesAnswer:
    """A question about cost answered in all four costs, from one publication."""
    answers = {basis: answer(replace(query, metric=basis)) for basis in COSTS}
    one = answers["effective_cost"]
    place = one.columns.index("currency")
    found: dict[tuple[Any, ...], dict[str, Decimal]] = {}
    totals: dict[str, dict[str, Decimal]] = {}
    for basis, told in answers.items():
        for row in told.rows:
            found.setdefault(row[:-1], dict.fromkeys(COSTS, ZERO))[basis] = row[-1]
        for currency, total in told.totals.items():
            totals.setdefault(currency, dict.fromkeys(COSTS, ZERO))[basis] = total
    groups = len(query.group_by)
    rows = tuple(Bases(key[:groups], key[place], **costs) for key, costs in sorted(found.items()))
    return BasesAnswer(
        one.query,
        one.publication,
        one.rates,
        rows,
        tuple(Bases((), name, **costs) for name, costs in sorted(totals.items())),
    )


def without_list(query: CostQuery) -> dict[str, Decimal]:
    """Effective cost by currency of which the bill tells no list cost, so that it is zero there.

    Told by source, service and category of charges: usage that costs something and nothing at list prices.
    """
    found: dict[str, Decimal] = {}
    for one in bases(query.grouped("source", "service", "charge_category")).rows:
        if one.key[-1] == "Usage" and one.effective_cost > 0 and not one.list_cost:
            found[one.currency] = add_up([found.get(one.currency, ZERO), one.effective_cost])
    return found
