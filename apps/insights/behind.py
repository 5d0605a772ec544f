"""What stands behind a number in the lake: its parts, their pools, and the charges of those pools.

It is asked in the engine's own language, for somebody waits: to build the expressions would take longer than they run.
"""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from apps.allocation.matching import billed_resource, told_by_bill
from apps.allocation.tagging import value
from apps.finops.focus import COST_METRICS
from apps.finops.tables import ALLOCATED, CHARGES, KEPT_TAGS, MONEY, PASSED_ON, LakeTable
from apps.finops.tags import NOT_RECORDED, key_of
from apps.marts.models import Publication
from apps.marts.placing import placed
from apps.marts.query import EVERYTHING, BadQuestion, CostQuery
from apps.marts.scoping import visible
from apps.marts.tagging import tag_value
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, connect, json_pointer, registered
from apps.warehouse.wording import query_of

BILL_KEY = (
    "day", "source", "billing_month", "currency", "provider", "account", "sub_account", "service", "region",
    "charge_category",
)  # fmt: skip
"""What an allocated row and its charges have in common, besides the resource."""
_KEY = (*BILL_KEY, "resource")
_PLATFORM = (*BILL_KEY, "cluster", "node_pool", "namespace")
"""What a received row and the rows that policies passed on for it have in common."""
_PART = (
    "day, pool, resource, service, charge_category, cluster, namespace, workload, team, kind, rule, ruleset, currency, "
    "amount"
)
_SUM = f"sum(amount)::{MONEY}"

Charge = tuple[Any, ...]
"""file_id, row, day, resource, service, description, currency, amount."""


def files_of(table: LakeTable, pinned: Publication) -> Iterable[lake.StoredFile]:
    """The files of a table as a publication pins it."""
    if table.name not in pinned.versions:
        raise BadQuestion(
            f"Publication {pinned.number} pins no table {table.name}: what its numbers are made of cannot be told. "
            "Ask a publication that `manage.py fill` made."
        )
    return lake.files(table, at=pinned.versions[table.name])


def days_of(table: LakeTable, query: CostQuery, pinned: Publication) -> str:
    """The files of the days asked about, with `amount`, the cost in the metric asked for."""
    low, high = str(query.start), str(query.end)
    chosen = [file for file in files_of(table, pinned) if low <= file.partition["day"] < high]
    tagged = _tags(query)
    if not chosen:
        columns = ", ".join(
            f"NULL::{'DATE' if name == 'day' else 'VARCHAR'} AS {name}" for name in (*_TEXTS, *tagged, *KEPT_TAGS)
        )
        amounts = f"NULL::{MONEY} AS amount, NULL::{MONEY} AS effective_cost"
        return f"(SELECT {columns}, NULL::BIGINT AS ruleset, {amounts} WHERE false)"
    told = "".join(f", {_told(tag)} AS {name}" for name, tag in tagged.items())
    return f"(SELECT *, {query.metric} AS amount{told} FROM ({lake.query_of(table, chosen)}))"


def _tags(query: CostQuery) -> dict[str, str]:
    """Column → the tag a question is narrowed by."""
    return {f"tag_{place}": tag for place, tag in enumerate(sorted(query.grouped().tags))}


def _told(tag: str) -> str:
    """The value of a tag, as `marts.tagging` tells it."""
    return f"coalesce(json_member(kept_tags, {_quoted(json_pointer(key_of(tag)))}), '{NOT_RECORDED}')"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def keep_mine(query: CostQuery, pinned: Publication, workspace: Workspace) -> str:
    """The parts that a number adds up from: what passes its filters and may be seen."""
    if query.grouped().levels:
        return _keep_placed(query, pinned, workspace)
    return workspace.keep_query(*mine_of(query, pinned))


