"""A careful client of the Prometheus HTTP API: bounded, retried, never redirected, windows halved when too large."""

import secrets
import ssl
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import orjson
from django.conf import settings

from apps.finops.problems import Problem
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.errors import (
    BadPrometheusOption,
    PrometheusGarbled,
    PrometheusRefused,
    PrometheusUnavailable,
    QueryTooLarge,
)
from apps.warehouse.addresses import Unresolved, resolve
from apps.warehouse.exchange import Transport, pieces_of, within

MAX_POINTS = 11_000
"""Prometheus refuses a range query with more points per series."""

ATTEMPTS = 4
CONNECT_SECONDS = 3.0
LONGEST_WAIT_SECONDS = 30.0

_TOO_LARGE = (
    "too many samples",
    "exceeded maximum resolution",
    "timed out",
    "timeout",
    "maxsamplesper",
    "maxqueryduration",
    "maxpointspertimeseries",
    "exceeded the maximum number of",
    "max-fetched",
    "response size",
)
"""What Prometheus, Thanos, Mimir and VictoriaMetrics say when half of the window may still be answered."""

Series = dict[str, Any]
"""{"metric": {label: value}, "values": [[seconds, "number"], …]}, as the API answers."""


class _Again(Exception):
    """This attempt failed in a way that may pass."""

    def __init__(self, reason: str, wait_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.wait_seconds = wait_seconds


class _Halve(Exception):
    """This window is too large for the server or for us."""

    def __init__(self, reason: str, *, is_slow: bool = False) -> None:
        super().__init__(reason)
        self.is_slow = is_slow


@dataclass
class PrometheusClient:
    """One session with one server; safe to share between a few threads."""

    config: PrometheusConfig
    warnings: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        seconds = self.config.timeout_seconds
        self._http = httpx.Client(
            transport=Transport(
                verify=_trust(self.config.ca_file) if self.config.url.startswith("https:") else False,
                limits=httpx.Limits(max_connections=self.config.concurrency * 2),
            ),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(seconds, connect=CONNECT_SECONDS),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def range(self, query: str, *, start: int, end: int, step: int) -> list[Series]:
        """Evaluate at `start`, `start + step`, … up to and including `end` (seconds); pieces follow one another."""
        if (end - start) // step >= MAX_POINTS:
            middle = start + (MAX_POINTS - 1) * step
            return [
                *self.range(query, start=start, end=middle, step=step),
                *self.range(query, start=middle + step, end=end, step=step),
            ]
        form = {"query": query, "start": str(start), "end": str(end), "step": str(step)}
        try:
            return self._result("query_range", form, "matrix", is_last=start + step > end)
        except _Halve as halve:
            if start + step > end:
                raise _too_large(query, halve) from halve
            middle = start + (end - start) // step // 2 * step
            return [
                *self.range(query, start=start, end=middle, step=step),
                *self.range(query, start=middle + step, end=end, step=step),
            ]

    def over(self, query: str, *, start: int, end: int) -> list[Series]:
        """Evaluate once at `end`, looking back to `start`: `[$window]` in the query becomes that range.

        When the window is halved the same series comes back once for each part: its values are to be added.
        """
        form = {"query": query.replace("[$window]", f"[{end - start}s] offset 1ms"), "time": str(end)}
        try:
            series = self._result("query", form, "vector", is_last=end - start <= 3600)
        except _Halve as halve:
            if end - start <= 3600:
                raise _too_large(query, halve) from halve
            middle = start + max(1, (end - start) // 7200) * 3600
            return [*self.over(query, start=start, end=middle), *self.over(query, start=middle, end=end)]
        return [{"metric": one["metric"], "values": [one["value"]]} for one in series]

    def now(self) -> float:
        """The server's own clock, in seconds."""
        body = self._post("query", {"query": "time()"}, is_last=True)
        try:
            result = orjson.loads(body)["data"]["result"]
            moment = result[0]["value"] if isinstance(result[0], dict) else result  # VictoriaMetrics makes it a vector
            return float(moment[0])
        except (ValueError, LookupError, TypeError) as error:
            raise PrometheusGarbled(f"{self.config.url} does not tell its time: {_sample(body)}") from error

    def build_version(self) -> str:
        """What the server says it is; empty where the API has no build information."""
        try:
            data = orjson.loads(self._post("status/buildinfo", {}, is_last=True, method="GET"))["data"]
            return str(data["version"])
        except (PrometheusRefused, PrometheusGarbled, ValueError, LookupError, TypeError):
            return ""

    def _result(self, path: str, form: dict[str, str], kind: str, *, is_last: bool) -> list[Series]:
        body = self._post(path, form, is_last=is_last)
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise PrometheusGarbled(
                f"{self.config.url} answered something that is not JSON ({_sample(body)}) to: {form['query']}. "
                "A login page or a proxy may stand between; give the address of the API itself."
            ) from error
        if not isinstance(answer, dict) or answer.get("status") != "success":
            self._judge(200, answer, form["query"])
        self._note_warnings(answer, form["query"])
        data = answer.get("data")
        key = "values" if kind == "matrix" else "value"
        if not isinstance(data, dict) or data.get("resultType") != kind or not _is_series(data.get("result"), key):
            raise PrometheusGarbled(f"{self.config.url} answered no {kind} ({_sample(body)}) to: {form['query']}")
        return list(data["result"])

    def _note_warnings(self, answer: dict[str, Any], query: str) -> None:
        for severity, kind in (("warning", "warnings"), ("note", "infos")):
            told = answer.get(kind) or []
            for text in told if isinstance(told, list) else (told,):
                problem = Problem(severity, "prometheus-warning", query, f"The server says: {str(text)[:300]}")  # type: ignore[arg-type]  # one of the two above
                if problem not in self.warnings:
                    self.warnings.append(problem)

    def _post(self, path: str, form: dict[str, str], *, is_last: bool, method: str = "POST") -> bytes:
        """Send, and send again after a failure that may pass; a slow answer only where halving cannot help."""
        if self.config.is_thanos and form:
            form = form | {"dedup": "true", "partial_response": "false"}
        reason = ""
        for attempt in range(ATTEMPTS):
            try:
                return self._once(method, path, form, attempt)
            except _Again as again:
                reason, wait = str(again), again.wait_seconds
            except _Halve as halve:
                if not (is_last and halve.is_slow):
                    raise
                reason, wait = str(halve), None
            if attempt + 1 < ATTEMPTS:
                time.sleep(wait if wait is not None else self._backoff(attempt))
        raise PrometheusUnavailable(
            f"{self.config.url} failed {ATTEMPTS} times, last with: {reason}. Query: {form.get('query', path)}. "
            "Check that the server is up and that the location is right, then fill again."
        )

    def _backoff(self, attempt: int) -> float:
        full: float = min(LONGEST_WAIT_SECONDS, self.config.retry_seconds * 2**attempt)
        return full * (0.5 + secrets.randbelow(1000) / 2000)

    def _once(self, method: str, path: str, form: dict[str, str], attempt: int) -> bytes:
        request = self._request(method, path, form, attempt)
        began, seconds = time.monotonic(), self.config.timeout_seconds
        try:
            with within(4 * seconds):
                response = self._http.send(request, stream=True)
                try:
                    body = self._read(response)
                finally:
                    response.close()
        except (httpx.ReadTimeout, httpx.WriteTimeout) as error:
            is_late = time.monotonic() - began >= 4 * seconds
            reason = "the answer came too slowly" if is_late else f"no answer within {seconds:g} s"
            raise _Halve(reason, is_slow=True) from error
        except httpx.HTTPError as error:
            raise _Again(f"{type(error).__name__}: {error}") from error
        if response.status_code != 200:
            self._judge_status(response, body, form.get("query", path))
        return body

    def _request(self, method: str, path: str, form: dict[str, str], attempt: int) -> httpx.Request:
        """Address the request to a checked address, under the name of the host."""
        url = f"{self.config.url}/api/v1/{path}"
        parts = urlsplit(url)
        host = parts.hostname or ""
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
            addresses = resolve(host, port, only=settings.COSTOPS_SOURCE_HOSTS)
        except Unresolved as unresolved:
            raise PrometheusUnavailable(str(unresolved)) from unresolved
        address = addresses[attempt % len(addresses)]
        headers = {"Host": parts.netloc, "Accept": "application/json", "Accept-Encoding": "gzip"} | dict(
            self.config.headers
        )
        secret = self.config.authorization()
        if isinstance(secret, str):
            headers["Authorization"] = f"Bearer {secret}"
        request = self._http.build_request(
            method,
            httpx.URL(url).copy_with(host=address),
            data=form or None,
            headers=headers,
            extensions={"sni_hostname": host},
        )
        if isinstance(secret, tuple):
            return next(httpx.BasicAuth(*secret).auth_flow(request))
        return request

    def _read(self, response: httpx.Response) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in pieces_of(response):
            size += len(piece)
            if size > self.config.max_response_bytes:
                raise _Halve(f"the answer is larger than {self.config.max_response_bytes // 1024**2} MiB")
            pieces.append(piece)
        return b"".join(pieces)

    def _judge_status(self, response: httpx.Response, body: bytes, query: str) -> None:
        status = response.status_code
        if 300 <= status < 400:
            target = response.headers.get("location", "")[:200]
            raise PrometheusRefused(
                f"{self.config.url} redirects to {target!r}; give the final address as the location."
            )
        if status in (401, 403):
            raise PrometheusRefused(f"{self.config.url} refuses access ({status}); check the token or the user.")
        try:
            answer = orjson.loads(body)
        except orjson.JSONDecodeError:
            answer = None
        self._judge(status, answer, query, _wait(response))

    def _judge(self, status: int, answer: object, query: str, wait_seconds: float | None = None) -> None:
        """Raise what an unsuccessful answer means."""
        error = str(answer.get("error", "")) if isinstance(answer, dict) else ""
        kind = str(answer.get("errorType", "")) if isinstance(answer, dict) else ""
        if status in (413, 504) or kind == "timeout" or any(sign in error.lower() for sign in _TOO_LARGE):
            raise _Halve(error or f"status {status}", is_slow=status == 504)
        if status == 429 or status >= 500 or kind in ("unavailable", "canceled", "internal"):
            raise _Again(f"status {status} {error[:300]}".strip(), wait_seconds)
        if status == 404:
            raise PrometheusRefused(
                f"There is no Prometheus API under {self.config.url}/api/v1 (404). Give the address up to /api/v1."
            )
        raise PrometheusRefused(
            f"{self.config.url} refuses (status {status}: {error[:300] or 'no reason given'}): {query}"
        )


def _trust(ca_file: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise BadPrometheusOption(f"Option ca_file={ca_file!r} holds no usable certificate ({error}).") from error


def _wait(response: httpx.Response) -> float | None:
    """How long the server asks us to wait, within reason."""
    text = response.headers.get("retry-after", "")
    return min(LONGEST_WAIT_SECONDS, float(text)) if text.isascii() and text.isdigit() else None


def _is_series(result: object, key: str) -> bool:
    return isinstance(result, list) and all(
        isinstance(one, dict) and isinstance(one.get("metric"), dict) and isinstance(one.get(key), list)
        for one in result
    )


def _sample(body: bytes) -> str:
    return repr(body[:60].decode("utf-8", "replace"))


def _too_large(query: str, halve: _Halve) -> QueryTooLarge:
    return QueryTooLarge(
        f"Even one hour is too much for: {query} ({halve}). Raise the server's limit "
        "(--query.max-samples, --query.timeout) or the option timeout_seconds or max_response_mib."
    )
