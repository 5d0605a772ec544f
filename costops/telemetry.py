"""Errors to Sentry and traces by OpenTelemetry, where settings ask for them; nothing leaves this machine otherwise."""

from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

EXTRA = "requirements/telemetry.txt"
OTLP = (
    "opentelemetry.sdk.trace",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.sdk.resources",
    "opentelemetry.trace",
    "opentelemetry.instrumentation.django",
    "opentelemetry.instrumentation.celery",
)


def start() -> None:
    """What settings ask for, in this process."""
    check()
    if settings.COSTOPS_SENTRY_DSN:
        start_sentry(settings.COSTOPS_SENTRY_DSN)
    if settings.COSTOPS_OTLP_ENDPOINT:
        start_tracing(settings.COSTOPS_OTLP_ENDPOINT)


def check() -> None:
    """Raises ImproperlyConfigured where settings ask for what is not installed."""
    if settings.COSTOPS_SENTRY_DSN:
        _needed("sentry_sdk", "COSTOPS_SENTRY_DSN")
    if settings.COSTOPS_OTLP_ENDPOINT:
        for module in OTLP:
            _needed(module, "COSTOPS_OTLP_ENDPOINT")


def _needed(module: str, setting: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ImproperlyConfigured(
            f"{setting} is set, but {error.name} is not installed: install {EXTRA} too, or unset it."
        ) from error


def start_sentry(dsn: str) -> None:
    """Uncaught errors of pages, API and tasks; no bodies, cookies, users, values of local variables, and no addresses:
    those of chat rooms, kept among the breadcrumbs, and those that end a subscription are secrets."""
    sentry = import_module("sentry_sdk")
    sentry.init(
        dsn=dsn, send_default_pii=False, include_local_variables=False, max_request_body_size="never",
        traces_sample_rate=0.0, max_breadcrumbs=0, before_send=_of_fault,
    )  # fmt: skip


def _of_fault(event: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
    """The kind of an error and where it came from. Its text, and what the log says, may quote a bill or an address; the
    library sends each line of level ERROR otherwise. The pattern of the address stays, as `transaction`."""
    if "exc_info" not in hint:
        return None
    for error in event["exception"]["values"]:
        error.pop("value", None)
    for name in ("logentry", "extra"):
        event.pop(name, None)
    if "request" in event:
        event["request"] = {"method": event["request"].get("method")}
    return event


def start_tracing(endpoint: str) -> None:
    """Spans of requests and tasks to an OTLP/HTTP collector."""
    sdk, export, batches, resources, api, in_django, in_celery = map(import_module, OTLP)
    provider = sdk.TracerProvider(resource=resources.Resource.create({"service.name": "costops"}))
    exporter = export.OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(batches.BatchSpanProcessor(exporter))
    api.set_tracer_provider(provider)
    in_django.DjangoInstrumentor().instrument(response_hook=_tell_pattern)
    in_celery.CeleryInstrumentor().instrument()


_ADDRESS = {"http.url", "http.target", "url.full", "url.path", "url.query"}
_WHO_ASKS = {
    "net.peer.ip", "net.peer.name", "net.peer.port", "http.user_agent", "http.client_ip",
    "client.address", "client.port", "network.peer.address", "network.peer.port", "user_agent.original",
}  # fmt: skip


def _tell_pattern(span: Any, request: Any, _response: Any) -> None:
    """The pattern of the address in place of the address, which may be a secret; nothing of who asked. A span forgets
    no attribute, but takes another value."""
    if span.is_recording():
        pattern = getattr(request.resolver_match, "route", "")
        told = span.attributes.keys()
        span.set_attributes(dict.fromkeys(_ADDRESS & told, pattern) | dict.fromkeys(_WHO_ASKS & told, ""))
