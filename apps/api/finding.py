"""What the search box finds, over the API."""

from dataclasses import asdict
from typing import Any, cast

from django.contrib.auth.models import User
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.api import parameters, schema
from apps.api.asking import AskView
from apps.api.parameters import FORMAT, Parameter
from apps.dashboards import searching
from apps.marts.scoping import scope_of

PARAMETERS = (
    Parameter("q", parameters.text, "What is looked for; every word must occur."),
    Parameter("kind", parameters.one_of(*searching.GROUPS), "Only this sort.", choices=tuple(searching.GROUPS)),
    FORMAT,
)


class HitSchema(serializers.Serializer[Any]):
    """Something found: what it is called, where it belongs, and the page it leads to."""

    kind = serializers.ChoiceField(tuple(searching.GROUPS))
    title = serializers.CharField()
    hint = serializers.CharField(allow_blank=True)
    url = serializers.CharField()


class HitsSchema(serializers.Serializer[Any]):
    """What fits, the best of each sort first."""

    rows = HitSchema(many=True)


class SearchView(AskView):
    """Teams, namespaces, workloads, resources, recommendations and pages by their names, of what the caller may see."""

    known = PARAMETERS
    columns = schema.columns_of(HitSchema)
    file_name = "found"

    @schema.asking("search", PARAMETERS, HitsSchema)
    def get(self, request: Request) -> HttpResponse:
        asked = self.asked(request)
        scope = scope_of(request.user)
        by = searching.Searcher(cast(User, request.user), scope, scope.teams is None)
        found = searching.search(searching.cleaned(parameters.needed(asked, "q")), by, most=searching.LISTED)
        kinds = [group for group in found if group.key == asked.get("kind", group.key)]
        return Response({"rows": [{"kind": group.key} | asdict(hit) for group in kinds for hit in group.hits]})
