"""The one question about cost, and its answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Context, Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from apps.finops.currencies import CURRENCIES
from apps.finops.errors import CostOpsError
from apps.finops.periods import Published
from apps.finops.tables import COSTS, DIMENSIONS
from apps.finops.tags import key_of
from apps.marts.tagging import tag_dimensions
from apps.teams.tree import LEVELS

if TYPE_CHECKING:
    import pandas as pd

    from apps.rates.selectors import UsedRate

TIME_DIMENSIONS = ("day", "week", "month")
GROUPS = (*TIME_DIMENSIONS, *DIMENSIONS, *LEVELS)
FILTERS = (*DIMENSIONS, *LEVELS)
"""What a question can be narrowed by: columns of the mart, and levels of the organisation, told by the tree. Tags of
the chosen keys, `tag:KEY`, come to both."""
METRICS = tuple(COSTS)
MAX_GROUPS = 4
MAX_ROWS = 200_000
_EXACT = Context(prec=80)


class BadQuestion(CostOpsError):
    """The question cannot be answered as asked; the message names the parameter and what it may be."""


def check_tags(query: "CostQuery") -> None:
    """Raise BadQuestion where a question asks for a tag whose key was not chosen."""
    told = tag_dimensions()
    for name in sorted(query.tags - set(told)):
        kept = ", ".join(told) or "none"
        raise BadQuestion(f"{name[:140]}: COSTOPS_TAG_KEYS says by which tags cost is told ({kept}); not by this one")


def check_groups(metric: str, group_by: Sequence[str], known: Sequence[str], *, most: int) -> None:
    """Raise BadQuestion unless the metric and the groups of a question can be meant."""
    if metric not in METRICS:
        raise BadQuestion(f"metric: {metric!r} is not one of {', '.join(METRICS)}")
    for name in group_by:
        if name not in known:
            raise BadQuestion(f"group_by: {name!r} is not one of {', '.join(known)}")
    if len(set(group_by)) != len(group_by):
        raise BadQuestion("group_by: a dimension is named twice")
    if len(group_by) > most:
        raise BadQuestion(f"group_by: at most {most} dimensions")


@dataclass(frozen=True)
class Scope:
    """The teams somebody may see (`None` means all of them), and accounts they see whosever cost it is."""

    teams: frozenset[str] | None = None
    accounts: frozenset[str] = frozenset()

    @property
    def is_empty(self) -> bool:
        return self.teams == frozenset() and not self.accounts

    @property
    def is_by_account(self) -> bool:
        """Whether accounts add to what its teams cost: where cost is not told by account, it is less."""
        return self.teams is not None and bool(self.accounts)

    @property
    def identity(self) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
        """What an answer that is kept depends on, the same in every process."""
        return None if self.teams is None else tuple(sorted(self.teams)), tuple(sorted(self.accounts))

    def allows(self, team: str) -> bool:
        return self.teams is None or team in self.teams


EVERYTHING = Scope()


@dataclass(frozen=True)
class CostQuery:
    """A question about cost over the days `start` <= day < `end`.

    `group_by` names at most four of `GROUPS` and tags; `filters` pairs a dimension or tag with the values that may
    stand in it, `excludes` with those that may not; `as_of` is a publication number (the newest when absent). Answers
    are always grouped by currency too: currencies are never added. With a reporting `currency` every amount is
    converted first, by the rate of its day at version `rates_as_of` of the rates (the newest when absent). Levels of
    the organisation (`department` …) are those of the team on each day, by version `organisation_as_of` of the tree
    (the newest when absent).
    """

    start: date
    end: date
    metric: str = "effective_cost"
    group_by: tuple[str, ...] = ()
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    as_of: int | None = None
    scope: Scope = field(default=EVERYTHING)
    currency: str | None = None
    rates_as_of: int | None = None
    organisation_as_of: int | None = None
    excludes: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise BadQuestion(
                f"end ({self.end}) must come after start ({self.start}); the end day itself is not included"
            )
        check_groups(self.metric, self.group_by, (*GROUPS, *sorted(self.tags)), most=MAX_GROUPS)
        for word, narrowed in (("filter", self.filters), ("exclude", self.excludes)):
            for name, _ in narrowed:
                if name not in FILTERS and not key_of(name):
                    raise BadQuestion(f"{word}: {name!r} is not one of {', '.join(FILTERS)}")
        self._check_currency()

    @property
    def tags(self) -> frozenset[str]:
        """The tags it asks for, as `tag:KEY`."""
        narrowed = (name for name, _ in (*self.filters, *self.excludes))
        return frozenset(name for name in (*self.group_by, *narrowed) if key_of(name))

    @property
    def levels(self) -> frozenset[str]:
        """The levels of the organisation it asks for."""
        return frozenset(LEVELS) & {*self.group_by, *(name for name, _ in (*self.filters, *self.excludes))}

    def _check_currency(self) -> None:
        if self.currency is None:
            return
        if self.currency not in CURRENCIES:
            raise BadQuestion(f"currency: {self.currency!r} is not a currency code of ISO 4217, such as CNY")
        if "currency" in self.group_by:
            raise BadQuestion(
                "group_by: amounts converted to one currency cannot be grouped by currency; filter by it, or ask "
                "without a reporting currency"
            )

    def grouped(self, *names: str) -> "CostQuery":
        return replace(self, group_by=names)

    def narrowed(self, **values: str) -> "CostQuery":
        """The same question about one value of some dimensions."""
        return replace(self, filters=self.filters + tuple((name, (value,)) for name, value in values.items()))

    def without(self, **values: tuple[str, ...]) -> "CostQuery":
        """The same question but for some values of some dimensions."""
        return replace(self, excludes=self.excludes + tuple(values.items()))

    def between(self, start: date, end: date) -> "CostQuery":
        return replace(self, start=start, end=end)


@dataclass(frozen=True)
class PublicationFacts:
    """What every answer carries about where its numbers come from. `coverage` is observed / expected samples of the
    window asked about, None where nothing was expected; `came_until` and `whole_until` as a publication has them."""

    number: int
    created_at: datetime
    status: str
    coverage: Decimal | None
    first_day: date | None
    end_day: date | None
    came_until: date | None = None
    whole_until: date | None = None

    @property
    def published(self) -> Published:
        """The days that are known, and can be compared."""
        came = self.came_until or self.end_day
        return Published(self.first_day, self.whole_until or came, came)


@dataclass(frozen=True)
class Answer:
    """`rows` hold the `columns`: the groups asked for, then `currency`, then the metric as Decimal. Sorted by the
    groups. `rates` are those the amounts were converted with, by day and currency; none where nothing was converted."""

    query: CostQuery
    publication: PublicationFacts
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    rates: "tuple[UsedRate, ...]" = ()

    @cached_property
    def totals(self) -> Mapping[str, Decimal]:
        """The sum by currency, to the last of the 38 digits. Added up once: pages ask line by line."""
        place = self.columns.index("currency")
        sums: dict[str, Decimal] = {}
        for row in self.rows:
            sums[row[place]] = _EXACT.add(sums.get(row[place], Decimal(0)), row[-1])
        return sums

    def frame(self) -> "pd.DataFrame":
        """The rows as a frame; the metric stays Decimal (dtype object) until a chart or a learner converts it."""
        import pandas as pd  # half a second that most questions at the terminal need not wait for

        return pd.DataFrame(list(self.rows), columns=list(self.columns))
