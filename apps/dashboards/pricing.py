"""Prices and commitments as pages show them, and price lists that people bring."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.charts import labels
from apps.finops.sheets import BadSheet
from apps.ingest.models import LandedFile
from apps.ingest.selectors import counting
from apps.prices import selectors, services
from apps.prices.models import Price

MOST = 200
"""Prices of one page; the command has all of them."""
MAX_TEXT = 2000
SOON_DAYS = 60
ORIGINS = {Price.Origin.LIST: _("price list"), Price.Origin.LEARNED: _("learned from charges")}


@dataclass(frozen=True)
class PriceRow:
    """A unit price; amounts as text with all their digits."""

    price: Price
    origin: str


@dataclass(frozen=True)
class CommitmentRow:
    """A commitment in its newest billing month; `is_ending` says that it ends soon or has ended."""

    commitment: selectors.Commitment
    is_ending: bool

    @property
    def utilisation(self) -> Decimal | None:
        """In hundredths."""
        share = self.commitment.utilisation
        return None if share is None else share * 100

    @property
    def is_wasted(self) -> bool:
        share = self.commitment.utilisation
        return share is not None and share < Decimal("0.8")


@dataclass(frozen=True)
class Pricing:
    """What the page shows; `count` are all prices that were found."""

    provider: str
    text: str
    providers: list[str]
    rows: tuple[PriceRow, ...]
    count: int
    month: str
    commitments: tuple[CommitmentRow, ...]


def pricing(asked: Mapping[str, str], now: datetime) -> Pricing:
    """The prices an address asks for, and the commitments of the newest billing month."""
    provider, text = asked.get("provider", ""), asked.get("text", "").replace("\0", "").strip()[:200]
    found = selectors.prices(provider=provider.replace("\0", "") or None)
    if text:
        found = found.filter(Q(sku_id__icontains=text) | Q(service__icontains=text) | Q(region__icontains=text))
    month = _newest_month()
    return Pricing(
        provider=provider,
        text=text,
        providers=list(Price.objects.order_by("provider").values_list("provider", flat=True).distinct()),
        rows=tuple(PriceRow(price, str(ORIGINS[Price.Origin(price.origin)])) for price in found[:MOST]),
        count=found.count(),
        month=month,
        commitments=tuple(
            CommitmentRow(one, one.expiry is not None and (one.expiry - now).days < SOON_DAYS)
            for one in (selectors.commitments(month=month) if month else ())
        ),
    )


def _newest_month() -> str:
    """The newest billing month with charges that count; empty when there are none."""
    bills = LandedFile.objects.filter(state=LandedFile.State.CURRENT).values_list("contents", flat=True)
    months = (entry["window"] for contents in bills for entry in counting(contents))
    return max((month for month in months if month[:2] == "20"), default="")


def take_list(brought: Any) -> int:
    """Import a price list that somebody brought, all of it or BadSheet; how many prices."""
    path = Path(brought.temporary_file_path())
    try:
        return services.import_list(path).prices
    except BadSheet as bad:
        raise BadSheet(labels.plain(str(bad).replace(str(path), brought.name), limit=MAX_TEXT)) from bad
