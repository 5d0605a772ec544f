"""The bill rows of an invoice over the API."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import CompanyView
from apps.api.explain import BILL_ROW, BillRowSchema
from apps.api.parameters import AS_OF, FORMAT, Parameter
from apps.insights.invoiced import invoiced

MOST = 1_000
LISTING = (
    Parameter("invoice_id", parameters.text, "The id of the invoice; empty: charges that carry none."),
    Parameter("account", parameters.text, "The billing account."),
    Parameter("currency", parameters.text, "The currency of the bill."),
    Parameter("most", parameters.whole_number(1, MOST), f"So many rows, at most {MOST}; 50 by default."),
    AS_OF,
    FORMAT,
)


class InvoicedSchema(serializers.Serializer[Any]):
    """The charges of an invoice in billed cost: `rows` are the largest, `total` and `bill_row_count` are of all."""

    invoice_id = serializers.CharField(allow_blank=True)
    account = serializers.CharField()
    currency = serializers.CharField()
    publication = serializers.IntegerField()
    total = schema.Amount()
    bill_row_count = serializers.IntegerField()
    rows = BillRowSchema(many=True)


class InvoicedView(CompanyView):
    """The bill rows of an invoice, the largest first, with file and line."""

    known = LISTING
    columns = BILL_ROW
    file_name = "invoice-rows"

    @schema.asking("invoice_rows", LISTING, InvoicedSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        which = [parameters.needed(asked, name) for name in ("invoice_id", "account", "currency")]
        found = invoiced(*which, as_of=asked.get("as_of"), limit=asked.get("most", 50))
        if not found.bill_row_count:
            raise NotFound
        plain = {name: getattr(found, name) for name in schema.columns_of(InvoicedSchema) if name != "rows"}
        rows = [{name: getattr(one, name) for name in BILL_ROW} for one in found.bill_rows]
        return Response({**plain, "rows": rows})
