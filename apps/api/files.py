"""Files of a source over the API: bring a bill, and see what became of every file that came."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound, ParseError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import CompanyView
from apps.api.bodies import FILE as BODY
from apps.api.bodies import FileBody, Received, TooLarge, most_of_a_file
from apps.api.errors import BadParameterError
from apps.api.parameters import FORMAT, Parameter
from apps.api.source_schema import ProblemSchema
from apps.ingest import uploads
from apps.ingest.models import LandedFile, Source
from apps.ingest.selectors import billed
from apps.pipeline.services import ask_to_land
from apps.pipeline.tasks import ring
from apps.teams.roles import Can

WAITING = "waiting"
"""The state of a file that lies in the folder and was not landed yet."""
STATES = (WAITING, *(str(state) for state in LandedFile.State.values))
NAME = Parameter("name", parameters.text, "The source.", place="path")
FILE = Parameter("file", parameters.text, "Only of this name.")
STATE = Parameter("state", parameters.one_of(*STATES), "Only in this state.", choices=STATES)
BROUGHT_AS = Parameter(
    "file", parameters.text, "What it is called, such as `october.csv.gz`; a file of this name is replaced."
)
LISTING = (FILE, STATE, FORMAT)
REFUSALS = {
    "name": "this is no name for a file: up to 200 letters, digits, spaces and hyphens, without slashes",
    "suffix": "only bills are taken: CSV, Parquet, JSON, also packed with gzip or zip",
}
_DIGEST = re.compile(r"^\s*(sha-256|md5)=:?([A-Za-z0-9+/=]+?):?\s*$", re.IGNORECASE)


class ChecksumMismatch(APIException):
    """The body is not what its sender added up."""

    status_code = 400
    default_code = "checksum_mismatch"


class SourceFileSchema(serializers.Serializer[Any]):
    """One version of a file: `waiting` until a worker took it over. `billed` is what counts of it, by currency; the
    `subject` of a problem names file, line and column."""

    file = serializers.CharField()
    revision = serializers.IntegerField(allow_null=True, help_text="of its name; null while it waits")
    state = serializers.ChoiceField(STATES)
    size = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    rows = serializers.IntegerField()
    landed_at = serializers.DateTimeField(allow_null=True)
    billed = serializers.DictField(child=schema.Amount())
    problems = ProblemSchema(many=True)


class SourceFilesSchema(serializers.Serializer[Any]):
    """The files of a source, those that wait first, then the newest."""

    rows = SourceFileSchema(many=True)


class BroughtFileSchema(serializers.Serializer[Any]):
    """A file that came whole. `is_new` is false where the same bytes had come before, as `file`; `follow` is the
    address that says what became of it."""

    source = serializers.CharField()  # type: ignore[assignment]  # a column here, not a field's own source
    file = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    is_new = serializers.BooleanField()
    follow = serializers.CharField()


class SourceFilesView(CompanyView):
    """The files of a source and what is wrong with them; who manages sources brings bills here, where a source takes
    uploads."""

    written_by = frozenset({Can.MANAGE_SOURCES})
    known = LISTING
    columns = tuple(name for name in schema.columns_of(SourceFileSchema) if name not in ("billed", "problems"))
    identity = ("file", "revision")
    file_name = "files"
    parser_classes = (FileBody,)
    brought_file: TemporaryUploadedFile | None = None

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if request.method not in SAFE_METHODS:
            self.check_may_write(request)
        if _length(request) > most_of_a_file():
            raise TooLarge

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self.brought_file is not None:
            self.brought_file.close()
        if response.status_code == 202:  # also where it is told again
            response["Location"] = response.data["follow"]
        return super().finalize_response(request, response, *args, **kwargs)

    @schema.asking("source_files", (NAME, *LISTING), SourceFilesSchema)
    def get(self, request: Request, name: str) -> HttpResponse:
        asked = self.asked(request)
        rows = _rows(_source(name), asked.get("file"))
        return Response({"rows": [row for row in rows if row["state"] == asked.get("state", row["state"])]})

    @schema.taking("bring_file", (NAME, BROUGHT_AS, FORMAT), BroughtFileSchema)
    def post(self, request: Request, name: str) -> HttpResponse:
        called = parameters.needed(self.given(request, (BROUGHT_AS, FORMAT)), "file")
        source = _source(name)
        if source not in uploads.uploadable_sources():
            raise BadParameterError("name", f"{name}: this source takes no uploads; it is read where it points to")
        body: Any = request.data
        received = body.get(BODY)
        if not isinstance(received, Received):
            raise ParseError("The body is empty: send the bytes of the file, with their Content-Length.")
        _check(request.headers, received)
        known = _keep(source, called, received)
        follow = f"{reverse('api-source-files', args=[source.name])}?{urlencode({'file': known or called})}"
        told = {"source": source.name, "file": known or called, "is_new": not known, "follow": follow}
        told |= {"size": received.size, "sha256": received.sha256}
        return Response(told, status=202)


def _length(request: Request) -> int:
    told = str(request.META.get("CONTENT_LENGTH") or "")
    return int(told) if told.isascii() and told.isdigit() and len(told) < 20 else 0


def _keep(source: Source, called: str, received: Received) -> str:
    """The name under which the bytes lie already; where they are new they are put there, to be read next."""
    brought = uploads.Brought(called, Path(received.file.temporary_file_path()), received.size)
    if reason := uploads.refusals([brought]).get(called):
        raise BadParameterError("file", f"file: {REFUSALS[reason]}")
    known = uploads.alike(source, size=received.size, sha256=received.sha256)
    if not known:
        uploads.keep(source, [brought])
        ask_to_land(source.name, now=timezone.now())  # noqa: TID251  # a request is an entry point
        ring()
    return known


def _source(name: str) -> Source:
    found = Source.objects.filter(name=name).first() if "\0" not in name else None
    if found is None:
        raise NotFound
    return found


def _check(headers: Mapping[str, str], received: Received) -> None:
    """Raise ChecksumMismatch unless the bytes are those that the headers speak of."""
    given = [("md5", headers["Content-MD5"], "Content-MD5")] if "Content-MD5" in headers else []
    for header in ("Content-Digest", "Digest"):
        for part in headers.get(header, "").split(",") if header in headers else ():
            found = _DIGEST.match(part)
            if found is None:
                raise ChecksumMismatch(f"{header}: {part[:60]!r} is neither sha-256=… nor md5=…, in base64.")
            given.append((found[1].lower().replace("-", ""), found[2], header))
    for way, told, header in given:
        if _hex(told) != getattr(received, way):
            came = f"what came has {way} {getattr(received, way)}, in {received.size} bytes"
            raise ChecksumMismatch(f"{header}: the body is not what was sent: {came}.")


def _hex(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return ""


def _rows(source: Source, file: str | None) -> Iterator[dict[str, Any]]:
    """Files that wait to be taken over, then those that were, the newest first."""
    unknown = dict.fromkeys(("revision", "size", "sha256", "landed_at"))
    for name in uploads.waiting(source) if source in uploads.uploadable_sources() else ():
        if file in (None, name):
            yield {"file": name, "state": WAITING, "rows": 0, "billed": {}, "problems": [], **unknown}
    landed = source.files.order_by("-pk")
    for one in landed if file is None else landed.filter(path=file):
        plain = {name: getattr(one, name) for name in ("revision", "state", "size", "sha256", "rows", "landed_at")}
        yield {"file": one.path, **plain, "billed": billed(one.contents), "problems": one.problems}
