"""Prices over the API: what SKUs cost, commitments and how much of them was used, and what is on sale for plans."""

from dataclasses import fields
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import CompanyView
from apps.api.bringing import BringView
from apps.api.paging import Rows
from apps.api.parameters import FORMAT, Parameter
from apps.planning.models import Offer
from apps.planning.offers import csv_file, table
from apps.prices import selectors, services
from apps.prices.models import Price
from apps.prices.selectors import Commitment
from apps.teams.approval import actor_of
from apps.teams.roles import Can

ORIGINS = tuple(str(origin) for origin in Price.Origin.values)
LISTING = (
    Parameter("provider", parameters.text, "Only of this provider."),
    Parameter("region", parameters.text, "Only of this region."),
    Parameter("sku_id", parameters.text, "Only of this SKU."),
    FORMAT,
)
COMMITTED = (
    Parameter("month", parameters.month, "Only this billing month, YYYY-MM.", pattern=r"^\d{4}-\d\d$"),
    Parameter("provider", parameters.text, "Only of this provider."),
    FORMAT,
)
FILE = (parameters.NAME, FORMAT)


class PriceSchema(serializers.Serializer[Any]):
    """What one unit of a SKU costs from a day on; a price that is not known is null. `charges` and `quantity` are what
    a learned price was learned from."""

    provider = serializers.CharField()
    region = serializers.CharField(allow_blank=True)
    sku_id = serializers.CharField()
    service = serializers.CharField(allow_blank=True)
    unit = serializers.CharField()
    currency = serializers.CharField()
    list_unit_price = schema.Amount(allow_null=True)
    contracted_unit_price = schema.Amount(allow_null=True)
    valid_from = serializers.DateField()
    origin = serializers.ChoiceField(ORIGINS)
    charges = serializers.IntegerField()
    quantity = schema.Amount(allow_null=True)


class PricesSchema(serializers.Serializer[Any]):
    """Prices, by provider, service and SKU."""

    rows = PriceSchema(many=True)


class PricesTakenSchema(serializers.Serializer[Any]):
    """How many prices were taken."""

    rows = serializers.IntegerField()


class CommitmentSchema(serializers.Serializer[Any]):
    """A commitment in a billing month: effective cost used and unused; `utilisation` is the part used, null where there
    was nothing to use."""

    id = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    type = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    provider = serializers.CharField(allow_blank=True)
    period = serializers.CharField()
    currency = serializers.CharField()
    used = schema.Amount()
    unused = schema.Amount()
    purchase_cost = schema.Amount()
    utilisation = schema.Amount(allow_null=True)
    expiry = serializers.DateTimeField(allow_null=True)


class CommitmentsSchema(serializers.Serializer[Any]):
    """Commitments, by provider, id and month."""

    rows = CommitmentSchema(many=True)


OfferSchema = type(
    "OfferSchema",
    (serializers.Serializer,),
    {"__doc__": "A row of the price table of what can be bought, as files hold it; what is not told is empty."}
    | {name: serializers.CharField(allow_blank=True) for name in csv_file.COLUMNS},
)


class OffersSchema(serializers.Serializer[Any]):
    """The price table of what can be bought, in the order of validity; the newest row of an offer counts."""

    rows = OfferSchema(many=True)


class PricesView(CompanyView, BringView):
    """Unit prices of SKUs; a POST brings a price list, all or nothing; staff bring."""

    known = LISTING
    known_to_bring = FILE
    written_by = frozenset({Can.MANAGE_SOURCES})
    columns = schema.columns_of(PriceSchema)
    file_name = "prices"

    @schema.asking("prices", LISTING, PricesSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        return Response({"rows": Rows(selectors.prices(**asked), _price)})

    @schema.bringing("import_prices", FILE, PricesTakenSchema)
    def post(self, request: Request) -> HttpResponse:
        content, given = self.brought(request)
        return Response({"rows": services.import_content(content, given.get("name", "upload")).prices}, status=201)


class CommitmentsView(CompanyView):
    """Commitments and how much of them was used."""

    known = COMMITTED
    columns = schema.columns_of(CommitmentSchema)
    identity = ("id", "provider", "period", "currency")
    file_name = "commitments"

    @schema.asking("commitments", COMMITTED, CommitmentsSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        found = selectors.commitments(month=asked.get("month"), provider=asked.get("provider"))
        return Response({"rows": [_commitment(one) for one in found]})


class OffersView(CompanyView, BringView):
    """What can be bought, for planners to choose from; a POST adds rows, all or none."""

    known = parameters.PLAIN
    known_to_bring = FILE
    columns = csv_file.COLUMNS
    file_name = "offers"

    @schema.asking("offers", parameters.PLAIN, OffersSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": [_offer(one) for one in table.rows()]})

    @schema.bringing("add_offers", FILE, PricesTakenSchema)
    def post(self, request: Request) -> HttpResponse:
        content, given = self.brought(request)
        now = timezone.now()  # noqa: TID251  # a request is an entry point
        count = table.add(content, name=given.get("name", "upload"), by=actor_of(request.user), now=now)
        return Response({"rows": count}, status=201)


def _price(one: Price) -> dict[str, Any]:
    return {name: getattr(one, name) for name in PricesView.columns}


def _commitment(one: Commitment) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one)}


def _offer(one: Offer) -> dict[str, Any]:
    return dict(csv_file.cells(one))
