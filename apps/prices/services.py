"""Keeping prices: importing a list, learning from charges."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from apps.finops.errors import CostOpsError
from apps.prices import csv_file, learning
from apps.prices.models import Price

_BATCH = 2_000
_KEY = ["provider", "region", "sku_id", "unit", "currency", "valid_from", "origin"]
_FACTS = ["service", "list_unit_price_text", "contracted_unit_price_text", "charges", "quantity_text"]


class NothingLearned(CostOpsError):
    """There are no charges to learn from."""


@dataclass(frozen=True)
class Kept:
    """How many prices were written."""

    prices: int


def import_list(path: Path) -> Kept:
    """Import a price list, all of it or nothing. A price of the same key is replaced."""
    return Kept(_keep(csv_file.read(path)))


def import_content(content: bytes, name: str) -> Kept:
    """The same of content that somebody brought under a name."""
    return Kept(_keep(csv_file.read_content(content, name)))


def learn(month: str | None = None) -> Kept:
    """Learn prices from charges. What was learned before of the same months is forgotten; price lists stay."""
    found = list(learning.learned(month))
    if not found:
        asked = f" of {month}" if month else ""
        raise NothingLearned(f"There is no usage{asked} with SkuId, PricingUnit and PricingQuantity to learn from.")
    days = {price.valid_from for price in found}
    with transaction.atomic():
        Price.objects.filter(origin=Price.Origin.LEARNED, valid_from__in=days).delete()
        return Kept(_keep(found))


def _keep(prices: Iterable[Price]) -> int:
    kept = Price.objects.bulk_create(
        prices, batch_size=_BATCH, update_conflicts=True, unique_fields=_KEY, update_fields=_FACTS
    )
    return len(kept)
