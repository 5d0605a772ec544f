"""The streamable HTTP transport of MCP, without sessions, around one request of Django."""

from collections.abc import MutableMapping
from typing import Any

import anyio
from django.http import HttpRequest, HttpResponse
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings

from apps.assistants.server import server_for
from apps.audit.requests import address_of

Message = MutableMapping[str, Any]


async def answered(request: HttpRequest, key: str) -> HttpResponse:
    """The answer of the transport to one request."""
    manager = StreamableHTTPSessionManager(
        server_for(key, address_of(request)),
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
