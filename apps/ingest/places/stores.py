"""The object stores there are: which library reaches each, and what its options and secrets are called there."""

import importlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from apps.ingest.options import InvalidOption
from apps.ingest.places.bucket import Bucket
from apps.warehouse.sealed import Secrets

HELP = {
    "endpoint_url": "s3://: the address of a store that is not Amazon's own (OSS, MinIO, Ceph); gs://: a private one",
    "region": "s3://: the region of the bucket",
    "addressing": "s3://: virtual (bucket.host, as OSS wants), path (host/bucket, as MinIO wants) or auto",
    "anonymous": "yes: a public bucket, asked without credentials",
    "account": "az://: the storage account",
    "project": "gs://: the project that is asked on behalf of",
    "request_mib": "how much of an object is fetched by one request, in MiB (default 8)",
}
ADDRESSING = ("auto", "path", "virtual")
CONNECT_SECONDS, READ_SECONDS = 10, 60


@dataclass(frozen=True)
class Store:
    """A kind of object store: the `library` that reaches it, what makes its file system, and what it may be told."""

    library: str
    module: str
    factory: str
    options: frozenset[str]
    secrets: frozenset[str]


_S3 = Store(
    "s3fs", "s3fs", "S3FileSystem",
    frozenset({"endpoint_url", "region", "addressing", "anonymous", "request_mib"}),
    frozenset({"key", "secret", "token"}),
)  # fmt: skip
_AZURE = Store(
    "adlfs", "apps.ingest.places.azure", "AzureStore",
    frozenset({"account", "anonymous", "request_mib"}),
    frozenset({"account_key", "sas_token", "connection_string", "tenant_id", "client_id", "client_secret"}),
)  # fmt: skip
_GOOGLE = Store(
    "gcsfs", "apps.ingest.places.google", "GoogleStore",
    frozenset({"endpoint_url", "project", "anonymous", "request_mib"}),
    frozenset({"token"}),
)  # fmt: skip
STORES = {"s3": _S3, "az": _AZURE, "abfs": _AZURE, "gs": _GOOGLE}


def check(location: str, options: Mapping[str, str], secrets: Mapping[str, str]) -> None:
    """Raise what cannot be meant. A location that is empty is a local one: then nothing of this may be said."""
    said = set(options) & set(HELP)
    if not location:
        if said or secrets:
            word = sorted(said or set(secrets))[0]
            raise InvalidOption(f"{word} belongs to an object store, and the location is a local path.")
        return
    store = _store(location)
    scheme = urlsplit(location).scheme
    if unknown := sorted(said - store.options):
        raise InvalidOption(f"The option {unknown[0]!r} does not belong to {scheme}://.")
    if unknown := sorted(set(secrets) - store.secrets):
        raise InvalidOption(f"{scheme}:// has no secret {unknown[0]!r}; there are {', '.join(sorted(store.secrets))}.")
    _check_values(options)


def _check_values(options: Mapping[str, str]) -> None:
    if endpoint := options.get("endpoint_url"):
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query:
            raise InvalidOption(
                "endpoint_url: write http:// or https:// and a host; credentials are given by --secret."
            )
    if options.get("addressing", "auto") not in ADDRESSING:
        raise InvalidOption(f"addressing={options['addressing']}: say one of {', '.join(ADDRESSING)}.")
    if options.get("anonymous", "no") not in ("yes", "no"):
        raise InvalidOption(f"anonymous={options['anonymous']}: say yes or no.")
    mib = options.get("request_mib", "8")
    if not (mib.isascii() and mib.isdigit() and 1 <= int(mib) <= 256):
        raise InvalidOption(f"request_mib={mib}: say a whole number from 1 to 256.")


def _store(location: str) -> Store:
    parts = urlsplit(location)
    if parts.scheme not in STORES:
        known = ", ".join(f"{scheme}://" for scheme in STORES)
        raise InvalidOption(f"{parts.scheme}:// is not a place that is read; there are {known} and local paths.")
    if "@" in parts.netloc or parts.query or parts.fragment or not parts.netloc:
        raise InvalidOption(f"A location is {parts.scheme}://bucket/prefix; credentials are given by --secret KEY=…")
    return STORES[parts.scheme]


def bucket(location: str, options: Mapping[str, str], secrets: Secrets) -> Bucket:
    """The bucket of a location; its library is loaded only now."""
    check(location, options, secrets)
    store = _store(location)
    try:
        importlib.import_module(store.library)
        factory: Any = getattr(importlib.import_module(store.module), store.factory)
    except ImportError as error:
        raise InvalidOption(
            f"{location} needs the library {store.library}, which is not installed: "
            "pip install -r requirements/places.txt"
        ) from error
    made = {"s3fs": _s3, "adlfs": _azure, "gcsfs": _google}[store.library](options, secrets)
    parts = urlsplit(location)
    return Bucket(
        open_store=lambda: factory(**made, use_listings_cache=False, skip_instance_cache=True),
        bucket=parts.netloc,
        prefix=parts.path.removeprefix("/"),
        location=location,
        secrets=secrets,
        block=int(options.get("request_mib", "8")) << 20,
    )


def _s3(options: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, Any]:
    """Retries are ours, with jitter; those of the libraries below would multiply."""
    from apps.ingest.places.straight import StraightSession  # needs the library

    client = {"region_name": options["region"]} if "region" in options else {}
    return {
        "anon": options.get("anonymous") == "yes",
        "key": secrets.get("key"),
        "secret": secrets.get("secret"),
        "token": secrets.get("token"),
        "endpoint_url": options.get("endpoint_url"),
        "client_kwargs": client,
        "config_kwargs": {
            "s3": {"addressing_style": options.get("addressing", "auto")},
            "retries": {"total_max_attempts": 1},
            "http_session_cls": StraightSession,
            "connect_timeout": CONNECT_SECONDS,
            "read_timeout": READ_SECONDS,
        },
    }


def _azure(options: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"account_name": options.get("account"), **secrets}
    return made | {"anon": options.get("anonymous") == "yes"}


def _google(options: Mapping[str, str], secrets: Mapping[str, str]) -> dict[str, Any]:
    token: Any = "anon" if options.get("anonymous") == "yes" else None
    if "token" in secrets:
        try:
            token = json.loads(secrets["token"])
        except ValueError as error:
            raise InvalidOption(
                "token: give the JSON of a service account, such as --secret token=@key.json."
            ) from error
    return {"project": options.get("project", ""), "token": token, "endpoint_url": options.get("endpoint_url")}
