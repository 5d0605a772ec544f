"""The addresses of the REST API: a question in, an answer out."""

from collections.abc import Iterable
from dataclasses import asdict
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema, source_schema
from apps.api.asking import AskView, CompanyView, etag_of, unchanged
from apps.api.paging import SortedRows
from apps.api.problems import PROBLEMS, Problem
from apps.api.questions import coverage_of, facts
from apps.ingest.changes import Wanted, changes
from apps.ingest.selectors import SourceState, source_states
from apps.marts import selectors as marts
from apps.marts.models import Publication
from apps.marts.reconciling import reconciliation
from apps.marts.scoping import scope_of
from apps.marts.tagging import tag_dimensions
from apps.teams.models import Team
from apps.teams.organising import today, tree
from apps.teams.tree import LEVELS

RESTATEMENTS = (
    parameters.Parameter("source", parameters.text, "Only this source."),
    parameters.Parameter("billing_month", parameters.month, "Only this billing month, YYYY-MM."),
    parameters.Parameter("service", parameters.text, "Only this service, as FOCUS names it."),
    parameters.Parameter("start", parameters.day, "Only days from this one on, YYYY-MM-DD."),
    parameters.Parameter("end", parameters.day, "Only days before this one, YYYY-MM-DD."),
    parameters.FORMAT,
)

RECONCILIATION = (
    parameters.Parameter("source", parameters.text, "Only this source."),
    parameters.Parameter(
        "billing_month", parameters.month, "Only this billing month, YYYY-MM.", pattern=parameters.MONTH.pattern
    ),
    parameters.Parameter(
        "by_day", parameters.one_of("true", "false"), "`false` adds the days up.", choices=("true", "false")
    ),
    parameters.AS_OF,
    parameters.FORMAT,
)


class TeamsView(AskView):
    """The teams the caller may see."""

    columns = schema.columns_of(schema.TeamSchema)
    identity = ("name",)
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
    identity = ("name",)
    file_name = "sources"

    @schema.asking("sources", parameters.PLAIN, source_schema.SourcesSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": [_source(state) for state in source_states(timezone.now())]})


class RestatementsView(CompanyView):
    """What new issues of bills changed, by day and service."""

    known = RESTATEMENTS
    columns = schema.columns_of(source_schema.RestatementSchema)
    file_name = "restatements"

    @schema.asking("restatements", RESTATEMENTS, source_schema.RestatementsSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        asked.pop("format")
        return Response(
            {"rows": [{name: getattr(one, name) for name in self.columns} for one in changes(Wanted(**asked))]}
        )


class PublicationsView(AskView):
    """Publications, the newest first."""

    columns = schema.columns_of(schema.PublicationSchema)
    file_name = "publications"

    @schema.asking("publications", parameters.PLAIN, schema.PublicationsSchema, rows=100)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        sees_all = scope_of(request.user).teams is None
        rows = SortedRows(
            marts.publications(None), lambda one: _publication(one, sees_all=sees_all), lambda one: (-one.number,)
        )
        return Response({"rows": rows})


class ReconciliationView(CompanyView):
    """Charged against allocated, per source, billing month, currency and day."""

    known = RECONCILIATION
    columns = schema.columns_of(schema.ReconciliationRowSchema)

    @schema.asking("reconciliation", RECONCILIATION, schema.ReconciliationSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        number = marts.publication(asked.get("as_of")).number
        by_day = asked.get("by_day", "true") == "true"
        only = {name: asked.get(name) for name in ("source", "billing_month")}
        etag = etag_of(number, by_day, only, asked["format"])
        if same := unchanged(request, etag):
            return same
        publication, rows = reconciliation(as_of=number, by_day=by_day, **only)
        self.file_name = f"reconciliation-publication-{number}"
        body = {"publication": facts(publication), "rows": [asdict(row) for row in rows]}
        return Response(body, headers={"ETag": etag})


class OpenView(AskView):
    """What explains the API is for whoever asks."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


class ProblemsView(OpenView):
    """The kinds of failures there are."""

    columns = schema.columns_of(schema.ProblemKindSchema)
    identity = ("code",)
    file_name = "problems"

    @schema.asking("problems", parameters.PLAIN, schema.ProblemKindsSchema)
    def get(self, request: Request) -> HttpResponse:
        self.asked(request)
        return Response({"rows": [_kind(one) for one in PROBLEMS.values()]})


class ProblemView(OpenView):
    """One kind of failure, where its `type` says."""

    columns = ProblemsView.columns
    file_name = "problem"

    @schema.asking("problem", (parameters.CODE, *parameters.PLAIN), schema.ProblemKindSchema)
    def get(self, request: Request, code: str) -> HttpResponse:
        self.asked(request)
        if code not in PROBLEMS:
            raise NotFound
        return Response(_kind(PROBLEMS[code]))


class NowhereView(AskView):
    """Every other address below `/api/`: a failure as JSON, as everywhere here."""

    schema = None

    def get(self, request: Request, **_anything: str) -> HttpResponse:
        raise NotFound

    post = put = patch = delete = get


def _kind(one: Problem) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ProblemsView.columns}


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
    """The OpenAPI schema; the same for everybody, so that each process makes it once."""

    renderer_classes = [OpenApiJsonRenderer, OpenApiYamlRenderer]

    @extend_schema(exclude=True)
    def get(self, request: Request, *_args: Any, **_given: Any) -> Response:
        name = f'inline; filename="CostOps.{request.accepted_renderer.format}"'
        return Response(_schema(tag_dimensions()), headers={"Content-Disposition": name})


@cache
def _schema(_tags: tuple[str, ...]) -> Any:
    """Its rows tell the chosen tags, and nothing else in it is asked of the installation."""
    return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]  # the library has no types there
