"""The kinds of sources there are. A new provider of bills is a package and one line here."""

from apps.ingest.providers import alibaba, aws, azure, focus, gcp, huawei, tencent
from apps.ingest.providers.base import Provider

PROVIDERS = (
    focus.PROVIDER,
    alibaba.PROVIDER,
    alibaba.API_PROVIDER,
    aws.PROVIDER,
    azure.PROVIDER,
    gcp.PROVIDER,
    huawei.PROVIDER,
    tencent.PROVIDER,
)
BILLS: dict[str, Provider] = {provider.kind: provider for provider in PROVIDERS}
USAGE = {"usage_files": "Usage files"}
"""Files of usage; the kind → its title."""
PROMETHEUS = {"prometheus": "Prometheus"}


def titles() -> dict[str, str]:
    """Every kind of source → how people read it."""
    return {kind: provider.title for kind, provider in BILLS.items()} | USAGE | PROMETHEUS


def choices() -> list[tuple[str, str]]:
    return list(titles().items())
