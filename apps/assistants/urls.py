"""The address of the MCP server."""

from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from apps.assistants.views import McpView

urlpatterns = [path("", csrf_exempt(McpView.as_view()), name="mcp")]
