"""What recommendations promise together: what several would save of the same is saved once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.finops.money import NOTHING, add_up, less
from apps.finops.stakes import Claim, Place, Stake, claims_of, of_resource, promised_twice, read_stake
from apps.operations.models import Recommendation

Part = tuple[str, str]
"""A team, and the resource of which it has a part."""


@dataclass(frozen=True)
class Promise:
    """The savings of some recommendations together, `totals` by currency. `counted` is what of each is in them, of all
    that save anything. `within` says of those that do not count in full which other one saves the same."""

    totals: dict[str, Decimal]
    counted: dict[int, Decimal]
    within: dict[int, int]

    def is_left_out(self, one: Recommendation) -> bool:
        """Whether all of it is promised by others."""
        return one.pk in self.within and not self.counted[one.pk]


def promise(rows: Iterable[Recommendation], *, settled: Iterable[Recommendation] = ()) -> Promise:
    """Add up savings, each where it is spent now: what teams share is found for each of them with the part of its cost
    that is theirs. What is `settled` is promised elsewhere."""
    own, settled = {one.pk: one for one in rows if one.saving > 0}, list(settled)
    places = _places([*own.values(), *settled])
    twice = promised_twice(_claims(own.values(), places), settled=_claims(settled, places))
    counted = {
        pk: max(less(one.saving, twice[pk].amount), NOTHING) if pk in twice else one.saving for pk, one in own.items()
    }
    sums: dict[str, list[Decimal]] = defaultdict(list)
    for pk, amount in counted.items():
        sums[own[pk].currency].append(amount)
    totals = {currency: add_up(amounts) for currency, amounts in sorted(sums.items())}
    return Promise(totals, counted, {pk: one.other for pk, one in twice.items()})


def is_about_the_same(one: Recommendation, other: Recommendation) -> bool:
    """Whether two are of one team's part of a resource, or save in one place, or one of them within that of the other;
    a lower price saves of everything, and is no other way to save it."""
    if one.at_stake and (one.at_stake, one.team) == (other.at_stake, other.team):
        return True
    mine, theirs = ([claim.place for claim in _claims([each], {}) if claim.cost is None] for each in (one, other))
    return any(a[: len(b)] == b or b[: len(a)] == a for a in mine for b in theirs)


def _places(rows: Iterable[Recommendation]) -> dict[Part, Place]:
    """Where a team's part of a resource is spent, as far as recommendations tell it."""
    return {(one.team, one.at_stake): read_stake(one.stakes[0]).place for one in rows if one.at_stake and one.stakes}


def _claims(rows: Iterable[Recommendation], places: Mapping[Part, Place]) -> list[Claim]:
    """What recommendations save by place. Of what an earlier version found only the resource is known, if it is about
    one: it is where others about that one are."""
    return [claim for one in rows for claim in claims_of(one.pk, one.currency, _stakes(one, places))]


def _stakes(one: Recommendation, places: Mapping[Part, Place]) -> list[Stake]:
    if not one.stakes and one.at_stake:
        alone = of_resource(one.at_stake, one.team)
        return [Stake(places.get((one.team, one.at_stake), alone), one.saving)]
    return [read_stake(told) for told in one.stakes or ()]
