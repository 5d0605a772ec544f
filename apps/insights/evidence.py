"""What speaks for a team as the owner of cost that has none: in sentences, weighed by the money that agrees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from apps.finops.money import divided

LABEL, DEPLOYER, NAME, PATTERN, NEIGHBOUR = "label", "deployer", "name", "pattern", "neighbour"
RANK = {LABEL: 0, DEPLOYER: 1, NAME: 2, PATTERN: 3, NEIGHBOUR: 4}
"""What is believed first: what people wrote down, then how things are called, then who lives next door."""
SURE = Decimal("0.8")
"""A neighbourhood counts as a team's from this share of its cost on."""


@dataclass(frozen=True)
class Evidence:
    """One thing that speaks for a team: `agreeing` of `whole` in a currency do. `text` % `values` is the sentence."""

    kind: str
    team: str
    text: str
    values: Mapping[str, str]
    agreeing: Decimal
    whole: Decimal

    @property
    def sentence(self) -> str:
        return self.text % self.values

    @property
    def share(self) -> Decimal:
        """The part of the money that agrees, 0 to 1, four decimals."""
        return (divided(self.agreeing, self.whole) or Decimal(0)).quantize(Decimal("0.0001"))


def weigh(kind: str, team: str, text: str, agreeing: Decimal, whole: Decimal, currency: str, **values: str) -> Evidence:
    amounts = {"agreeing": f"{agreeing:,.2f}", "whole": f"{whole:,.2f}", "currency": currency, "team": team}
    return Evidence(kind, team, text, amounts | values, agreeing, whole)


def ordered(found: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The strongest first: by kind, then by the share that agrees, then by name."""
    return tuple(sorted(found, key=lambda one: (RANK[one.kind], -one.share, one.team, one.text)))


def proposed(found: tuple[Evidence, ...]) -> Evidence | None:
    """The evidence to act on: the strongest on which at least half of the money agrees."""
    return next((one for one in found if one.share >= Decimal("0.5")), None)


def confidence(best: Evidence | None) -> str:
    """In a word: how sure a proposal is."""
    if best is None:
        return "none"
    if best.share < SURE:
        return "low"
    return "high" if RANK[best.kind] <= RANK[DEPLOYER] else "medium" if best.kind != NEIGHBOUR else "low"


SAYS = "%(what)s %(key)s=%(value)s on %(agreeing)s of %(whole)s %(currency)s %(how)s the %(by)s of %(team)s"
PERSON = "%(what)s %(key)s=%(value)s on %(agreeing)s of %(whole)s %(currency)s names the %(by)s of %(team)s"
ELSEWHERE = (
    "%(what)s %(key)s=%(value)s: elsewhere %(agreeing)s of %(whole)s %(currency)s that carry it belong to %(team)s"
)
CALLED = "The name %(value)s %(how)s the %(by)s of %(team)s"
RULE = "Rule %(value)s gives namespaces called %(key)s to %(team)s, but did not match here"
PREFIX = (
    "Namespaces called %(value)s or %(value)s-… cost %(whole)s %(currency)s elsewhere; %(agreeing)s are of %(team)s"
)
NODES = "On the same nodes %(agreeing)s of %(whole)s %(currency)s belong to %(team)s"
CLUSTER = "In cluster %(value)s %(agreeing)s of %(whole)s %(currency)s belong to %(team)s"
ACCOUNT = "In account %(value)s %(agreeing)s of %(whole)s %(currency)s belong to %(team)s"
GROUP = "In resource group %(value)s %(agreeing)s of %(whole)s %(currency)s belong to %(team)s"
TEXTS = (SAYS, PERSON, ELSEWHERE, CALLED, RULE, PREFIX, NODES, CLUSTER, ACCOUNT, GROUP)
"""Every sentence, for translation."""
