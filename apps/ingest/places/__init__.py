"""Where files lie: a folder on this machine, or a bucket of an object store."""

from collections.abc import Mapping

from apps.ingest.places import stores
from apps.ingest.places.base import Listing, Place
from apps.ingest.places.folder import Folder
from apps.warehouse.sealed import Secrets

__all__ = ["Listing", "Place", "check", "is_remote", "place_at"]


def is_remote(location: str) -> bool:
    return "://" in location


def place_at(location: str, options: Mapping[str, str], secrets: Secrets) -> Place:
    """The place that a location names. Nothing is reached before it is asked."""
    if not is_remote(location):
        return Folder(location)
    return stores.bucket(location, options, secrets)


def check(location: str, options: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    """Raise what is wrong with a location, with what its options say of a store, or with the names of its secrets."""
    stores.check(location if is_remote(location) else "", options, secrets)
