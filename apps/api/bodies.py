"""Rows that a program brings: CSV as it is, or JSON made into the same CSV, so that both are checked alike."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

MOST_BYTES = 16 << 20
CHUNK = 1 << 20
CONTENT = "csv"
"""Where a parser puts the CSV it made of a body."""
FILE = "file"
"""Where a parser puts a file."""
TEXT = "text"
"""Where a parser puts text."""

NOTHING: tuple[Any, ...] = (None, [])
"""What says nothing of a parameter in JSON; one empty text is `[""]`, which is what does not apply."""


class Listed(str):
    """A list as a query would hold it, for a parameter that may be one."""


class FieldsBody(BaseParser):
    """The parameters of a write as a JSON object: what a query would hold, and what no log of addresses should."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        try:
            document = _document(_bounded(stream) or b"{}")
            return {_told(name): _told(value) for name, value in document.items() if value not in NOTHING}
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise ParseError(
                "The body is not a JSON object of texts, numbers, booleans and lists of them; no list holds another."
            ) from error


def kind_of(request: Request) -> str:
    """The media type of a body, which may be told in capitals."""
    return str(request.content_type).partition(";")[0].strip().lower()


def _told(value: Any) -> str:
    """A value as a query would hold it; a list separated by commas. A list in a list would double every quote in it."""
    if not isinstance(value, list):
        return _plain(value)
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([_plain(one) for one in value])
    return Listed(out.getvalue())


def _plain(value: Any) -> str:
    """A text, number or boolean; half a character (a lone surrogate) is no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise TypeError
    value.encode()
    return value


class CsvBody(BaseParser):
    """`text/csv`, untouched."""

    media_type = "text/csv"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, bytes]:
        return {CONTENT: _bounded(stream)}


class YamlBody(BaseParser):
    """`application/yaml`, as it is."""

    media_type = "application/yaml"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, str]:
        try:
            return {TEXT: _bounded(stream).decode("utf-8-sig")}
        except UnicodeDecodeError as wrong:
            raise ParseError("The body is not UTF-8.") from wrong


@dataclass(frozen=True)
class Received:
    """A file as it came, with what its bytes add up to."""

    file: TemporaryUploadedFile
    size: int
    sha256: str
    md5: str

    def __repr__(self) -> str:  # what a repeated request is known by
        return f"Received({self.size}, {self.sha256})"


class TooLarge(APIException):
    """More bytes than an upload may have."""

    status_code = 413
    default_code = "too_large"

    def __init__(self) -> None:
        super().__init__(
            f"The body is larger than {settings.COSTOPS_UPLOAD_MIB} MiB (COSTOPS_UPLOAD_MIB); "
            "pack the file with gzip, or split it."
        )


def most_of_a_file() -> int:
    """How many bytes may be brought at once."""
    return int(settings.COSTOPS_UPLOAD_MIB) << 20


class FileBody(BaseParser):
    """A file of any kind, written to the disk chunk by chunk; its view takes away what is left of it in the end."""

    media_type = "application/octet-stream"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Received]:
        file = TemporaryUploadedFile("upload", self.media_type, 0, None)
        (parser_context or {})["view"].brought_file = file
        sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
        size = 0
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if size > most_of_a_file():
                raise TooLarge
            for digest in (sha256, md5):
                digest.update(chunk)
            file.write(chunk)
        file.flush()
        return {FILE: Received(file, size, sha256.hexdigest(), md5.hexdigest())}


class JsonBody(BaseParser):
    """`{"rows": [{column: value, …}, …]}` as CSV; numbers keep every digit they were written with, and what is null
    is an empty cell."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, bytes]:
        try:
            document = _document(_bounded(stream))
            rows = document["rows"]
            columns = list(rows[0])
            if any(not isinstance(value, str | None) for row in rows for value in row.values()):
                raise ParseError("A value is text, a number or null.")
            if any(set(row) != set(columns) for row in rows):
                raise ParseError("Every row has the same columns.")
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            raise ParseError('The body is not {"rows": [{...}, ...]}.') from error
        return {CONTENT: _as_csv(columns, rows)}


def _as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def _document(content: bytes) -> Any:
    """JSON in UTF-8, numbers as they were written."""
    return json.loads(content.decode("utf-8-sig"), parse_float=str, parse_int=str, object_pairs_hook=_once_each)


def _once_each(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError("A name stands twice in an object of the body.")
    return found


def _bounded(stream: IO[Any]) -> bytes:
    content: bytes = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise ParseError(f"The body is larger than {MOST_BYTES >> 20} MiB; send it in parts.")
    return content
