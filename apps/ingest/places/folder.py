"""A file or folder on this machine, or mounted on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps.ingest import landing
from apps.ingest.landing import Found, Landed
from apps.ingest.places.base import Listing, Place


@dataclass(frozen=True)
class Folder(Place):
    """A local path."""

    location: str

    def find(self) -> Listing:
        return Listing(landing.find(self.location))

    def read_small(self, found: Found) -> bytes:
        return landing.read_small(found)

    def copy(self, found: Found) -> Landed | None:
        return landing.copy(found)

    @contextmanager
    def at_hand(self, found: Found) -> Iterator[Path]:
        yield found.full
