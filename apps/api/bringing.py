"""An address to which rows may be brought."""

from typing import Any

from rest_framework.request import Request

from apps.api import parameters
from apps.api.asking import AskView
from apps.api.bodies import CONTENT, CsvBody, JsonBody
from apps.api.parameters import Parameter
from apps.api.renderers import JsonRenderer
from apps.teams.roles import Can


class BringView(AskView):
    """An address that takes rows too, from those who may do one of `written_by`; whoever signed in may read."""

    parser_classes = [CsvBody, JsonBody]
    known_to_bring: tuple[Parameter, ...] = ()
    written_by = frozenset({Can.SPEAK_FOR_COMPANY})

    def brought(self, request: Request) -> tuple[bytes, dict[str, Any]]:
        """The rows of a request as CSV, and what its address says of them."""
        self.check_may_write(request)
        request.accepted_renderer, request.accepted_media_type = JsonRenderer(), JsonRenderer.media_type  # no rows
        given = dict(parameters.read(request.query_params, self.known_to_bring))
        body: Any = request.data
        return body.get(CONTENT, b""), given
