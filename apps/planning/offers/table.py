"""The price table: what is on sale on a day, and adding rows to it."""

import functools
import hashlib
from datetime import date, datetime
from fnmatch import fnmatchcase
from pathlib import Path

from django.db import transaction

from apps.planning.models import MemoryNeed, Offer
from apps.planning.offers import csv_file
from apps.teams.approval import Actor, NotYours

SAMPLE = Path(__file__).parent / "sample.csv"


@functools.cache
def sample() -> tuple[Offer, ...]:
    """Values that show how the table works: no cloud sells at exactly these prices."""
    return tuple(csv_file.read(SAMPLE.read_bytes(), name=SAMPLE.name))


def rows() -> list[Offer]:
    """All rows in the order of their validity, ours first; of one day the one that was added last."""
    return sorted([*sample(), *Offer.objects.order_by("pk")], key=lambda offer: offer.valid_from)


def on_sale(day: date) -> list[Offer]:
    """The newest row of each offer that is valid on a day and not taken away."""
    held = {offer.key: offer for offer in rows() if offer.valid_from <= day}
    return [offer for _, offer in sorted(held.items()) if offer.is_on_sale]


def fits(offer: Offer, region: str, family: str) -> bool:
    """Whether an offer is one for this region and family (or SKU)."""
    return fnmatchcase(region, offer.region) and fnmatchcase(family, offer.family)


def needs() -> dict[str, MemoryNeed]:
    """What each in-memory database needs, as told last."""
    return {need.resource: need for need in MemoryNeed.objects.order_by("pk")}


def version() -> str:
    """What plans depend on: the sample, and the last row that was added to each table."""
    last = [model.objects.order_by("-pk").values_list("pk", flat=True).first() for model in (Offer, MemoryNeed)]
    return f"{hashlib.sha256(SAMPLE.read_bytes()).hexdigest()[:12]} {last}"


@transaction.atomic
def add(content: bytes, *, name: str, by: Actor, now: datetime) -> int:
    """Add the offers of a file to the price table, but for what it says already: all or none; no row is changed.
    Finance adds."""
    _finance(by)
    said = {(*one.key, one.valid_from): csv_file.cells(one) for one in rows()}
    found = []
    for offer in csv_file.read(content, name=name):
        place, cells = (*offer.key, offer.valid_from), csv_file.cells(offer)
        if said.get(place) != cells:
            said[place], offer.by, offer.at = cells, by.name, now
            found.append(offer)
    return len(Offer.objects.bulk_create(found))


@transaction.atomic
def add_needs(content: bytes, *, name: str, by: Actor, now: datetime) -> int:
    """Add what in-memory databases need, but for what was told of them last: all or none. Finance adds."""
    _finance(by)
    held = needs()
    found = [one for one in csv_file.read_needs(content, name=name) if _needed(one) != _needed(held.get(one.resource))]
    for need in found:
        need.by, need.at = by.name, now
    return len(MemoryNeed.objects.bulk_create(found))


def _needed(one: MemoryNeed | None) -> tuple[str, ...]:
    numbers = (f"{name}_text" for name in ("gib", "mib_per_second", "latency_microseconds"))
    return tuple(getattr(one, name) for name in ("resource", "name", "tier", *numbers)) if one else ()


def _finance(by: Actor) -> None:
    if by.teams is not None:
        raise NotYours("Finance keeps the price table; nothing was changed.")
