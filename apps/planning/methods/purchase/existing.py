"""What is already committed: coverage, utilisation, waste and the effective savings rate, added up exactly."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

SHARE = Decimal("0.0001")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class CommittedCost:
    """Charges of one commitment (an empty `commitment`: what none covers) and one status, in one currency.

    Purchases are left out: their money comes back in the effective cost of what they cover. `list_cost` of unused
    commitments is not asked for: nobody would have paid it on demand.
    """

    commitment: str
    status: str
    currency: str
    list_cost: Decimal
    effective_cost: Decimal
    name: str = ""
    kind: str = ""
    family: str = ""
    region: str = ""


@dataclass(frozen=True)
class Standing:
    """One commitment: `used` and `unused` effective cost, `list_cost` of what it covered, `saved` = list cost less
    both. Shares are None where nothing is below the line."""

    commitment: str
    name: str
    kind: str
    currency: str
    used: Decimal
    unused: Decimal
    list_cost: Decimal

    @property
    def cost(self) -> Decimal:
        return self.used + self.unused

    @property
    def saved(self) -> Decimal:
        return self.list_cost - self.cost

    @property
    def utilisation(self) -> Decimal | None:
        return share(self.used, self.cost)

    @property
    def savings_rate(self) -> Decimal | None:
        return share(self.saved, self.list_cost)

    @property
    def break_even(self) -> Decimal | None:
        """The utilisation below which it costs more than on demand: its cost ÷ what full use would cost on demand."""
        return share(self.used, self.list_cost)


@dataclass(frozen=True)
class Summary:
    """All commitments of a currency beside what none covers: `eligible` is the list cost of all usage."""

    currency: str
    eligible: Decimal
    covered: Decimal
    used: Decimal
    unused: Decimal
    uncovered: Decimal
    commitments: tuple[Standing, ...]

    @property
    def coverage(self) -> Decimal | None:
        return share(self.covered, self.eligible)

    @property
    def utilisation(self) -> Decimal | None:
        return share(self.used, self.used + self.unused)

    @property
    def waste(self) -> Decimal:
        return self.unused

    @property
    def savings_rate(self) -> Decimal | None:
        """Effective savings rate: 1 − what is paid, the unused too, ÷ what it all costs by the list."""
        return share(self.eligible - self.used - self.unused - self.uncovered, self.eligible)


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    return (part / whole).quantize(SHARE) if whole > 0 else None


def summarise(costs: Iterable[CommittedCost]) -> list[Summary]:
    """Per currency: amounts of different currencies are never added."""
    by_currency: dict[str, list[CommittedCost]] = defaultdict(list)
    for one in costs:
        by_currency[one.currency].append(one)
    return [_summary(currency, rows) for currency, rows in sorted(by_currency.items())]


def _summary(currency: str, rows: list[CommittedCost]) -> Summary:
    by_commitment: dict[str, list[CommittedCost]] = defaultdict(list)
    for one in rows:
        by_commitment[one.commitment].append(one)
    free = by_commitment.pop("", [])
    standings = tuple(_standing(identity, own) for identity, own in sorted(by_commitment.items()))
    covered = sum((one.list_cost for one in standings), NOTHING)
    return Summary(
        currency=currency,
        eligible=covered + sum((one.list_cost for one in free), NOTHING),
        covered=covered,
        used=sum((one.used for one in standings), NOTHING),
        unused=sum((one.unused for one in standings), NOTHING),
        uncovered=sum((one.effective_cost for one in free), NOTHING),
        commitments=standings,
    )


def _standing(identity: str, rows: list[CommittedCost]) -> Standing:
    used = [one for one in rows if one.status != "Unused"]
    return Standing(
        commitment=identity,
        name=max((one.name for one in rows), default=""),
        kind=max((one.kind for one in rows), default=""),
        currency=rows[0].currency,
        used=sum((one.effective_cost for one in used), NOTHING),
        unused=sum((one.effective_cost for one in rows if one.status == "Unused"), NOTHING),
        list_cost=sum((one.list_cost for one in used), NOTHING),
    )
