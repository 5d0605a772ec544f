"""`/mcp/`: the MCP server over HTTP, one question per request, with the tokens of the API."""

from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone
from django.views import View

from apps.api.authentication import MAX_HEADER, key_of
from apps.api.selectors import speaker_of, valid_token
from apps.api.throttling import UserThrottle
from apps.audit.requests import ONLY_LOOKS

_UNKNOWN = "No valid token. Send one of the API's as `Authorization: Bearer costops_...`."
_TOO_MANY = "Too many requests: at most {most} a minute. Ask again in {seconds} seconds."


class McpThrottle(UserThrottle):
    """As many messages as the API takes requests, counted apart: what a tool asks of the API is counted there."""

    counted = "mcp-requests"


_NO_FORM = "Send a message of MCP as application/json, not a form."


class McpView(View):
    """The streamable HTTP transport without sessions: every POST is answered by itself, as JSON, by whichever process.

    A browser's session opens nothing here, so no page can ask in somebody's name.
    """

    def post(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # refuses hosts that are not ours
        header = request.headers.get("Authorization", "")
        key = key_of(header) if len(header) <= MAX_HEADER else None
        token = valid_token(key, timezone.now()) if key and key.isascii() and "\x00" not in key else None
        if key is None or token is None:
            return JsonResponse({"error": _UNKNOWN}, status=401, headers={"WWW-Authenticate": "Bearer"})
        if request.content_type == "multipart/form-data":  # a form is read before we are asked; its bytes are gone
            return JsonResponse({"error": _NO_FORM}, status=415)
        request.user = speaker_of(token)
        for name, value in (("auth", token), (ONLY_LOOKS, True)):  # for the audit log
            setattr(request, name, value)
        if (refused := self._refusal(request)) is not None:
            return refused
        from apps.assistants.transport import answered  # most of a second that pages need not wait for

        return async_to_sync(answered)(request, key)

    def _refusal(self, request: Any) -> HttpResponse | None:
        """The answer to whoever asks too often."""
        throttle = McpThrottle()
        self.headers: dict[str, str] = {}
        if throttle.allow_request(request, self):  # type: ignore[arg-type]  # it only writes the headers of a view
            return None
        seconds = int(throttle.wait())
        told = _TOO_MANY.format(most=self.headers["RateLimit-Limit"], seconds=seconds)
        return JsonResponse({"error": told}, status=429, headers=self.headers | {"Retry-After": str(seconds)})

    def http_method_not_allowed(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])
