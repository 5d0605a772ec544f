"""Landed bytes as plain CSV, JSON lines or Parquet: unpacked and verified before anything reads them."""

import errno
import hashlib
import lzma
import os
import posixpath
import re
import shutil
import stat
import struct
import tarfile
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from django.conf import settings
from isal import igzip
from isal.igzip_lib import IsalError

from apps.finops.errors import CostOpsError

BLOCK = 1 << 22
MAX_MEMBERS = 1_000
MAX_RATIO = 300
FREE_BYTES = 64 << 20  # what any file may unpack to, whatever the ratio
MAX_ROWS_A_BYTE = 10
FREE_ROWS = 1_000_000  # of Parquet, however few the bytes
_MAGIC: dict[bytes, Literal["gzip", "zip", "parquet"]] = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"PAR1": "parquet",
}


class Unreadable(CostOpsError):
    """The bytes are damaged, or packed in a way we do not open."""


class Damaged(Unreadable):
    """The bytes are not what their format says they are."""

    def __init__(self, name: str, error: Exception) -> None:
        reason = re.sub(r'"/[^"]*"', "here", (str(error).splitlines() or [type(error).__name__])[0])[:200]
        super().__init__(f"{name}: the file is damaged ({reason}); fetch it again.")


def is_damage(error: Exception) -> bool:
    """Whether readers of files say by this that the bytes make no sense: theirs bear no number of the machine's, as a
    full disk does, nor a class of their own."""
    if isinstance(error, OSError):
        return error.errno is None
    if isinstance(error, UnicodeDecodeError):
        return True
    if isinstance(error, duckdb.IOException):  # of pages said to lie where the file has ended, not of a disk
        return "Could not read enough bytes" in str(error)
    is_of_a_page = isinstance(error, duckdb.InvalidInputException) and "/" in str(error) and "file" in str(error)
    return type(error) is duckdb.Error or is_of_a_page


@dataclass(frozen=True)
class Member:
    """A plain file to read: `name` is how messages call it."""

    name: str
    path: Path
    kind: Literal["csv", "parquet", "json"]


def kind_of(path: Path) -> Literal["gzip", "zip", "parquet", "json", "csv"]:
    """What the first bytes say; anything without a known beginning is taken for text."""
    with path.open("rb") as stream:
        head = stream.read(4)
    text: Literal["json", "csv"] = "json" if head.removeprefix(b"\xef\xbb\xbf").startswith(b"{") else "csv"
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), text)


@dataclass(frozen=True)
class Unpacked:
    """The plain members of a landed file, and a folder beside them for whoever reads them."""

    members: tuple[Member, ...]
    folder: Path
    content_sha256: str = ""


@contextmanager
def unpacked(path: Path, name: str) -> Iterator[Unpacked]:
    """The plain members of a landed file; the staging folder vanishes with the context."""
    staging = settings.COSTOPS_HOME / "tmp" / "staging" / uuid.uuid4().hex
    staging.mkdir(parents=True)
    try:
        members = _members(path, name, staging)
        yield Unpacked(tuple(members), staging, _content_sha256(members))
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _content_sha256(members: list[Member]) -> str:
    """Of the unpacked bytes, the same however they were packed: the hash of the members' hashes."""
    digest = hashlib.sha256()
    for member in members:
        with member.path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def content_of_plain(sha256: str) -> str:
    """The `content_sha256` of a file that is not packed and has this sha256."""
    return hashlib.sha256(bytes.fromhex(sha256)).hexdigest()


def _members(path: Path, name: str, staging: Path) -> list[Member]:
    if not path.stat().st_size:
        raise Unreadable(f"{name}: the file is empty (0 bytes); export it again.")
    match kind_of(path):
        case "gzip":
            return _gunzipped(path, name, staging)
        case "zip":
            return _unzipped(path, name, staging)
        case "parquet":
            return [_plain(name, path)]
        case text:
            return [Member(name, path, text)]


