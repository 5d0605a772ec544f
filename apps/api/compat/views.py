"""The addresses of OpenCost's API: its parameters in, its JSON out, our numbers."""

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api.asking import AskView, unchanged
from apps.api.compat import allocations, assets, cloud_costs, parameters, schema
from apps.api.compat.books import Books
from apps.api.compat.questions import (
    Clock,
    allocation_question,
    asset_filter,
    books_of,
    cloud_filter,
    currency_of_all,
    sets_asked,
)
from apps.api.compat.renderers import NumberRenderer
from apps.api.questions import digest_of
from apps.marts.scoping import scope_of
from apps.marts.selectors import CACHE_SECONDS, NothingPublished, issue


class CompatView(AskView, ABC):
    """What OpenCost's addresses share: JSON with exact numbers whatever is accepted, `{"code", "data"}` around it."""

    renderer_classes = [NumberRenderer]
    about = ""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """OpenCost answers in JSON whatever a program says it accepts."""
        return NumberRenderer(), NumberRenderer.media_type

    def handle_exception(self, exc: Exception) -> Response:
        """Our failures in OpenCost's words."""
        response = super().handle_exception(exc)
        self.request.accepted_renderer = NumberRenderer()
        self.request.accepted_media_type = NumberRenderer.media_type
        said: Any = response.data
        error = {"code": said["code"], "message": said["detail"], "parameter": said["parameter"]}
        response.data = {"code": said["status"], "data": None, "message": said["detail"], "error": error}
        return response

    def books(self, request: Request, given: dict[str, Any]) -> tuple[Books, ZoneInfo]:
        """The books the request is about, and the time zone of their days."""
        zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
        now: datetime = timezone.now()
        return books_of(given, scope_of(request.user), Clock(now.astimezone(zone).date(), zone)), zone

    def answered(self, request: Request, books: Books, *asked: Any) -> HttpResponse:
        """The answer of this address, from the cache if the same was asked of the same publication."""
        pinned = books.pinned
        question = (self.about, issue(pinned), books.window, books.metric)
        teams = None if books.scope.teams is None else sorted(books.scope.teams)
        digest = digest_of(*question, books.currency, teams, settings.COSTOPS_TIME_ZONE, *asked)
        etag = f'"{pinned.number}-{digest}"'
        if same := unchanged(request, etag):
            return same
        key = f"compat:{pinned.number}:{digest}"
        data = cache.get(key)
        if data is None:
            data = self.data(books, *asked)
            cache.set(key, data, CACHE_SECONDS)
        return Response({"code": 200, "data": data}, headers={"ETag": etag})

    @abstractmethod
    def data(self, books: Books, *asked: Any) -> Any:
        """What stands under `data`."""


class AllocationView(CompatView):
    """Allocated cost in OpenCost's words, for the teams the caller may see."""

    known = parameters.ALLOCATION
    about = "allocation"

    @schema.asking("opencost_allocation", parameters.ALLOCATION, schema.AllocationsSchema)
    def get(self, request: Request) -> HttpResponse:
        given = self.asked(request)
        books, zone = self.books(request, given)
        return self.answered(request, books, allocation_question(given, books.window), zone)

    def data(self, books: Books, *asked: Any) -> Any:
        return allocations.answer(books, *asked)


class AllocationComputeView(AllocationView):
    """The same as `allocation`: nothing is computed anew, every number is published."""

    @schema.asking("opencost_allocation_compute", parameters.ALLOCATION, schema.AllocationsSchema)
    def get(self, request: Request) -> HttpResponse:
        return super().get(request)


class AssetsView(CompatView):
    """What each resource cost. An asset belongs to no team: for those who may see them all."""

    known = parameters.ASSETS
    about = "assets"

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if scope_of(request.user).teams is not None:
            raise PermissionDenied

    @schema.asking("opencost_assets", parameters.ASSETS, schema.AssetsSchema)
    def get(self, request: Request) -> HttpResponse:
        given = self.asked(request)
        books, zone = self.books(request, given)
        sets, keys = sets_asked(given, books.window), given.get("aggregate", ())
        return self.answered(request, books, sets, keys, asset_filter(given), zone)

    def data(self, books: Books, *asked: Any) -> Any:
        return assets.answer(books, *asked)


class AssetListView(AssetsView):
    """The same as Kubecost and kubectl-cost write it: a list of sets, also of one."""

    about = "assets as a list"

    def data(self, books: Books, *asked: Any) -> Any:
        told = super().data(books, *asked)
        return told if isinstance(told, list) else [told]


class ConfigsView(CompatView):
    """The currency of the costs, which kubectl-cost writes beside them."""

    known = parameters.CONFIGS
    about = "configs"

    def get(self, request: Request) -> HttpResponse:
        currency = currency_of_all(self.asked(request), scope_of(request.user))
        if currency is None:
            raise NothingPublished("There is no cost yet, and so no currency.")
        return Response({"code": 200, "data": self.data(None, currency)})

    def data(self, books: Books | None, *asked: Any) -> Any:
        (currency,) = asked
        return {"currencyCode": currency}


class CloudCostView(CompatView):
    """Cost by account, service, region and resource in every cost basis, for the teams the caller may see."""

    known = parameters.CLOUD_COSTS
    about = "cloudCost"

    @schema.asking("opencost_cloud_cost", parameters.CLOUD_COSTS, schema.CloudCostsSchema)
    def get(self, request: Request) -> HttpResponse:
        given = self.asked(request)
        books, zone = self.books(request, given)
        sets, keys = sets_asked(given, books.window), given.get("aggregate", ())
        return self.answered(request, books, sets, keys, cloud_filter(given), zone)

    def data(self, books: Books, *asked: Any) -> Any:
        return cloud_costs.answer(books, *asked)
