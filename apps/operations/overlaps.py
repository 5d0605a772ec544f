"""What recommendations promise together: never more than once for one team's part of a resource."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from apps.finops.money import add_up
from apps.operations.models import Recommendation


@dataclass(frozen=True)
class Promise:
    """The savings of some recommendations together, `totals` by currency. `within` says of those that are not counted
    which larger one of the same team about the same resource is; a question that saves nothing is neither."""

    totals: dict[str, Decimal]
    within: dict[int, int]


def promise(rows: Iterable[Recommendation]) -> Promise:
    """Add up savings; of several about one resource in one currency the largest of each team counts, of equals the
    oldest: what teams share is found for each of them with the part of its cost that is theirs."""
    counted: dict[tuple[str, ...], Recommendation] = {}
    savings: dict[str, list[Decimal]] = {}
    within: dict[int, int] = {}
    for row in sorted((row for row in rows if row.saving > 0), key=lambda one: (-one.saving, one.pk)):
        first = counted.setdefault(staked(row), row) if row.at_stake else row
        if first is row:
            savings.setdefault(row.currency, []).append(row.saving)
        else:
            within[row.pk] = first.pk
    return Promise({currency: add_up(found) for currency, found in sorted(savings.items())}, within)


def staked(one: Recommendation) -> tuple[str, ...]:
    """Whose part of which resource it is about, where it is about one."""
    return one.currency, one.team, one.at_stake