def mine_of(query: CostQuery, pinned: Publication) -> tuple[str, list[list[str]]]:
    """The same of a number that no levels of the organisation narrow, as a query and its values."""
    tagged = _tags(query)
    columns_of = {tag: name for name, tag in tagged.items()}
    asked = [(columns_of.get(name, name), values) for name, values in query.filters]
    if query.scope.teams is not None:
        asked.append(("team", tuple(sorted(query.scope.teams))))
    left_out = [(columns_of.get(name, name), values) for name, values in query.excludes]
    tests = [f"list_contains(?, {name})" for name, _ in asked]
    tests += [f"NOT list_contains(?, {name})" for name, _ in left_out]
    where = " AND ".join(tests) or "true"
    columns, rows = ", ".join((*_TEXTS, *tagged)), days_of(ALLOCATED, query, pinned)
    told = f"SELECT {columns}, ruleset, amount, effective_cost FROM {rows} WHERE {where}"
    return told, [list(values) for _, values in (*asked, *left_out)]


def _is_whole(query: CostQuery) -> bool:
    """Whether a number is of all cost of its days: every part and pool of them is behind it, and none is looked for."""
    return not query.filters and not query.excludes and query.scope == EVERYTHING


def _keep_placed(query: CostQuery, pinned: Publication, workspace: Workspace) -> str:
    """The parts of a number that is narrowed by levels of the organisation."""
    rows = lake.between(ALLOCATED, "day", query.start, query.end, at=pinned.versions[ALLOCATED.name])
    tagged = {name: tag_value(rows, tag) for name, tag in _tags(query).items()}
    rows = placed(rows.mutate(amount=rows[query.metric], **tagged), query.grouped())
    rows = visible(rows, query.scope)
    told = rows.select(*_TEXTS, *tagged, "ruleset", "amount", "effective_cost")
    with registered(told) as backend:
        return workspace.keep_query(query_of(backend, told))


def as_recorded(bill: str, pools: str, tags: Iterable[str] = ()) -> str:
    """Charges whose provider and tags are told as pools tell them: on a day either every pool has one or none has."""
    told = ", ".join(
        f"CASE WHEN day IN (SELECT day FROM {pools} WHERE {name} = '{NOT_RECORDED}') THEN '{NOT_RECORDED}' "
        f"ELSE {name} END AS {name}"
        for name in ("provider", *tags)
    )
    return f"(SELECT * REPLACE ({told}) FROM ({bill}))"


