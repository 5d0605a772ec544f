"""The restatement ledger: what new issues of bills changed, narrowed by source, billing month and service."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from urllib.parse import urlencode

from apps.ingest.changes import Change, Wanted, changes
from apps.ingest.models import Restatement

MOST = 500
"""Rows of one page; the API and the command have all of them."""
FILTERS = ("source", "billing_month", "service")


@dataclass(frozen=True)
class Ledger:
    """What the page shows; `choices` are what can be chosen of each filter, `more` says that there are more rows."""

    chosen: dict[str, str]
    choices: dict[str, list[str]]
    rows: tuple[Change, ...]
    more: bool

    @property
    def csv(self) -> str:
        """The same rows, all of them, for programs."""
        return urlencode({**self.chosen, "format": "csv"})


def ledger(asked: Mapping[str, str]) -> Ledger:
    """The changes an address asks for, those of the newest issues first."""
    chosen = {name: asked[name] for name in FILTERS if asked.get(name)}
    found = list(islice(changes(Wanted(**chosen)), MOST + 1))  # type: ignore[arg-type]  # all of them are texts
    kept = Restatement.objects
    services = {change.service for change in islice(changes(Wanted(source=chosen.get("source"))), 20 * MOST)}
    choices = {
        "source": sorted(set(kept.values_list("source__name", flat=True))),
        "billing_month": sorted(set(kept.values_list("billing_month", flat=True)), reverse=True),
        "service": sorted(services | {chosen["service"]} if "service" in chosen else services),
    }
    return Ledger(chosen, choices, tuple(found[:MOST]), len(found) > MOST)
