"""A bucket that speaks S3: asked patiently, answered whole, or one clear error. Loaded only where the lake lies in one.

The library below is botocore, which comes with what object stores need (requirements/places.in).
"""

import base64
import hashlib
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.session import Session
from django.conf import settings
from urllib3.exceptions import HTTPError

from apps.warehouse.sealed import Secrets
from apps.warehouse.shared import CredentialsMissing, ObjectMissing, StoreRefused, StoreUnavailable

ATTEMPTS = 6
WAIT_SECONDS = 0.2
CONNECT_SECONDS, READ_SECONDS = 10, 60
LOOK_SECONDS = 3
LEAST_BYTES_PER_SECOND = 16 << 10
PATIENCE_SECONDS = 30.0
"""How long a read may be slower than the least before it is given up and begun where it stood."""
PIECE = 1 << 20
DELETED_AT_ONCE = 8
PART = 64 << 20
"""Larger files are sent in parts of this size: what a broken connection costs is one."""
_FINAL = (NoCredentialsError, PartialCredentialsError, ParamValidationError)
_PASSING = (BotoCoreError, HTTPError, OSError)
_PASSING_CODES = frozenset({"SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "BadDigest"})
_THERE = frozenset({"PreconditionFailed", "FileAlreadyExists"})
_Answer = TypeVar("_Answer")


class _Slow(ConnectionError):
    """Bytes came, but too few."""


@dataclass(frozen=True)
class Stored:
    """An object: its key below the prefix of the bucket."""

    key: str
    size: int
    modified: datetime


@dataclass(frozen=True)
class Bucket:
    """The objects below a prefix. Whatever is asked is asked again after faults that pass, with jitter."""

    url: str
    endpoint: str
    region: str
    addressing: str
    commit: str
    secrets: Secrets

    @property
    def _name(self) -> str:
        return urlsplit(self.url).netloc

    @property
    def _prefix(self) -> str:
        path = urlsplit(self.url).path.strip("/")
        return f"{path}/" if path else ""

    @cached_property
    def _client(self) -> Any:
        return self._client_of(CONNECT_SECONDS, READ_SECONDS)

    @cached_property
    def _impatient(self) -> Any:
        return self._client_of(LOOK_SECONDS, LOOK_SECONDS)

    def _client_of(self, connect_seconds: int, read_seconds: int) -> Any:
        """No checksums in trailers, which OSS and older stores do not know; Content-MD5 and sha256 are ours."""
        session = Session()
        session.full_config["profiles"].setdefault("default", {})
        client = session.create_client(
            "s3", region_name=self.region or None, endpoint_url=self.endpoint or None,
            aws_access_key_id=self.secrets.get("key"), aws_secret_access_key=self.secrets.get("secret"),
            config=Config(
                s3={"addressing_style": self.addressing}, retries={"total_max_attempts": 1}, max_pool_connections=16,
                connect_timeout=connect_seconds, read_timeout=read_seconds,
                request_checksum_calculation="when_required", response_checksum_validation="when_required",
            ),
        )  # fmt: skip
        if self.commit == "oss":
            client.meta.events.register("before-parameter-build.s3.PutObject", _only_new_on_oss)
            client.meta.events.register("before-call.s3.PutObject", _say_forbid)
        return client

    # --- Asking -----------------------------------------------------------------------------------------------------
    def look(self) -> None:
        """Whether the store answers now and lets us in: asked once, for a moment. Raises what any other asking does."""
        try:
            self._impatient.list_objects_v2(Bucket=self._name, Prefix=self._prefix, MaxKeys=1)
        except ClientError as error:
            self._raise_if_final(error, self._prefix)
            raise self._unavailable(self._prefix, error, tries=1) from None
        except _FINAL as error:
            raise self._refused(error) from None
        except _PASSING as error:
            raise self._unavailable(self._prefix, error, tries=1) from None

    def listed(self, below: str, *, after: str = "") -> Iterator[Stored]:
        """The objects whose key begins so, by key; those after one where one is named."""
        asked: dict[str, Any] = {"Bucket": self._name, "Prefix": f"{self._prefix}{below}"}
        if after:
            asked["StartAfter"] = f"{self._prefix}{after}"
        while True:
            page = self._patiently(partial(self._client.list_objects_v2, **asked), about=below)
            for one in page.get("Contents", ()):
                yield Stored(one["Key"].removeprefix(self._prefix), one["Size"], one["LastModified"])
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def facts(self, key: str) -> dict[str, Any]:
        """What is known of an object: `ContentLength`, `Metadata`."""
        told: dict[str, Any] = self._patiently(partial(self._client.head_object, **self._at(key)), about=key)
        return told

    def read(self, key: str) -> bytes:
        """A small object, whole."""
        return b"".join(self.pieces(key))

    def fetch(self, key: str, target: Path) -> str:
        """Write an object to a file that is not there yet; its sha256. Nothing is left of a fetch that fails."""
        digest = hashlib.sha256()
        try:
            with target.open("xb") as out:
                for piece in self.pieces(key):
                    digest.update(piece)
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return digest.hexdigest()

    def pieces(self, key: str) -> Iterator[bytes]:
        """The bytes of an object as they come; after a cut the reading goes on where it stood, in the same object."""
        at, tag, failed = 0, "", 0
        while True:
            extra = {"Range": f"bytes={at}-", "IfMatch": tag} if at else {}
            answer = self._patiently(partial(self._client.get_object, **self._at(key), **extra), about=key)
            tag, size = answer["ETag"], at + answer["ContentLength"]
            try:
                for piece in _arriving(answer["Body"]):
                    at += len(piece)
                    yield piece
                if at != size:
                    raise ConnectionError(f"{at} bytes came of {size}")
            except _PASSING as error:
                if at == size:
                    return
                failed += 1
                if failed == ATTEMPTS:
                    raise self._unavailable(key, error) from None
                _wait(failed)
            else:
                return
            finally:
                answer["Body"].close()

    # --- Changing ---------------------------------------------------------------------------------------------------
    def put(self, key: str, path: Path, *, metadata: dict[str, str] | None = None) -> None:
        """Put a file under a key; the store compares what arrived with its checksum."""
        size = path.stat().st_size
        if size > PART:
            self._put_parts(key, path, size, metadata or {})
            return
        self._put(key, path.read_bytes(), Metadata=metadata or {})

    def put_new(self, key: str, content: bytes) -> bool:
        """Put bytes under a key that is free; False, and nothing changed, where somebody was first.

        An answer may be lost after the store did what it was asked: then what lies there tells whose it is.
        """
        only_new = {"IfNoneMatch": "*"}
        try:
            self._put(key, content, **only_new)
        except _AlreadyThere:
            return self.read(key) == content
        return True

    def _put(self, key: str, content: bytes, **extra: Any) -> None:
        digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
        asked = partial(self._client.put_object, **self._at(key), Body=content, ContentMD5=digest, **extra)
        self._patiently(asked, about=key)

    def _put_parts(self, key: str, path: Path, size: int, metadata: dict[str, str]) -> None:
        begun = partial(self._client.create_multipart_upload, **self._at(key), Metadata=metadata)
        upload = {**self._at(key), "UploadId": self._patiently(begun, about=key)["UploadId"]}
        try:
            parts = []
            with path.open("rb") as stream:
                for number in range(1, -(-size // PART) + 1):
                    content = stream.read(PART)
                    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
                    sent = partial(
                        self._client.upload_part, **upload, PartNumber=number, Body=content, ContentMD5=digest
                    )
                    parts.append({"ETag": self._patiently(sent, about=key)["ETag"], "PartNumber": number})
            ended = partial(self._client.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts})
            self._patiently(ended, about=key)
        except BaseException:
            self._patiently(partial(self._client.abort_multipart_upload, **upload), about=key)
            raise

    def delete(self, keys: Iterable[str]) -> None:
        """Some at once: stores differ in how they are asked for a thousand in one request."""

        def one(key: str) -> None:
            self._patiently(partial(self._client.delete_object, **self._at(key)), about=key)

        with ThreadPoolExecutor(DELETED_AT_ONCE) as pool:
            list(pool.map(one, keys))  # the first that fails ends it; the others are not begun

    # --- Patience ---------------------------------------------------------------------------------------------------
    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._name, "Key": f"{self._prefix}{key}"}

    def _patiently(self, ask: Callable[[], _Answer], *, about: str) -> _Answer:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return ask()
            except ClientError as error:
                self._raise_if_final(error, about)
                last: Exception = error
            except _FINAL as error:
                raise self._refused(error) from None
            except _PASSING as error:
                last = error
            if attempt < ATTEMPTS:
                _wait(attempt)
        raise self._unavailable(about, last)

    def _refused(self, error: Exception) -> StoreRefused:
        kind = StoreRefused if isinstance(error, ParamValidationError) else CredentialsMissing
        return kind(f"{self.url}: {error} Look at COSTOPS_LAKE_KEY and COSTOPS_LAKE_SECRET.")

    def _raise_if_final(self, error: ClientError, about: str) -> None:
        code = str(error.response.get("Error", {}).get("Code", ""))
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code in _THERE or status == 412:
            raise _AlreadyThere from None
        if code == "NoSuchBucket":
            raise StoreRefused(f"{self.url}: there is no such bucket. Make it, or correct COSTOPS_LAKE.") from None
        if status == 404:
            raise ObjectMissing(f"{self.url}: the object {about} is not there.") from None
        if status < 500 and status not in (0, 408, 409, 429) and code not in _PASSING_CODES:
            raise StoreRefused(
                f"{self.url}: {self.secrets.hide(str(error))} Look at the credentials, the region and the addressing."
            ) from None

    def _unavailable(self, about: str, error: Exception, *, tries: int = ATTEMPTS) -> StoreUnavailable:
        said = self.secrets.hide(" ".join(str(error).split()))[:300] or type(error).__name__
        return StoreUnavailable(f"{self.url}: {about}: {said}; tried {tries} times. Nothing was changed here.")


class _AlreadyThere(Exception):
    """The store refused to write over an object."""


def _wait(failed: int) -> None:
    time.sleep(WAIT_SECONDS * 2 ** (failed - 1) * (0.5 + random.random()))  # noqa: S311  # jitter


def _arriving(body: Any) -> Iterator[bytes]:
    """The bytes of an answer as the network brings them; `_Slow` when they trickle."""
    begun, came = time.monotonic(), 0
    stream = body._raw_stream  # the public `read` waits for a whole piece, which a trickle never fills
    while piece := stream.read1(PIECE):
        came += len(piece)
        yield piece
        took = time.monotonic() - begun
        if took > PATIENCE_SECONDS and came < took * LEAST_BYTES_PER_SECOND:
            raise _Slow(f"{came} bytes came in {took:.0f} seconds")


def _only_new_on_oss(params: dict[str, Any], context: dict[str, Any], **_facts: Any) -> None:
    """OSS says it with a header of its own, and does not know that of S3."""
    context["only_new"] = params.pop("IfNoneMatch", None) is not None


def _say_forbid(params: dict[str, Any], context: dict[str, Any], **_facts: Any) -> None:
    if context.get("only_new"):
        params["headers"]["x-oss-forbid-overwrite"] = "true"


def bucket() -> Bucket:
    """The bucket of the shared store, as the settings name it."""
    secrets = Secrets({key: value for key, value in settings.COSTOPS_LAKE_CREDENTIALS.items() if value})
    return _bucket(
        settings.COSTOPS_LAKE_URL, settings.COSTOPS_LAKE_ENDPOINT, settings.COSTOPS_LAKE_REGION,
        settings.COSTOPS_LAKE_ADDRESSING, settings.COSTOPS_LAKE_COMMIT, tuple(secrets.items()), os.getpid(),
    )  # fmt: skip


@lru_cache(maxsize=4)
def _bucket(
    url: str, endpoint: str, region: str, addressing: str, commit: str, secrets: tuple[tuple[str, str], ...], _pid: int
) -> Bucket:
    """One for each process: connections do not survive a fork."""
    return Bucket(url, endpoint, region, addressing, commit, Secrets(dict(secrets)))