class Behind:
    """One number's tables, kept in a workspace: `mine` are its parts, `pools` all their pools, `charges` those pools'
    bill rows."""

    def __init__(self, query: CostQuery, pinned: Publication, workspace: Workspace) -> None:
        self._query, self._pinned, self._workspace = query, pinned, workspace
        self._tags = _tags(query)
        self._key, self._platform = (", ".join((*names, *self._tags)) for names in (_KEY, _PLATFORM))
        self._allocated, self._passed_on = (days_of(table, query, pinned) for table in (ALLOCATED, PASSED_ON))
        self._mine = self._allocated if _is_whole(query) else keep_mine(query, pinned, workspace)
        self.totals, self.part_count = self._sums(self._mine)
        if not self.totals:
            return
        self._pools = self._keep_pools()
        self.pool_total, self.pool_count = self._sums(self._pools)
        self._charges = self._keep_charges()
        self.bill_total, self.bill_row_count = self._sums(self._charges)

    def _keep_pools(self) -> str:
        """One row per pool behind the number. Behind a received row stand the pools that what was passed on is of."""
        wanted = f"""SEMI JOIN (
            SELECT {self._key} FROM {self._mine} WHERE pool <> 'shared'
            UNION SELECT {self._key} FROM {self._passed_on} SEMI JOIN
                (FROM {self._mine} WHERE pool = 'shared') USING ({self._platform})) USING ({self._key})"""
        return self._workspace.keep_query(f"""
            WITH held AS (
                SELECT {self._key}, amount FROM {self._allocated} WHERE pool <> 'shared'
                UNION ALL SELECT {self._key}, amount FROM {self._passed_on})
            SELECT {self._key}, {_SUM} AS amount FROM held {"" if _is_whole(self._query) else wanted} GROUP BY ALL
        """)

    def _keep_charges(self) -> str:
        """The charges of the pools, with the file and row they came from."""
        bills = {tuple(row) for row in _rows(f"SELECT DISTINCT source, billing_month FROM {self._pools}")}
        partition = ("x_SourceName", "x_BillingMonth")
        files = files_of(CHARGES, self._pinned)
        chosen = [file for file in files if tuple(file.partition[name] for name in partition) in bills]
        bill = lake.scan(CHARGES, only=chosen)
        bill = bill.filter(bill.x_ChargeDay >= self._query.start, bill.x_ChargeDay < self._query.end)
        told = bill.select(
            day=bill.x_ChargeDay,
            **told_by_bill(bill),
            resource=billed_resource(bill.ResourceId.fill_null("")),
            file_id=bill.x_FileId,
            row=bill.x_Row,
            description=bill.ChargeDescription.fill_null(""),
            amount=bill[COST_METRICS[self._query.metric]].fill_null(0),
            **{name: value(bill.Tags.fill_null(""), key_of(tag)) for name, tag in self._tags.items()},
        )
        with registered(told) as backend:
            bill = as_recorded(query_of(backend, told), self._pools, self._tags)
            query = f"""
                SELECT file_id, "row", day, resource, service, description, currency, amount
                FROM {bill} SEMI JOIN {self._pools} USING ({self._key})"""
            return self._workspace.keep_query(query)

    def _sums(self, table: str) -> tuple[dict[str, Decimal], int]:
        """By currency what the rows add up to, and how many there are."""
        found = _rows(f"SELECT currency, {_SUM}, count(*) FROM {table} GROUP BY currency ORDER BY currency")
        return {currency: total for currency, total, _ in found}, sum(count for *_, count in found)

    def parts(self, limit: int) -> list[tuple[Any, ...]]:
        """The largest parts, each with what its pool held; for a received row that is all that was passed on."""
        return _rows(f"""
            WITH largest AS (FROM {self._mine} ORDER BY {_LARGEST_FIRST} LIMIT {limit:d}),
            pools AS (SELECT {self._key}, amount AS held FROM {self._pools}),
            shared AS (
                SELECT {self._platform}, {_SUM} AS passed_on FROM {self._allocated}
                WHERE pool = 'shared' AND (day, cluster, namespace) IN
                    (SELECT (day, cluster, namespace) FROM largest WHERE pool = 'shared') GROUP BY ALL)
            SELECT {_PART}, coalesce(CASE WHEN pool = 'shared' THEN passed_on ELSE held END, 0)::{MONEY}
            FROM largest LEFT JOIN pools USING ({self._key}) LEFT JOIN shared USING ({self._platform})
            ORDER BY {_LARGEST_FIRST}
        """)

    def bill_rows(self, limit: int) -> list[Charge]:
        """The largest charges."""
        return _rows(f'SELECT * FROM {self._charges} ORDER BY abs(amount) DESC, day, file_id, "row" LIMIT {limit:d}')


_TEXTS = (
    *BILL_KEY, "pool", "resource", "cluster", "node_pool", "namespace", "workload", "team", "kind", "rule",
)  # fmt: skip
"""The columns of a part that say what it is."""
_LARGEST_FIRST = "abs(amount) DESC, day, resource, namespace, workload, team, service, account, sub_account, rule"


def _rows(query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connect().con.execute(query).fetchall()
    return found


def day_files(table: LakeTable, pinned: Publication, days: Iterable[date]) -> list[lake.StoredFile]:
    """The files of some days."""
    wanted = {str(day) for day in days}
    return [file for file in files_of(table, pinned) if file.partition["day"] in wanted]
