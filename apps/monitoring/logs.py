"""Lines of the log as JSON, one object a line, each with the request or the run it belongs to; and lines left out."""

import logging
from datetime import UTC, datetime

from pythonjsonlogger.json import JsonFormatter

from apps.finops.running import at_work

REQUEST_ID = "costops.request_id"
"""Where the environment of a request holds its name: no header is called so."""


class NotOfProbes(logging.Filter):
    """Without what Django says of each probe that finds us not ready; readiness tells once what has changed."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path_info", "") != "/readyz"


class Json(JsonFormatter):
    """Time (UTC), level, logger, message, and what was at work; a traceback as one text under `exc_info`."""

    def __init__(self) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s", rename_fields={"levelname": "level", "name": "logger"})

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")

    def add_fields(
        self, log_data: dict[str, object], record: logging.LogRecord, message_dict: dict[str, object]
    ) -> None:
        log_data["time"] = self.formatTime(record)
        super().add_fields(log_data, record, message_dict)
        request = log_data.pop("request", None)  # Django gives it to lines it writes when the answer is on its way
        named = getattr(request, "META", {}).get(REQUEST_ID)
        if named:
            log_data["request_id"] = named
        log_data.update(at_work())
