"""The price table of what can be bought, as the page shows it, and the rows that finance adds to it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.planning.models import Offer
from apps.planning.offers import csv_file, table
from apps.teams.approval import Actor

KINDS = {
    Offer.Kind.RESERVED: _("reserved instance or subscription"),
    Offer.Kind.SAVINGS_PLAN: _("savings plan"),
    Offer.Kind.SPOT: _("spot"),
    Offer.Kind.SERVERLESS: _("serverless"),
    Offer.Kind.GENERATION: _("another instance generation"),
    Offer.Kind.MEMORY: _("memory tier"),
}
FIELDS = (
    ("name", _("Name"), ""),
    ("region", _("Region, or a pattern such as cn-*"), "*"),
    ("family", _("Family or service, or a pattern"), "*"),
    ("term_months", _("Term, months"), ""),
    ("ratio", _("Price as a part of the list price"), ""),
    ("price", _("Or a price"), ""),
    ("unit", _("Unit"), ""),
    ("currency", _("Currency"), ""),
    ("work_ratio", _("Work of a core, against today's"), ""),
    ("interruption_rate", _("Interrupted, part of instance-hours"), ""),
    ("lost_hours", _("Hours lost by an interruption"), ""),
    ("availability", _("To be had, part of what is asked for"), ""),
    ("mib_per_second", _("MiB a second for each GiB"), ""),
    ("latency_microseconds", _("Latency, microseconds"), ""),
    ("capacity_gib", _("GiB to be had"), ""),
)  # fmt: skip


@dataclass(frozen=True)
class OfferRow:
    """An offer that is on sale; numbers as text with all their digits."""

    offer: Offer
    kind: str
    facts: str
    is_sample: bool


@dataclass(frozen=True)
class Entry:
    """A field of the form that adds a row, with what somebody wrote."""

    name: str
    title: str
    value: str


@dataclass(frozen=True)
class Offering:
    """What the page shows: what is on sale today, and the form."""

    rows: tuple[OfferRow, ...]
    kinds: tuple[tuple[str, str], ...]
    kind: str
    entries: tuple[Entry, ...]
    valid_from: str
    may_add: bool


def offering(today: date, actor: Actor, given: Mapping[str, str]) -> Offering:
    """The price table of a day, and the form as it was filled in."""
    return Offering(
        rows=tuple(
            OfferRow(offer, str(KINDS[Offer.Kind(offer.kind)]), _facts(offer), offer.pk is None)
            for offer in table.on_sale(today)
        ),
        kinds=tuple((kind.value, str(title)) for kind, title in KINDS.items()),
        kind=given.get("kind", Offer.Kind.RESERVED),
        entries=tuple(Entry(name, str(title), given.get(name, value)) for name, title, value in FIELDS),
        valid_from=given.get("valid_from", f"{today:%Y-%m-%d}"),
        may_add=actor.teams is None,
    )


def _facts(offer: Offer) -> str:
    """Whatever else a row tells."""
    titles = {name: title for name, title, _value in FIELDS}
    names = ("work_ratio", "interruption_rate", "lost_hours", "availability", "mib_per_second",
             "latency_microseconds", "capacity_gib")  # fmt: skip
    told = csv_file.cells(offer)
    return str(_("; ")).join(f"{titles[name]}: {told[name]}" for name in names if told[name])


def add_row(given: Mapping[str, str], actor: Actor, now: datetime) -> int:
    """Add the row somebody wrote into the form, checked as a file is."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(csv_file.COLUMNS)
    writer.writerow([given.get(name, "") for name in csv_file.COLUMNS])
    return table.add(out.getvalue().encode(), name=str(_("the form")), by=actor, now=now)


def add_file(brought: Any, what: str, actor: Actor, now: datetime) -> int:
    """Add the rows of a file: of the price table, or what databases need."""
    content = brought.read(csv_file.MOST_BYTES + 1)
    adding = table.add_needs if what == "needs" else table.add
    return adding(content, name=str(brought.name)[:120], by=actor, now=now)
