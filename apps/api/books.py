"""The addresses of the books: why cost changed, closed months, adjusting entries."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView, CompanyView, etag_of, unchanged
from apps.api.paging import SortedRows
from apps.api.parameters import AS_OF, FORMAT, Parameter
from apps.api.questions import facts
from apps.books import selectors, services, statement
from apps.books.changes import GROUPS, ChangeQuery, changes, month_window, previous
from apps.books.explaining import CLASSES
from apps.books.invoices import TiedInvoice, place_of, tie_out
from apps.books.models import Close
from apps.finops.tables import COSTS, DIMENSIONS
from apps.marts.cell import FILTER_NAMES
from apps.marts.query import METRICS
from apps.marts.scoping import scope_of
from apps.marts.selectors import identity, publication
from apps.teams.roles import Can

MONTH = Parameter("month", parameters.month, "Only the days of this calendar month, YYYY-MM.", pattern=r"^\d{4}-\d\d$")
CHANGES = (
    Parameter("from", AS_OF.read, "The earlier publication; the one before `to` by default.", pattern=AS_OF.pattern),
    Parameter("to", AS_OF.read, "The later publication; the newest by default.", pattern=AS_OF.pattern),
    MONTH,
    Parameter("metric", parameters.one_of(*METRICS), "The cost basis; `effective_cost` by default.", choices=METRICS),
    Parameter(
        "group_by",
        parameters.each_of(*GROUPS),
        f"At most six of {', '.join(GROUPS)}; comma-separated. `team,class` by default.",
        is_list=True,
    ),
    FORMAT,
    *parameters.FILTERS,
    Parameter("class", parameters.each_of(*CLASSES), "Only these classes, comma-separated.", is_list=True),
    Parameter("resource", parameters.values, "Only these billed resources, comma-separated.", is_list=True),
)


def _row_fields() -> dict[str, Any]:
    texts = ("month", *DIMENSIONS, "resource")
    return {
        "day": serializers.DateField(required=False),
        **{name: serializers.CharField(required=False, allow_blank=True) for name in texts},
        "class": serializers.ChoiceField(CLASSES, required=False),
        "currency": serializers.CharField(),
        "change": schema.Amount(),
    }


ChangeRowSchema = type(
    "ChangeRowSchema",
    (serializers.Serializer,),
    {"__doc__": "The groups asked for, the currency, and what the later publication says more.", **_row_fields()},
)


class ChangesSchema(serializers.Serializer[Any]):
    """The difference of two publications, by class; `totals` (by currency) are what the rows add up to."""

    before = schema.PublicationFactsSchema()
    after = schema.PublicationFactsSchema()
    totals = serializers.DictField(child=schema.Amount())
    rows = ChangeRowSchema(many=True)


class ChangesView(AskView):
    """Why cost differs between two publications, for the teams the caller may see."""

    known = CHANGES

    @schema.asking("changes", CHANGES, ChangesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        query = _query(asked, request)
        etag = etag_of(query.after, identity(publication(query.before)), query.scope.identity, asked)
        if not_modified := unchanged(request, etag):
            return not_modified
        found = changes(query)
        self.columns = query.columns
        self.file_name = f"changes-publication-{query.before}-to-{query.after}"
        body = {
            "before": facts(found.before),
            "after": facts(found.after),
            "totals": found.totals,
            "rows": [dict(zip(query.columns, row, strict=True)) for row in found.rows],
        }
        return Response(body, headers={"ETag": etag})


def _query(asked: dict[str, Any], request: Request) -> ChangeQuery:
    before, after = previous(asked.get("to"))
    given = {name: asked[name] for name in ("metric", "group_by") if name in asked}
    names = FILTER_NAMES | {"class": "class", "resource": "resource"}
    return ChangeQuery(
        asked.get("from", before),
        after,
        window=month_window(asked["month"]) if "month" in asked else None,
        filters=tuple((name, asked[key]) for name, key in names.items() if key in asked),
        scope=scope_of(request.user, by_account=True),
        **given,
    )


CLOSED = Parameter("month", parameters.month, "The calendar month, YYYY-MM.", pattern=r"^\d{4}-\d\d$", place="path")
REASON = Parameter("reason", parameters.text, "Why the month is closed although something speaks against it.")


class ClosingSchema(serializers.Serializer[Any]):
    """A closed month; `sha256` is of its JSON statement, which names the hash of the month before."""

    month = serializers.CharField()
    publication = serializers.IntegerField()
    closed_at = serializers.DateTimeField()
    closed_by = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    objections = serializers.ListField(child=serializers.CharField())
    adjusting_entries = serializers.IntegerField()
    previous_sha256 = serializers.CharField()
    csv_sha256 = serializers.CharField()
    sha256 = serializers.CharField()


class ClosingsSchema(serializers.Serializer[Any]):
    """The closed months, the earliest first."""

    rows = ClosingSchema(many=True)


StatementRowSchema = type(
    "StatementRowSchema",
    (serializers.Serializer,),
    {"__doc__": "Cost of the month, or an adjusting entry with its class."}
    | {name: serializers.CharField(allow_blank=True) for name in statement.COLUMNS if name not in COSTS}
    | {basis: schema.Amount() for basis in COSTS},
)


class BookedEntrySchema(serializers.Serializer[Any]):
    """Cost that finance moved between two teams."""

    entry = serializers.IntegerField()
    from_team = serializers.CharField()
    to_team = serializers.CharField()
    amount = schema.Amount()
    currency = serializers.CharField()
    original_month = serializers.CharField()
    service = serializers.CharField(allow_blank=True)
    reason = serializers.CharField()
    dispute = serializers.IntegerField(allow_null=True)
    booked_at = serializers.DateTimeField()
    booked_by = serializers.CharField()


class StatementSchema(serializers.Serializer[Any]):
    """The statement of a closed month, byte for byte what its `sha256` is of; `manual_entries` are there where people
    booked any."""

    format = serializers.IntegerField()
    number = serializers.IntegerField()
    month = serializers.CharField()
    publication = serializers.IntegerField()
    ruleset = serializers.IntegerField()
    lake_versions = serializers.DictField(child=serializers.IntegerField())
    closed_at = serializers.DateTimeField()
    closed_by = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    objections = serializers.ListField(child=serializers.CharField())
    previous_sha256 = serializers.CharField()
    csv_sha256 = serializers.CharField()
    rows = StatementRowSchema(many=True)
    manual_entries = BookedEntrySchema(many=True, required=False)


class AdjustmentsSchema(serializers.Serializer[Any]):
    """What the open month will book of closed months."""

    rows = StatementRowSchema(many=True)


class ClosingsView(CompanyView):
    """Closed months."""

    columns = schema.columns_of(ClosingSchema)
    file_name = "closings"

    @schema.asking("closings", parameters.PLAIN, ClosingsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": [_closing(closed) for closed in selectors.closes()]})


class ClosingView(CompanyView):
    """The statement of one closed month; closing it."""

    written_by = frozenset({Can.CLOSE_MONTHS})
    columns = schema.columns_of(ClosingSchema)

    @schema.asking("statement", (CLOSED, FORMAT), StatementSchema, is_document=True)
    def get(self, request: Request, month: str) -> HttpResponse:
        form = self.asked(request)["format"]
        closed = selectors.close_of(month)
        self.file_name = f"statement-{closed.month}"
        kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
        return HttpResponse(statement.rebuilt(closed, form), content_type=kind)

    @schema.writing("close", (CLOSED, REASON, FORMAT), ClosingSchema)
    def post(self, request: Request, month: str) -> HttpResponse:
        self.check_may_write(request)
        given = self.given(request, (REASON, FORMAT))
        by = request.user.get_username()
        closed = services.close(month, by=by, now=timezone.now(), reason=given.get("reason", ""))
        return Response(_closing(closed))


class AdjustmentsView(CompanyView):
    """The adjusting entries of the open month, as of the newest publication."""

    columns = statement.COLUMNS
    identity = tuple(name for name in statement.COLUMNS if name not in COSTS)
    file_name = "adjusting-entries"

    @schema.asking("adjustments", parameters.PLAIN, AdjustmentsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": selectors.pending()})


class TiedInvoiceSchema(serializers.Serializer[Any]):
    """An invoice and its charges; `date`, `total` and `tax` are null where none was uploaded."""

    invoice_id = serializers.CharField(allow_blank=True)
    account = serializers.CharField()
    currency = serializers.CharField()
    status = serializers.CharField()
    date = serializers.DateField(allow_null=True)
    total = schema.Amount(allow_null=True)
    tax = schema.Amount(allow_null=True)
    charges = serializers.IntegerField()
    billed = schema.Amount()
    expected = schema.Amount()
    difference = schema.Amount()
    effective = schema.Amount()
    contracted = schema.Amount()
    listed = schema.Amount(help_text="what the charges would cost at list prices")


class InvoiceServiceSchema(serializers.Serializer[Any]):
    """One service on an invoice; `status`, `expected` and `difference` are null where it is not told by service."""

    service = serializers.CharField(allow_blank=True)
    status = serializers.CharField(allow_null=True)
    charges = serializers.IntegerField()
    billed = schema.Amount()
    expected = schema.Amount(allow_null=True)
    difference = schema.Amount(allow_null=True)
    effective = schema.Amount()
    contracted = schema.Amount()
    listed = schema.Amount()


class InvoiceWithServicesSchema(TiedInvoiceSchema):
    """An invoice with its services; they are in JSON only."""

    services = InvoiceServiceSchema(many=True)


class TiedInvoicesSchema(serializers.Serializer[Any]):
    """Invoices against charges, what does not match first."""

    rows = InvoiceWithServicesSchema(many=True)


class InvoicesView(CompanyView):
    """Invoices against the charges of a publication."""

    known = (AS_OF, FORMAT)
    columns = schema.columns_of(TiedInvoiceSchema)
    file_name = "invoices"

    @schema.asking("invoices", (AS_OF, FORMAT), TiedInvoicesSchema)
    def get(self, request: Request) -> HttpResponse:
        tied = tie_out(publication(self.asked(request).get("as_of")))
        return Response({"rows": SortedRows(tied, _invoice, place_of)})


def _invoice(one: TiedInvoice) -> dict[str, Any]:
    names = schema.columns_of(InvoiceServiceSchema)
    services = [{name: getattr(line, name) for name in names} for line in one.services]
    return {name: getattr(one, name) for name in InvoicesView.columns} | {"services": services}


def _closing(closed: Close) -> dict[str, Any]:
    own = {"publication": closed.publication.number, "adjusting_entries": len(closed.entries)}
    return {name: own.get(name, getattr(closed, name, None)) for name in ClosingView.columns}
