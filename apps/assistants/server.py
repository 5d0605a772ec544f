"""The MCP server: the tools, listed and called, for one caller."""

import logging
from typing import Any

import orjson
from asgiref.sync import sync_to_async
from django.db import close_old_connections
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from apps.assistants.asking import CannotAnswerError, ask
from apps.assistants.inputs import schema_of
from apps.assistants.tools import BY_NAME, TOOLS

logger = logging.getLogger(__name__)
NAME = "costops"
INSTRUCTIONS = (
    "CostOps answers what things cost, by team, exactly to the bill. Amounts are text with every decimal and a "
    "currency; never add currencies, and quote amounts as they are. Every answer names its publication and links to "
    "the page that shows the same. Unknown is null, not zero. You see what the owner of the token may see, and change "
    "nothing."
)


def server_for(key: str, address: str = "") -> "Server[Any]":
    """A server whose every call is made with this API token, by somebody at this address."""

    async def list_tools(
        _context: "ServerRequestContext[Any, Any]", _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=await sync_to_async(_tools)())

    async def call_tool(
        _context: "ServerRequestContext[Any, Any]", params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await sync_to_async(_called)(params.name, params.arguments or {}, key, address)

    return Server(NAME, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool)


def _tools() -> list[types.Tool]:
    read_only = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
    return [
        types.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=schema_of(tool),
            annotations=read_only,
        )
        for tool in TOOLS
    ]


def _called(name: str, arguments: dict[str, Any], key: str, address: str) -> types.CallToolResult:
    """The answer as compact JSON, or why there is none; what nobody foresaw is logged and says only that."""
    close_old_connections()  # a server lives for days; a database may have hung up
    try:
        if name not in BY_NAME:
            raise CannotAnswerError(f"{name[:60]!r} is not one of {', '.join(BY_NAME)}.")
        answer = ask(BY_NAME[name], arguments, key=key, address=address)
    except CannotAnswerError as refused:
        return types.CallToolResult(content=[types.TextContent(type="text", text=str(refused))], is_error=True)
    except Exception:  # a bug in one answer must not end the conversation
        logger.exception("the tool %s failed", name)
        told = types.TextContent(type="text", text="The server failed to answer; its log says why.")
        return types.CallToolResult(content=[told], is_error=True)
    finally:
        close_old_connections()
    text = types.TextContent(type="text", text=orjson.dumps(answer).decode())
    return types.CallToolResult(content=[text], structured_content=answer)
