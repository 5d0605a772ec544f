"""The kinds of sources there are. A new provider of bills is a package and one line here."""

from collections.abc import Mapping

from apps.ingest.providers import focus, generic
from apps.ingest.providers.base import Provider

BILLS: dict[str, Provider] = {provider.kind: provider for provider in (focus.PROVIDER, generic.PROVIDER)}
USAGE = {"usage_files": "Usage files"}
"""Files of usage; the kind → its title."""
PROMETHEUS = {"prometheus": "Prometheus"}


def provider(kind: str, options: Mapping[str, str]) -> Provider:
    """The provider of a source's bills, made as its options say."""
    found = BILLS[kind]
    return found.configure(options) if found.configure else found


def titles() -> dict[str, str]:
    """Every kind of source → how people read it."""
    return {kind: provider.title for kind, provider in BILLS.items()} | USAGE | PROMETHEUS


def choices() -> list[tuple[str, str]]:
    return list(titles().items())
