"""What a bill tells of single resources: which of them can be idle, and what went through them day by day."""

# ruff: noqa: S608  # identifiers are declared columns of our own; patterns are declared here; days are dates

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, NamedTuple

from apps.allocation.matching import billed_resource
from apps.finops.tables import CHARGES, MONEY
from apps.insights.idle.kinds import INSTANCE, REQUEST_UNITS, SIGNS, TRANSFER_UNITS, UNUSED_TAGS, UNUSED_WORDS
from apps.insights.idle.listening import LEARNED_DAYS
from apps.marts.models import Publication
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, connect, registered
from apps.warehouse.wording import query_of

_FACTS = ("ServiceCategory", "ServiceSubcategory", "ServiceName", "ResourceType", "SkuMeter", "ChargeCategory")
"""What SIGNS read."""
_KB = {"k": 1, "m": 1024, "g": 1024**2, "t": 1024**3, "p": 1024**4}


Group = tuple[str, str, str]
"""Kind, source and service."""


class BilledDay(NamedTuple):
    """One day of a resource: KB that went through it, requests it answered (None: not charged for), and whether the
    bill says that nobody uses it."""

    day: date
    transfer_kb: float | None
    requests: float | None
    is_unused: bool


@dataclass
class BilledResource:
    """A resource of the bill that can be idle. `interval_days` lie between its last two charges, 0 where there is but
    one; `days` are there where the bill tells more than the cost of any of its group."""

    kind: str
    resource: str
    name: str
    service: str
    source: str
    sub_account: str
    description: str
    first_day: date
    last_day: date
    interval_days: int
    days: list[BilledDay] = field(default_factory=list)

    @property
    def group(self) -> Group:
        """Resources alike: of one kind and service in one source."""
        return self.kind, self.source, self.service

    @property
    def is_metered(self) -> bool:
        """Whether it is charged for what goes through it."""
        return any(day.transfer_kb is not None or day.requests is not None for day in self.days)

    @property
    def was_unused(self) -> bool:
        return any(day.is_unused for day in self.days)

    @property
    def is_unused(self) -> bool:
        """Whether the bill's newest word is that nobody uses it."""
        return bool(self.days) and self.days[-1].is_unused


@dataclass(frozen=True)
class UnusedCommitment:
    """What a commitment cost unused in a currency, by day, and the resource of its charges."""

    commitment: str
    name: str
    kind: str
    currency: str
    resource: str
    unused: dict[date, Any]
    used: dict[date, Any]


def resources(pinned: Publication, end: date) -> list[BilledResource]:
    """The resources that can be idle, each with its days before `end`, ordered by their ids."""
    facts, days = _daily(pinned, end - timedelta(days=LEARNED_DAYS), end)
    found = {fact[1]: BilledResource(*fact) for fact in facts}
    for resource, *told in days:
        found[resource].days.append(BilledDay(*told))
    return list(found.values())


def groups_with(found: Iterable[BilledResource], has: Callable[[BilledResource], bool]) -> set[Group]:
    """Groups of which at least every fifth resource has something: there, having none means that there is none."""
    known: dict[Group, list[bool]] = defaultdict(list)
    for one in found:
        known[one.group].append(has(one))
    return {group for group, told in known.items() if 5 * sum(told) >= len(told)}


def _daily(pinned: Publication, since: date, end: date) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """The facts of every resource, and the days of those of a group of which the bill tells more than the cost."""
    with Workspace() as workspace:
        bill = _bill(pinned, since, end, workspace)
        facts = ", ".join(_FACTS)
        kinds = workspace.keep_query(f"SELECT *, {_kind()} AS kind FROM (SELECT DISTINCT {facts} FROM {bill})")
        same = " AND ".join(f"b.{name} = k.{name}" for name in _FACTS)
        rows = workspace.keep_query(f"""
            SELECT b.*, kind, {_unit("b")} AS unit, {_quantity("b")} AS quantity,
                regexp_matches(lower(ChargeDescription || ' ' || b.SkuMeter), '{UNUSED_WORDS}')
                    OR regexp_matches(lower(Tags), '{UNUSED_TAGS}')
                    OR (kind = '{INSTANCE}' AND ConsumedQuantity = 0 AND cost > 0) AS is_unused
            FROM {bill} b JOIN {kinds} k ON {same} WHERE kind <> '' AND resource <> ''""")
        facts = workspace.keep_query(f"""
            SELECT max_by(kind, abs(cost)) AS kind, resource, max_by(ResourceName, day) AS name,
                max_by(ServiceName, abs(cost)) AS service, max(source) AS source, max(sub_account) AS sub_account,
                max_by(ChargeDescription, (day, abs(cost))) AS description, min(day) AS first_day,
                max(day) AS last_day, list_sort(list(DISTINCT day), 'DESC') AS days
            FROM {rows} GROUP BY resource""")
        days = workspace.keep_query(f"""
            SELECT resource, day,
                sum(quantity * {_kb()}) FILTER (regexp_matches(unit, '{TRANSFER_UNITS}')) AS transfer,
                sum(quantity) FILTER (regexp_matches(unit, '{REQUEST_UNITS}')) AS requests,
                bool_or(is_unused) AS is_unused
            FROM {rows} GROUP BY resource, day""")
        return _rows(f"""
            SELECT * REPLACE (coalesce(days[1] - days[2], 0) AS days) FROM {facts} ORDER BY resource"""), _rows(f"""
            WITH telling AS (
                SELECT DISTINCT kind, source, service FROM {facts} JOIN {days} USING (resource)
                WHERE transfer IS NOT NULL OR requests IS NOT NULL OR is_unused)
            SELECT d.* FROM {days} d JOIN {facts} USING (resource) SEMI JOIN telling USING (kind, source, service)
            ORDER BY resource, day""")


