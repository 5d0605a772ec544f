"""Lines of the log, plain or as JSON, each object with the request or the run it belongs to; and lines left out."""

import logging
from datetime import UTC, datetime

from pythonjsonlogger.json import JsonFormatter

from apps.finops.lines import without_orders
from apps.finops.running import at_work

REQUEST_ID = "costops.request_id"
"""Where the environment of a request holds its name: no header is called so."""


class NotOfProbes(logging.Filter):
    """Without what Django says of each probe that finds us not ready; readiness tells once what has changed."""

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(getattr(record, "request", None), "path_info", "") != "/readyz"


class Plain(logging.Formatter):
    """For people. Others have a say in messages: what goes on in another line is set in, so that it begins none."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return "\n    ".join(map(without_orders, super().formatMessage(record).split("\n")))


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