def _gunzipped(path: Path, name: str, staging: Path) -> list[Member]:
    target = staging / "0"
    try:
        with igzip.open(path, "rb") as stream:
            _copy(stream, target, packed=path.stat().st_size, name=name)
    except (igzip.BadGzipFile, IsalError, EOFError) as error:  # type: ignore[misc]  # the stub tells no class
        raise Unreadable(f"{name}: the gzip data are damaged ({error}); fetch the file again.") from error
    return _untarred(target, name, staging) if _is_tar(target) else [_plain(name, target)]


def _is_tar(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(257)
        return stream.read(5) == b"ustar"


def _untarred(path: Path, name: str, staging: Path) -> list[Member]:
    """The CSV and Parquet files of a tar archive; manifests and the like are passed over."""
    members = []
    try:
        with tarfile.open(path) as archive:
            entries = [entry for entry in archive if not entry.isdir() and _is_data(entry.name)]
            _refuse_odd_tar(entries, name)
            _refuse_half_a_tar(path, archive.offset, name)
            for at, entry in enumerate(entries):
                inner, target = f"{name} › {entry.name}", staging / f"t{at}"
                stream = archive.extractfile(entry)
                assert stream is not None  # noqa: S101  # it is a file
                _copy(stream, target, packed=entry.size, name=inner)
                members.append(_plain(inner, target))
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:  # odd numbers in headers
        raise Unreadable(f"{name}: the tar archive is damaged ({error}); fetch the file again.") from error
    return members


def _refuse_odd_names(names: list[str], name: str) -> None:
    if not names:
        raise Unreadable(f"{name}: the archive holds no CSV or Parquet file.")
    if len(names) > MAX_MEMBERS:
        raise Unreadable(f"{name}: the archive holds {len(names)} files; at most {MAX_MEMBERS} are read.")
    if len({posixpath.normpath(one) for one in names}) < len(names):
        raise Unreadable(f"{name}: the archive holds two files of the same name.")


def _refuse_odd_tar(entries: list[tarfile.TarInfo], name: str) -> None:
    _refuse_odd_names([entry.name for entry in entries], name)
    for entry in entries:
        if not entry.isreg() or entry.issparse():  # what is sparse promises terabytes in a few bytes
            raise Unreadable(f"{name}: {entry.name} is a link or no plain file; pack the bill files themselves.")


def _refuse_half_a_tar(path: Path, end: int, name: str) -> None:
    """An archive ends in zeros; its reader takes any odd block for the end, and whatever follows for nothing."""
    with path.open("rb") as stream:
        stream.seek(end)
        rest = stream.read(tarfile.BLOCKSIZE)
        is_whole = len(rest) == tarfile.BLOCKSIZE
        while rest and is_whole:
            is_whole = not rest.strip(b"\0")
            rest = stream.read(BLOCK)
    if not is_whole:
        raise Unreadable(
            f"{name}: the tar archive is cut off, damaged or joined with another; pack the files again, in one archive."
        )


def _is_data(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in (".csv", ".parquet") and not PurePosixPath(name).name.startswith(".")


_ZIP_END, _ZIP_END_BYTES, _ZIP_HEADER_BYTES = b"PK\x05\x06", 22, 30
"""How a zip archive ends; how long that is without a comment, and what stands before each file without its name."""
_DAMAGE = (  # what the reader of zips raises for damaged headers, lists and contents, and for ways it does not know
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError, NotImplementedError,
    RuntimeError,
)  # fmt: skip


def _unzipped(path: Path, name: str, staging: Path) -> list[Member]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not _is_furniture(entry)]
            _refuse_odd_entries(entries, name)
            if not _is_one_zip(archive, path):
                raise Unreadable(f"{name}: the zip archive is damaged or joined with another; deliver each by itself.")
            return [_extracted(archive, entry, name, staging / str(at)) for at, entry in enumerate(entries)]
    except _DAMAGE as error:
        raise Unreadable(f"{name}: the zip archive is damaged ({error}); fetch the file again.") from error
    except OSError as error:
        if error.errno != errno.EINVAL:  # a place before the beginning of the file
            raise
        raise Unreadable(f"{name}: the zip archive is damaged ({error}); fetch the file again.") from error


def _is_one_zip(archive: zipfile.ZipFile, path: Path) -> bool:
    """Whether a file is one zip archive from its first byte to its last: its reader looks for the last end there is,
    and passes over what lies before, behind and between."""
    end = _ZIP_END_BYTES + len(archive.comment)
    with path.open("rb") as stream:
        stream.seek(-end, os.SEEK_END)
        if stream.read(4) != _ZIP_END:
            return False
        place = 0
        for entry in sorted(archive.infolist(), key=lambda entry: entry.header_offset):
            if not 0 <= entry.header_offset - place < _ZIP_HEADER_BYTES:
                return False
            stream.seek(entry.header_offset + _ZIP_HEADER_BYTES - 4)
            name, extra = struct.unpack("<HH", stream.read(4))
            place = entry.header_offset + _ZIP_HEADER_BYTES + name + extra + entry.compress_size
    return 0 <= archive.start_dir - place < _ZIP_HEADER_BYTES


def _is_furniture(entry: zipfile.ZipInfo) -> bool:
    return entry.is_dir() or entry.filename.startswith("__MACOSX/") or entry.filename.endswith(".DS_Store")


def _refuse_odd_entries(entries: list[zipfile.ZipInfo], name: str) -> None:
    _refuse_odd_names([entry.filename for entry in entries], name)
    for entry in entries:
        inner = PurePosixPath(entry.filename)
        if inner.is_absolute() or ".." in inner.parts or "\\" in entry.filename or "\0" in entry.orig_filename:
            raise Unreadable(f"{name}: the zip archive names a file outside itself ({entry.filename!r}).")
        if entry.flag_bits & 0x1:
            raise Unreadable(f"{name}: {entry.filename} is encrypted; deliver it without a password.")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise Unreadable(f"{name}: {entry.filename} is a symbolic link, not a file.")
        if inner.suffix.lower() not in (".csv", ".parquet"):
            raise Unreadable(f"{name}: {entry.filename} is neither CSV nor Parquet; put only bill files into the zip.")


def _extracted(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, target: Path) -> Member:
    inner = f"{name} › {entry.filename}"
    with archive.open(entry) as stream:
        _copy(stream, target, packed=entry.compress_size, name=inner)
    return _plain(inner, target)


def _copy(stream: IO[bytes], target: Path, *, packed: int, name: str) -> None:
    limit = max(FREE_BYTES, packed * MAX_RATIO)
    written = 0
    with target.open("wb") as out:
        while block := stream.read(BLOCK):
            written += len(block)
            if written > limit:
                raise Unreadable(f"{name}: {packed} bytes unpack to more than {limit}; this is not a bill.")
            out.write(block)


def _plain(name: str, path: Path) -> Member:
    if not path.stat().st_size:
        raise Unreadable(f"{name}: the file is empty (0 bytes) after unpacking; export it again.")
    kind = kind_of(path)
    if kind == "gzip" or kind == "zip":  # the type checker narrows by equality only
        raise Unreadable(f"{name}: holds another {kind} archive; pack the bill once only.")
    if kind == "parquet":
        _refuse_endless_rows(path, name)
    return Member(name, path, kind)


def _refuse_endless_rows(path: Path, name: str) -> None:
    """A value that is repeated costs Parquet nothing: a small file may promise rows without end."""
    try:
        rows = pq.read_metadata(path).num_rows
    except (pa.ArrowException, OSError):  # whoever reads it says what is wrong
        return
    if rows > FREE_ROWS and rows > MAX_ROWS_A_BYTE * path.stat().st_size:
        raise Unreadable(f"{name}: {path.stat().st_size} bytes of Parquet promise {rows} rows; this is not a bill.")
