"""The books one question reads: a publication's tables, for a window, a currency and the teams a viewer may see."""

from dataclasses import dataclass

import ibis.expr.types as ir

from apps.finops.tables import ALLOCATED, LakeTable
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.query import Scope
from apps.marts.scoping import visible
from apps.marts.usage_days import usage_by_day
from apps.teams.ownership import PriceRatio
from apps.teams.selectors import price_ratio_of
from apps.warehouse import lake
from apps.warehouse.engine import empty, rows_of


@dataclass(frozen=True)
class Books:
    """One publication as one viewer reads it: a window, a currency, a cost basis, and the teams they may see."""

    pinned: Publication
    window: Window
    scope: Scope
    metric: str
    currency: str = ""

    def table(self, table: LakeTable) -> ir.Table:
        """The days of the window of a table partitioned by day, as the publication pinned them."""
        version = self.pinned.versions.get(table.name)
        if version is None:
            return empty(table.schema)
        return lake.between(table, "day", self.window.start, self.window.end, at=version)

    def by_day(self, table: LakeTable) -> ir.Table:
        """The days of the window of a table of usage by the day."""
        return usage_by_day(table, self.pinned.versions, self.window.start, self.window.end)

    def visible(self, rows: ir.Table) -> ir.Table:
        """The rows of the teams the viewer may see."""
        return visible(rows, self.scope)

    def allocated(self) -> ir.Table:
        """The allocated rows of this currency, of every team."""
        rows = self.table(ALLOCATED)
        return rows.filter(rows.currency == self.currency)

    def currencies(self) -> list[str]:
        """The currencies in which the viewer's teams have cost in the window."""
        rows = self.visible(self.table(ALLOCATED))
        return [currency for (currency,) in rows_of(rows.select("currency").distinct().order_by("currency"))]

    def price_ratio(self) -> PriceRatio:
        """The price ratio by which the publication's nodes were divided."""
        return price_ratio_of(self.pinned.ruleset)
