"""A bucket of an object store: listed by pages, fetched block by block, trusted only when nothing changed meanwhile.

Keys come from whoever may write there. A key is a label here, never a path on this machine: bytes are landed under
their hash. Memory holds one block, the disk one file at a time.
"""

import errno
import hashlib
import os
import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings

from apps.finops.problems import Problem
from apps.ingest import landing
from apps.ingest.landing import Archived, Found, Interrupted, Landed, LocationMissing
from apps.ingest.places.base import MOST_CHARACTERS, MOST_SHOWN, Listing, Place
from apps.warehouse.failpoints import failpoint
from apps.warehouse.sealed import Secrets

ATTEMPTS = 5
WAIT_SECONDS = 0.5
MOST_OBJECTS = 200_000
MOST_PEEKS = 1_000
"""Objects without a suffix that are looked into: they may be gzip."""
_FINAL = (FileNotFoundError, PermissionError, NotImplementedError, ValueError, TypeError)
_FINAL_NAMES = frozenset(
    {
        "NoCredentialsError",
        "PartialCredentialsError",
        "ClientAuthenticationError",
        "RefreshError",
        "ParamValidationError",
    }
)
_FINAL_STATUSES = frozenset({"400", "401", "403", "404", "405"})
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Bucket(Place):
    """The objects below a prefix. `open_store` makes the file system that reaches them."""

    open_store: Callable[[], Any]
    bucket: str
    prefix: str
    location: str
    secrets: Secrets
    block: int = 8 << 20

    @cached_property
    def _store(self) -> Any:
        store = self.open_store()
        if hasattr(store, "retries"):
            store.retries = 1
        return store

    def find(self) -> Listing:
        root = f"{self.bucket}/{self.prefix}".rstrip("/")
        try:
            listed = self._patiently(partial(self._listed, root))
            if not listed and not self._patiently(lambda: self._store.exists(self.bucket)):
                raise FileNotFoundError
            if len(listed) > MOST_OBJECTS:
                raise LocationMissing(f"{self.location}: {len(listed)} objects; name a longer prefix.")
            return self._sorted_out(listed)
        except FileNotFoundError as error:
            raise LocationMissing(f"{self.location}: there is no such bucket; correct the location.") from error
        except OSError as error:
            raise LocationMissing(f"{self.location}: {error.strerror or error}") from error

    def _listed(self, root: str) -> dict[str, dict[str, Any]]:
        """What lies below a path, or the one object of that name: Azure's library lists that by its name alone."""
        listed = self._store.find(root, detail=True)
        return listed if isinstance(listed, dict) else {key: self._store.info(key) for key in listed}

    def _sorted_out(self, listed: Mapping[str, Mapping[str, Any]]) -> Listing:
        files, problems, peeks = [], [], 0
        for key, facts in sorted(listed.items()):
            path = self._relative(key)
            is_marker = key.endswith("/") and not facts.get("size")  # how consoles show a folder
            if path is None or facts.get("type") == "directory" or is_marker or _is_hidden(path):
                continue
            if odd := _oddity(path):
                problems.append(_left_alone(path, odd))
                continue
            if not path.lower().endswith(landing.SUFFIXES):
                peeks += 1
                if "." in path.rpartition("/")[2] or peeks > MOST_PEEKS or not self._begins_like_gzip(key):
                    continue
            files.append(_found(path, key, facts))
        return Listing(files, tuple(problems))

    def _relative(self, key: str) -> str | None:
        """The path below the prefix, which ends at a slash; of a prefix that is a file itself, its name."""
        inner = key.removeprefix(f"{self.bucket}/")
        prefix = self.prefix.rstrip("/")
        if not prefix:
            return inner
        if inner == prefix:
            return inner.rpartition("/")[2]
        return inner.removeprefix(f"{prefix}/") if inner.startswith(f"{prefix}/") else None

    def _begins_like_gzip(self, key: str) -> bool:
        try:
            head: bytes = self._patiently(lambda: self._store.cat_file(key, start=0, end=2))
        except Interrupted:  # it may be a part of a bill
            raise
        except OSError:
            return False
        return head == b"\x1f\x8b"

    def read_small(self, found: Found) -> bytes:
        if found.size > landing.MOST_MANIFEST_BYTES:
            raise OSError(errno.EFBIG, f"{found.size} bytes are too many for a manifest", found.path)
        return b"".join(self._blocks(found))

    def copy(self, found: Found) -> Landed | None:
        if sha256 := self._fetched_before(found):
            return Landed(found, sha256)
        folder = Path(settings.COSTOPS_LANDING)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".incoming-{uuid.uuid4().hex}"
        failpoint("land.copy")
        try:
            sha256 = self._fetch(found, temporary)
            if sha256 is None:
                return None
            landing.keep_landed(temporary, sha256)
            temporary.write_text(sha256)
            landing.keep(temporary, self._receipt(found))
        except FileNotFoundError:
            return None
        finally:
            temporary.unlink(missing_ok=True)
        return Landed(found, sha256)

    def forget(self, found: Found) -> None:
        self._receipt(found).unlink(missing_ok=True)

    def _fetched_before(self, found: Found) -> str | None:
        """Of an object that was landed by a run which did not come to its end: its sha256."""
        try:
            sha256 = self._receipt(found).read_text()
        except FileNotFoundError:
            return None
        return sha256 if found.version and landing.is_landed_again(sha256) else None

    def _receipt(self, found: Found) -> Path:
        told = "\0".join((self.location, found.key, found.version, str(found.size)))
        return Path(settings.COSTOPS_LANDING) / ".receipts" / hashlib.sha256(told.encode()).hexdigest()

    @contextmanager
    def at_hand(self, found: Found) -> Iterator[Path]:
        folder = settings.COSTOPS_HOME / "tmp" / "staging"
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / uuid.uuid4().hex
        try:
            if self._fetch(found, temporary) is None:
                raise OSError(errno.EBUSY, "It changed while it was read; look again later", found.path)
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)

    def _fetch(self, found: Found, target: Path) -> str | None:
        """Write the object to a file; its sha256, or None when it is not the one that was listed any more."""
        digest = hashlib.sha256()
        with target.open("xb") as out:
            for block in self._blocks(found):
                digest.update(block)
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        facts = self._patiently(lambda: self._store.info(found.key))
        now = _found(found.path, found.key, facts)
        return digest.hexdigest() if (now.size, now.version) == (found.size, found.version) else None

    def _blocks(self, found: Found) -> Iterator[bytes]:
        """The bytes, a range at a time: what a broken connection costs is one block."""
        for start in range(0, found.size, self.block):
            end = min(start + self.block, found.size)
            yield self._patiently(partial(self._range, found.key, start, end))

    def _range(self, key: str, start: int, end: int) -> bytes:
        block: bytes = self._store.cat_file(key, start=start, end=end)
        if len(block) != end - start:
            raise ConnectionError(f"{len(block)} bytes came of {end - start}")
        return block

    def _patiently(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask, and ask again after faults that pass; at last an OSError that tells no secret."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return ask()
            except (FileNotFoundError, SoftTimeLimitExceeded):
                raise
            except Exception as error:  # noqa: BLE001  # every library below has faults of its own
                said = self.secrets.hide(" ".join(str(error).split()))[:300] or type(error).__name__
                if _is_archived(error):
                    raise Archived(errno.EACCES, said) from None
                if _is_final(error):
                    raise OSError(errno.EACCES, said) from None  # the chain could tell what the message hides
                if attempt == ATTEMPTS:
                    raise Interrupted(errno.EIO, f"{said}; tried {ATTEMPTS} times") from None
                time.sleep(WAIT_SECONDS * 2 ** (attempt - 1) * (0.5 + random.random()))  # noqa: S311  # jitter
        raise AssertionError("unreachable")


def _is_final(error: Exception) -> bool:
    """Whether asking again cannot help: what is wrong is the question, or who asks."""
    status = getattr(error, "status_code", None) or getattr(error, "code", None)  # as Azure and Google tell it
    return isinstance(error, _FINAL) or type(error).__name__ in _FINAL_NAMES or str(status) in _FINAL_STATUSES


def _is_archived(error: BaseException) -> bool:
    """Whether the store says that the object lies in its archive (Amazon and OSS, Azure)."""
    told = getattr(error.__cause__, "response", None) or {}
    return told.get("Error", {}).get("Code") == "InvalidObjectState" or "BlobArchived" in str(error)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") and part not in (".", "..") for part in path.split("/"))


def _oddity(path: str) -> str:
    """Why a key cannot be taken as the name of a file, if so."""
    parts = path.split("/")
    if not parts[-1]:
        return "" if not path else "it ends with a slash"
    if len(path) > MOST_CHARACTERS:
        return f"it is longer than {MOST_CHARACTERS} characters"
    if any(part in ("", ".", "..") for part in parts):
        return "it has empty or dotted parts"
    if any(ord(sign) < 32 or ord(sign) == 127 or 0xD800 <= ord(sign) < 0xE000 for sign in path) or "\\" in path:
        return "it has control characters or backslashes"
    return ""


def _left_alone(path: str, odd: str) -> Problem:
    shown = ascii(path)[1:-1][:MOST_SHOWN]
    return Problem("warning", "odd_name", shown, f"The object was left alone: {odd}. Give it another name.")


def _found(path: str, key: str, facts: Mapping[str, Any]) -> Found:
    modified = next((facts[name] for name in _MODIFIED if facts.get(name)), None)
    version = next((str(facts[name]) for name in _VERSION if facts.get(name)), "")
    return Found(path, Path(), int(facts["size"]), _nanoseconds(modified), key=key, version=version.strip('"')[:200])


_VERSION = ("generation", "ETag", "etag")
_MODIFIED = ("LastModified", "last_modified", "updated", "mtime", "created")


def _nanoseconds(moment: Any) -> int:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    return int(moment.timestamp()) * 1_000_000_000 if isinstance(moment, datetime) else 0
