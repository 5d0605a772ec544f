"""The app of the MCP server."""

from django.apps import AppConfig


class AssistantsConfig(AppConfig):
    """The API's questions, offered to assistants."""

    name = "apps.assistants"