def _bill(pinned: Publication, since: date, end: date, workspace: Workspace) -> str:
    """The charges of these days that have a cost, with what is asked of them and no NULL in a text."""
    files = lake.files(CHARGES, at=pinned.versions.get(CHARGES.name))
    chosen = [file for file in files if file.partition["x_BillingMonth"] >= f"{since:%Y-%m}"]
    bill = lake.scan(CHARGES, only=chosen)
    bill = bill.filter(bill.x_ChargeDay >= since, bill.x_ChargeDay < end)
    texts = (*_FACTS, "ResourceName", "ChargeDescription", "Tags", "ConsumedUnit", "PricingUnit", *_COMMITMENT)
    told = bill.select(
        day=bill.x_ChargeDay,
        source=bill.x_SourceName,
        currency=bill.BillingCurrency,
        sub_account=bill.SubAccountId.fill_null(""),
        resource=billed_resource(bill.ResourceId.fill_null("")),
        cost=bill.EffectiveCost.fill_null(0),
        ConsumedQuantity=bill.ConsumedQuantity,
        PricingQuantity=bill.PricingQuantity,
        **{name: bill[name].fill_null("") for name in texts},
    )
    with registered(told) as backend:
        return workspace.keep_query(query_of(backend, told))


_COMMITMENT = (
    "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountType", "CommitmentDiscountStatus",
)  # fmt: skip


def _kind() -> str:
    """SIGNS as one expression."""
    cases = []
    for sign in SIGNS:
        fits = " AND ".join(f"regexp_matches(lower({column}), '{pattern}')" for column, pattern in sign.columns)
        cases.append(f"WHEN {fits} THEN '{sign.kind}'")
    return f"CASE {' '.join(cases)} ELSE '' END"


def _unit(table: str) -> str:
    return f"lower(coalesce(nullif({table}.ConsumedUnit, ''), {table}.PricingUnit))"


def _quantity(table: str) -> str:
    return (
        f"CASE WHEN {table}.ConsumedUnit <> '' THEN {table}.ConsumedQuantity ELSE {table}.PricingQuantity END::DOUBLE"
    )


def _kb() -> str:
    """KB of a unit of transfer, by its first letter; bytes themselves by none."""
    cases = " ".join(f"WHEN '{letter}' THEN {kb}" for letter, kb in _KB.items())
    return f"CASE left(unit, 1) {cases} ELSE 1.0 / 1024 END"


def unused_commitments(pinned: Publication, since: date, end: date) -> list[UnusedCommitment]:
    """Commitments of which something was paid for and not used in these days."""
    with Workspace() as workspace:
        bill = _bill(pinned, since, end, workspace)
        rows = _rows(f"""
            SELECT CommitmentDiscountId, currency, day,
                max(CommitmentDiscountName), max(CommitmentDiscountType),
                coalesce(max(resource) FILTER (lower(CommitmentDiscountStatus) = 'unused'), ''),
                coalesce(sum(cost) FILTER (lower(CommitmentDiscountStatus) = 'unused'), 0)::{MONEY},
                coalesce(sum(cost) FILTER (lower(CommitmentDiscountStatus) <> 'unused'), 0)::{MONEY}
            FROM {bill} WHERE CommitmentDiscountId <> '' GROUP BY ALL ORDER BY 1, 2, 3""")
    found: dict[tuple[str, str], UnusedCommitment] = {}
    for commitment, currency, day, name, kind, resource, unused, used in rows:
        key = commitment, currency
        here = found.get(key) or UnusedCommitment(commitment, name, kind, currency, resource, {}, {})
        if resource and not here.resource:
            here = UnusedCommitment(commitment, name, kind, currency, resource, here.unused, here.used)
        here.unused[day], here.used[day] = unused, used
        found[key] = here
    return [one for one in found.values() if any(one.unused.values())]


def _rows(query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connect().con.execute(query).fetchall()
    return found
