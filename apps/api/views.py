"""The addresses of the REST API: a question in, an answer out."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.http import conditional_page
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.api import parameters, schema, source_schema
from apps.api.errors import BadParameterError
from apps.api.questions import coverage_of, digest_of, facts
from apps.api.renderers import JsonRenderer
from apps.api.selectors import scope_of
from apps.ingest.changes import Wanted, changes
from apps.ingest.selectors import SourceState, source_states
from apps.marts import selectors as marts
from apps.marts.models import Publication
from apps.teams.models import Team
from apps.teams.organising import today, tree
from apps.teams.tree import LEVELS


@method_decorator(conditional_page, name="dispatch")
class AskView(APIView):
    """What every address shares: strict parameters, private caching, CSV file names, and failures always as JSON."""

    known: parameters.Known = parameters.PLAIN
    formats: tuple[str, ...] = parameters.FORMATS
    columns: tuple[str, ...] = ()
    file_name = "costops"

    def asked(self, request: Request) -> dict[str, Any]:
        """The parameters of a request, the format that was agreed on among them."""
        given = parameters.read(request.query_params, self.known)
        return {**given, "format": getattr(request.accepted_renderer, "format", "json")}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """By `format`, else by Accept; a format that is not there is a bad parameter, not a missing page."""
        chosen = request.query_params.get(parameters.FORMAT.name)
        if chosen not in (None, *self.formats) and not force:
            raise BadParameterError(parameters.FORMAT.name, f"format is not one of {', '.join(self.formats)}")
        return super().perform_content_negotiation(request, force)

    def get_renderer_context(self) -> dict[str, Any]:
        return {**super().get_renderer_context(), "columns": self.columns}

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        self.request.accepted_renderer = JsonRenderer()
        self.request.accepted_media_type = JsonRenderer.media_type
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        done = super().finalize_response(request, response, *args, **kwargs)
        done["Cache-Control"] = "private, no-cache"
        patch_vary_headers(done, ("Accept", "Authorization", "Cookie"))
        chosen = getattr(request.accepted_renderer, "format", "")
        if done.status_code == 200 and chosen in parameters.TABLE_FORMATS[1:]:
            done["Content-Disposition"] = f'attachment; filename="{self.file_name}.{chosen}"'
        return done


class CompanyView(AskView):
    """What concerns all teams at once is for those who may see them all."""

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if scope_of(request.user).teams is not None:
            raise PermissionDenied


class TeamsView(AskView):
    """The teams the caller may see."""

    columns = schema.columns_of(schema.TeamSchema)
    file_name = "teams"

    @schema.asking("teams", parameters.PLAIN, schema.TeamsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        scope = scope_of(request.user)
        found = Team.objects.all() if scope.teams is None else Team.objects.filter(name__in=scope.teams)
        return Response({"rows": _teams(found.order_by("name"))})


class TeamView(AskView):
    """One team. Not the caller's and not there are the same answer."""

    columns = schema.columns_of(schema.TeamSchema)
    file_name = "team"

    @schema.asking("team", (parameters.TEAM, *parameters.PLAIN), schema.TeamSchema)
    def get(self, request: Request, name: str) -> HttpResponse:
        self.asked(request)
        team = Team.objects.filter(name=name).first()
        if team is None or not scope_of(request.user).allows(team.name):
            raise NotFound
        return Response(_teams([team])[0])


