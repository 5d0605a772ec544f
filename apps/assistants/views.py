"""`/mcp/`: the MCP server over HTTP, one question per request, with the tokens of the API."""

from collections.abc import MutableMapping
from typing import Any

import anyio
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.utils import timezone
from django.views import View
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings

from apps.api.authentication import MAX_HEADER, key_of
from apps.api.selectors import valid_token
from apps.assistants.server import server_for

Message = MutableMapping[str, Any]
_UNKNOWN = "No valid token. Send one of the API's as `Authorization: Bearer costops_...`."


class McpView(View):
    """The streamable HTTP transport without sessions: every POST is answered by itself, as JSON, by whichever process.

    A browser's session opens nothing here, so no page can ask in somebody's name.
    """

    def post(self, request: HttpRequest) -> HttpResponse:
        request.get_host()  # refuses hosts that are not ours
        header = request.headers.get("Authorization", "")
        key = key_of(header) if len(header) <= MAX_HEADER else None
        if not key or not key.isascii() or "\x00" in key or valid_token(key, timezone.now()) is None:
            return JsonResponse({"error": _UNKNOWN}, status=401, headers={"WWW-Authenticate": "Bearer"})
        return async_to_sync(_answered)(request, key)

    def http_method_not_allowed(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        return HttpResponseNotAllowed(["POST"])


async def _answered(request: HttpRequest, key: str) -> HttpResponse:
    """The answer of the transport to one request."""
    manager = StreamableHTTPSessionManager(
        server_for(key),
        json_response=True,
        stateless=True,
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),  # a token is asked for
    )
    sent: list[Message] = []
    unread = [{"type": "http.request", "body": request.body, "more_body": False}]

    async def receive() -> Message:
        if not unread:
            await anyio.sleep_forever()
        return unread.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    async with manager.run():
        await manager.handle_request(_scope(request), receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return HttpResponse(body, status=start["status"], headers=headers)


def _scope(request: HttpRequest) -> dict[str, Any]:
    """The request as the transport reads it; the token is not passed on."""
    headers = [(name.lower(), value) for name, value in request.headers.items() if name.lower() != "authorization"]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": None,
        "server": None,
    }
