"""FOCUS over HTTP: charges and allocated cost as CSV or Parquet, whole and added up before they are sent."""

from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.http import FileResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from apps.api import parameters, schema
from apps.api.asking import AskView, CompanyView, etag_of, unchanged
from apps.api.grammar import FILTER
from apps.api.parameters import Known, Parameter, one_of
from apps.api.parquet import ParquetRenderer
from apps.api.questions import cell_question
from apps.api.renderers import CsvRenderer
from apps.marts.scoping import scope_of
from apps.reports.focus_out.export import What, export
from apps.reports.focus_out.writing import Form

FORMS: tuple[Form, ...] = ("csv", "parquet")
EXPORT: Known = (
    *(one for one in parameters.CELL if one.name not in ("metric", "currency", "rates_as_of")),
    FILTER,
    Parameter("format", one_of(*FORMS), "`parquet` instead of CSV.", choices=FORMS),
)
_BLOCK_BYTES = 1 << 20


class ExportView(AskView):
    """A file of FOCUS. It is written beside, read back and compared with what was published; then it is sent in blocks,
    so that neither takes memory by its length."""

    known = EXPORT
    formats = FORMS
    renderer_classes = (CsvRenderer, ParquetRenderer)
    what: What = "allocated"

    def answered(self, request: Request) -> HttpResponseBase:
        asked = self.asked(request)
        query = cell_question(asked, scope_of(request.user, by_account=True))
        self.note_teams(request, query)
        form: Form = asked["format"]
        etag = etag_of(query.as_of, "export", self.what, query, form)
        if same := unchanged(request, etag):
            return same
        self.file_name = f"focus-{self.what}-{query.start}-{query.end}-publication-{query.as_of}"
        temporary = Path(settings.COSTOPS_HOME) / "tmp" / "exports"
        temporary.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=temporary) as folder:
            path = Path(folder) / f"export.{form}"
            export(self.what, query, path, form)
            written = path.open("rb")  # stays readable when its name is gone; the response closes it
        response = FileResponse(written, content_type=_CONTENT[form], headers={"ETag": etag})
        response.block_size = _BLOCK_BYTES
        return response


_CONTENT: dict[Form, str] = {"csv": "text/csv; charset=utf-8", "parquet": ParquetRenderer.media_type}


class ChargesExportView(CompanyView, ExportView):
    """The charges of the bills, for those who see all teams."""

    what: What = "charges"

    @schema.handing_out("export_charges", EXPORT, media=("text/csv", ParquetRenderer.media_type))
    def get(self, request: Request) -> HttpResponseBase:
        return self.answered(request)


class AllocatedExportView(ExportView):
    """Allocated cost, of the teams the caller may see."""

    @schema.handing_out("export_allocated", EXPORT, media=("text/csv", ParquetRenderer.media_type))
    def get(self, request: Request) -> HttpResponseBase:
        return self.answered(request)