class SourcesView(CompanyView):
    """The sources of charges and usage, and how they are."""

    columns = schema.columns_of(source_schema.SourceSchema)
    file_name = "sources"

    @schema.asking("sources", parameters.PLAIN, source_schema.SourcesSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": [_source(state) for state in source_states(timezone.now())]})


class RestatementsView(CompanyView):
    """What new issues of bills changed, by day and service."""

    known = parameters.RESTATEMENTS
    columns = schema.columns_of(source_schema.RestatementSchema)
    file_name = "restatements"

    @schema.asking("restatements", parameters.RESTATEMENTS, source_schema.RestatementsSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        wanted = Wanted(**{name: asked[name] for name in asked if name not in ("limit", "format")})
        found = list(changes(wanted))
        limit = asked.get("limit", parameters.DEFAULT_LIMIT if asked["format"] == "json" else None)
        rows = [{name: getattr(change, name) for name in self.columns} for change in found[:limit]]
        return Response({"rows_total": len(found), "rows": rows})


class PublicationsView(AskView):
    """Publications, the newest first."""

    known = parameters.PUBLICATIONS
    columns = schema.columns_of(schema.PublicationSchema)
    file_name = "publications"

    @schema.asking("publications", parameters.PUBLICATIONS, schema.PublicationsSchema)
    def get(self, request: Request) -> HttpResponse:
        limit = self.asked(request).get("limit", 100)
        sees_all = scope_of(request.user).teams is None
        return Response({"rows": [_publication(found, sees_all=sees_all) for found in marts.publications(limit)]})


class ReconciliationView(CompanyView):
    """Charged against allocated, per source, billing month, currency and day."""

    known = parameters.RECONCILIATION
    columns = schema.columns_of(schema.ReconciliationRowSchema)

    @schema.asking("reconciliation", parameters.RECONCILIATION, schema.ReconciliationSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        number = marts.publication(asked.get("as_of")).number
        by_day = asked.get("by_day", "true") == "true"
        only = {name: asked.get(name) for name in ("source", "billing_month")}
        etag = etag_of(number, by_day, only, asked["format"])
        if same := unchanged(request, etag):
            return same
        publication, rows = marts.reconciliation(as_of=number, by_day=by_day, **only)
        self.file_name = f"reconciliation-publication-{number}"
        body = {"publication": facts(publication), "rows": [asdict(row) for row in rows]}
        return Response(body, headers={"ETag": etag})


class NowhereView(AskView):
    """Every other address below `/api/`: a failure as JSON, as everywhere here."""

    schema = None

    def get(self, request: Request, **_anything: str) -> HttpResponse:
        raise NotFound


def etag_of(publication: int | None, *asked: Any) -> str:
    """The ETag of an answer that a publication, the question and the viewer's scope decide."""
    return f'"{publication}-{digest_of(*asked)}"'


def unchanged(request: Request, etag: str) -> HttpResponse | None:
    """304, if the caller has the answer of this ETag already."""
    same = get_conditional_response(request._request, etag=etag)  # there is no public way to Django's own request
    if same is not None:
        same["ETag"] = etag
    return same


def _teams(teams: Iterable[Team]) -> list[dict[str, Any]]:
    """Teams and where they stand today."""
    known, day = tree(), today()
    rows = []
    for team in teams:
        spot = known.spot(team.name, day)
        placed = {level: spot.value(level) if spot else "" for level in LEVELS}
        plain = {name: getattr(team, name) for name in TeamView.columns if name not in (*LEVELS, "costs")}
        costs = f"{reverse('api-costs')}?{urlencode({'team': team.name})}"
        rows.append({name: (plain | placed | {"costs": costs})[name] for name in TeamView.columns})
    return rows


def _source(state: SourceState) -> dict[str, Any]:
    source = {name: getattr(state.source, name) for name in ("name", "kind", "cluster", "is_active")}
    counts = {name: getattr(state, name) for name in ("files", "refused", "waiting", "held", "rows", "last_day")}
    return {
        **source,
        "location": _without_secrets(state.source.location),
        **counts,
        "last_received": state.last_received,
        "usual": state.arrival.sentence if state.arrival else "",
        "late": str(state.arrival.late or "") if state.arrival else "",
        "has_failed": state.has_failed,
        "problems": [asdict(problem) for problem in state.problems],
    }


def _without_secrets(location: str) -> str:
    """A location as others may see it: an address without user, password and query."""
    parts = urlsplit(location)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")) if parts.netloc else location


def _publication(found: Publication, *, sees_all: bool) -> dict[str, Any]:
    plain = {name: getattr(found, name) for name in PublicationsView.columns if name not in ("coverage", "totals")}
    return {**plain, "coverage": coverage_of(found), "totals": found.totals if sees_all else None}


class DocsView(SpectacularSwaggerSplitView):
    """The schema to read and try in a browser; scripts and styles come from this server, none stands in the page."""

    template_name = "api/docs.html"
    url_name = "api-schema"
    throttle_classes = []


class SchemaView(SpectacularAPIView):
    """The OpenAPI schema."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]
