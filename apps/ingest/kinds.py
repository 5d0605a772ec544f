"""The kinds of sources there are. A new provider of bills is a package and one line here."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from apps.ingest.providers import alibaba, aws, azure, focus, gcp, generic, huawei, tencent
from apps.ingest.providers.base import Provider
from apps.ingest.usage_formats import koku, opencost
from apps.ingest.usage_formats.base import OWN, UsageFormat

PROVIDERS = (
    focus.PROVIDER,
    alibaba.PROVIDER,
    alibaba.API_PROVIDER,
    aws.PROVIDER,
    azure.PROVIDER,
    gcp.PROVIDER,
    huawei.PROVIDER,
    tencent.PROVIDER,
    generic.PROVIDER,
)
BILLS: dict[str, Provider] = {provider.kind: provider for provider in PROVIDERS}
USAGE: dict[str, UsageFormat] = {one.kind: one for one in (OWN, koku.FORMAT, opencost.FORMAT)}
READY_TO_UPLOAD = tuple(kind for kind in (*BILLS, *USAGE) if kind not in ("csv", "alibaba_api"))
"""Whose files can be brought by hand without being told more: `csv` needs its columns, the other is no file."""
PROMETHEUS = {"prometheus": "Prometheus"}


def provider(kind: str, options: Mapping[str, str]) -> Provider:
    """The provider of a source's bills, made as its options say."""
    found = BILLS[kind]
    return found.configure(options) if found.configure else found


def titles() -> dict[str, str]:
    """Every kind of source → how people read it."""
    files = {kind: one.title for kind, one in (BILLS | USAGE).items()}
    return files | PROMETHEUS


def choices() -> list[tuple[str, Promise]]:
    return [(kind, gettext_lazy(title)) for kind, title in titles().items()]
