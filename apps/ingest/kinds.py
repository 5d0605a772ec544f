"""The kinds of sources there are. A new provider of bills is a package and one line here."""

from apps.ingest.providers import alibaba, focus, huawei, tencent
from apps.ingest.providers.base import Provider

BILLS: dict[str, Provider] = {
    provider.kind: provider
    for provider in (focus.PROVIDER, alibaba.PROVIDER, alibaba.API_PROVIDER, tencent.PROVIDER, huawei.PROVIDER)
}
USAGE = {"usage_files": "Usage files"}
"""Files of usage; the kind → its title."""
PROMETHEUS = {"prometheus": "Prometheus"}


def titles() -> dict[str, str]:
    """Every kind of source → how people read it."""
    return {kind: provider.title for kind, provider in BILLS.items()} | USAGE | PROMETHEUS


def choices() -> list[tuple[str, str]]:
    return list(titles().items())
