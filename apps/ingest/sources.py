"""Sources as they are registered: described, checked as a whole, changed, and what follows from their options."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from apps.finops.errors import CostOpsError
from apps.ingest import kinds, places
from apps.ingest.models import LandedFile, Source
from apps.ingest.options import FileOptions, InvalidOption
from apps.ingest.places.base import Place
from apps.ingest.places.stores import HELP as PLACE_HELP
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.providers.base import Api, Provider
from apps.warehouse import sealed, shared
from apps.warehouse.sealed import Secrets

MOST_DOCUMENT_BYTES = 1 << 20


class InvalidSource(CostOpsError):
    """A source that cannot be added as described."""


def add_source(
    *,
    name: str,
    kind: str,
    location: str,
    cluster: str,
    options: Mapping[str, str],
    now: datetime,
    secrets: Mapping[str, str] | None = None,
) -> Source:
    """Register a source; every mistake is named before anything is stored."""
    is_address = places.is_remote(location) or kind in kinds.PROMETHEUS or api_of(kind) is not None
    place = location if is_address else _local(location)
    source = Source(name=name, kind=kind, location=place, cluster=cluster, created_at=now)
    source.options = _with_documents(kind, options)
    source.secrets = sealed.seal(secrets or {})
    check_options(source)
    _validate(source)
    source.save(force_insert=True)
    return source


def uploads_folder(name: str) -> Path:
    """Where files of a source lie that people bring by the upload page."""
    return Path(settings.COSTOPS_HOME) / "uploads" / name


def is_uploadable(source: Source) -> bool:
    return not source.is_prometheus and source.location == str(uploads_folder(source.name).resolve())


def add_upload_source(*, name: str, kind: str, cluster: str, options: Mapping[str, str], now: datetime) -> Source:
    """Register a source whose files people bring by the upload page; its folder is made here."""
    if kind in kinds.PROMETHEUS:
        raise InvalidSource("Prometheus is pulled; there is nothing to upload.")
    with transaction.atomic():
        source = add_source(
            name=name, kind=kind, location=str(uploads_folder(name)), cluster=cluster, options=options, now=now
        )
        uploads_folder(name).mkdir(parents=True, exist_ok=True)
    return source


def set_options(source: Source, options: Mapping[str, str]) -> None:
    """Change options. Refused files are read again by what is said now; those that count stay as they were read."""
    source.options = {**source.options, **_with_documents(source.kind, options)}
    check_options(source)
    with transaction.atomic():
        source.save(update_fields=["options"])
        newest: dict[str, LandedFile] = {file.path: file for file in source.files.order_by("revision")}
        refused = [file.pk for file in newest.values() if file.state == LandedFile.State.REFUSED]
        LandedFile.objects.filter(pk__in=refused).update(state=LandedFile.State.LANDED)


def set_secrets(source: Source, secrets: Mapping[str, str]) -> None:
    """Put credentials in the place of the earlier ones, whole: half of an old pair is of no use to a new one."""
    source.secrets = sealed.seal(secrets)
    check_options(source)
    source.save(update_fields=["secrets"])


def seal_all_again() -> int:
    """Encrypt all credentials with the newest key; how many sources have some."""
    with transaction.atomic():
        found = list(Source.objects.select_for_update().exclude(secrets=""))
        for source in found:
            source.secrets = sealed.seal_again(source.secrets)
            source.save(update_fields=["secrets"])
    return len(found)


def check_options(source: Source) -> None:
    """Raise what is wrong with the location, the options or the names of the secrets of a source."""
    secrets = sealed.unseal(source.secrets)
    if source.is_prometheus:
        prometheus_config(source)
        if secrets:
            raise InvalidOption(
                "Prometheus takes its credentials by token_file, token_env, password_file; see the docs."
            )
        return
    file_options(source)
    if api := api_of(source.kind):
        api.check(source.options)
    else:
        places.check(source.location, source.options, secrets)
    if source.is_billing:
        provider_of(source)


def api_of(kind: str) -> Api | None:
    """The API a kind of source asks, where it is no place of files."""
    provider = kinds.BILLS.get(kind)
    return provider.api if provider else None


def fetched_folder(name: str) -> Path:
    """Where the answers of a source's API lie, as files."""
    folder = Path(settings.COSTOPS_HOME) / "fetched" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def file_options(source: Source) -> FileOptions:
    """How the files of a source are taken; what only its API is asked by is none of it."""
    api = api_of(source.kind)
    own = api.options if api else ()
    options = {key: value for key, value in source.options.items() if key not in own}
    documents = {key: text for one in kinds.BILLS.values() for key, text in one.documents.items()}
    return FileOptions.from_options(options, PLACE_HELP | documents)


def provider_of(source: Source) -> Provider:
    """The provider that reads a source's bills."""
    return kinds.provider(source.kind, source.options)


def place_of(source: Source) -> Place:
    """Where a source's files lie, with the credentials to reach them."""
    if is_uploadable(source):
        shared.bring_folder(uploads_folder(source.name))
    if api_of(source.kind):
        return places.place_at(str(fetched_folder(source.name)), {}, sealed.unseal(""))
    return places.place_at(source.location, source.options, sealed.unseal(source.secrets))


def secrets_of(source: Source) -> Secrets:
    return sealed.unseal(source.secrets)


def prometheus_config(source: Source) -> PrometheusConfig:
    """How to reach a source's API. `since`, the first day to pull, is the pipeline's business."""
    options = {key: str(value) for key, value in source.options.items()}
    if since := options.pop("since", None):
        try:
            date.fromisoformat(since)
        except ValueError as error:
            raise InvalidOption(f"since={since}: say a day, like 2026-10-01.") from error
    return PrometheusConfig.from_options(source.location, source.cluster, options)


def _local(location: str) -> str:
    return str(Path(location).expanduser().resolve())


def _with_documents(kind: str, options: Mapping[str, str]) -> dict[str, str]:
    """The options, with the content of a file where one names a file: a later edit there changes nothing here."""
    documents = kinds.BILLS[kind].documents if kind in kinds.BILLS else {}
    return {key: _content(key, value) if key in documents else value for key, value in options.items()}


def _content(key: str, name: str) -> str:
    path = Path(name).expanduser()
    try:
        if path.stat().st_size > MOST_DOCUMENT_BYTES:
            raise InvalidOption(f"{key}: {path} is larger than {MOST_DOCUMENT_BYTES} bytes.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidOption(f"{key}: {path} cannot be read ({reason}).") from error


def _validate(source: Source) -> None:
    try:
        source.full_clean()
    except ValidationError as error:
        said = "; ".join(f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
        raise InvalidSource(f"{said} A name is lower-case letters, digits and hyphens, and free.") from error
