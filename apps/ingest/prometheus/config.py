"""Where a Prometheus-compatible server is and how it is asked: the options of a source, checked."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import promql_parser

from apps.ingest.prometheus.errors import BadPrometheusOption

MIB = 1024 * 1024
_HEADER = re.compile(r"[A-Za-z0-9-]{1,60}", re.ASCII)
_LABEL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OWN_HEADERS = {"host", "content-length", "content-type", "transfer-encoding", "connection", "accept-encoding"}
_MATCH = {"Equal": "=", "NotEqual": "!=", "Re": "=~", "NotRe": "!~"}


@dataclass(frozen=True)
class PrometheusConfig:
    """One source. Secrets are named by file or environment variable, never held here."""

    url: str
    cluster: str = ""
    cluster_label: str = "cluster"
    selector: str = ""
    state_job: str = ".*kube-state-metrics.*"
    usage_job: str = ".*(kubelet|cadvisor).*"
    node_pool_label: str = ""
    scrape_seconds: int | None = None
    timeout_seconds: float = 30.0
    retry_seconds: float = 0.5
    concurrency: int = 2
    max_response_bytes: int = 64 * MIB
    is_thanos: bool = False
    token_file: str = ""
    token_env: str = ""
    user: str = ""
    password_file: str = ""
    password_env: str = ""
    ca_file: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @classmethod
    def from_options(cls, location: str, cluster: str, options: Mapping[str, str]) -> "PrometheusConfig":
        """Read a source's location, cluster and options; every mistake is named."""
        values: dict[str, Any] = {}
        headers: list[tuple[str, str]] = []
        for option, text in options.items():
            if option.startswith("headers."):
                headers.append(_header(option, str(text)))
            elif option in OPTIONS:
                name, read, _help = OPTIONS[option]
                values[name] = read(option, str(text))
            else:
                known = ", ".join([*OPTIONS, "headers.NAME"])
                raise BadPrometheusOption(f"Unknown option {option!r} of a Prometheus source. Known: {known}.")
        config = cls(url=_url(location), cluster=cluster, headers=tuple(headers), **values)
        _check_authentication(config)
        return config

    def authorization(self) -> tuple[str, str] | str | None:
        """(user, password), a bearer token, or nothing; read anew each time, because tokens are rotated."""
        if self.user:
            return self.user, _secret(self.password_file, self.password_env)
        if self.token_file or self.token_env:
            return _secret(self.token_file, self.token_env)
        return None


def _url(location: str) -> str:
    try:
        parts = urlsplit(location)
        port = parts.port
    except ValueError as error:
        raise BadPrometheusOption(f"The location {location!r} is not a URL: {error}.") from error
    mistakes = {
        "it begins with neither http:// nor https://": parts.scheme not in ("http", "https"),
        "it has no host": not parts.hostname,
        "it holds a user name; use the options user and password_file": "@" in parts.netloc,
        "it has a query or a fragment; give the address up to /api/v1": bool(parts.query or parts.fragment),
        "it has a space or a control character": any(ord(char) <= 32 or ord(char) == 127 for char in location),
        "port 0 cannot be asked": port == 0,
    }
    for mistake, is_made in mistakes.items():
        if is_made:
            shown = location if "@" not in parts.netloc else "(not shown)"
            raise BadPrometheusOption(f"The location {shown!r} cannot be used: {mistake}.")
    return location.rstrip("/").removesuffix("/api/v1")


def _text(option: str, text: str) -> str:
    if not text or any(ord(char) < 32 for char in text):
        raise BadPrometheusOption(f"Option {option} is empty or has a control character.")
    return text


def _file(option: str, text: str) -> str:
    if not Path(text).is_file():
        raise BadPrometheusOption(f"Option {option}: there is no file {text!r}.")
    return text


def _number(low: float, high: float, kind: type[int] | type[float]) -> Callable[[str, str], float]:
    def read(option: str, text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            value = kind(-1)
        if not low <= value <= high:
            raise BadPrometheusOption(f"Option {option}={text!r}: give a number from {low:g} to {high:g}.")
        return value

    return read


def _mebibytes(option: str, text: str) -> int:
    return int(_number(1, 2048, int)(option, text)) * MIB


def _yes_or_no(option: str, text: str) -> bool:
    if text.lower() not in ("true", "false", "yes", "no"):
        raise BadPrometheusOption(f"Option {option}={text!r}: say true or false.")
    return text.lower() in ("true", "yes")


def _label_name(option: str, text: str) -> str:
    if not _LABEL.fullmatch(text):
        raise BadPrometheusOption(f"Option {option}={text!r} is not a label name.")
    return text


def _expression(option: str, text: str) -> str:
    """A regular expression that stands inside PromQL quotes; the server itself will judge its syntax."""
    if '"' in text or "\\" in text or "\n" in text:
        raise BadPrometheusOption(f"Option {option}={text!r} must not hold quotes or backslashes.")
    return _text(option, text)


def _selector(option: str, text: str) -> str:
    """Label matchers such as `tenant="a",cluster=~"x|y"`, parsed and written anew, so that nothing else can slip in."""
    problem = f"Option {option}={text!r}: give label matchers such as " + 'tenant="a",cluster=~"x|y"'
    try:
        parsed = promql_parser.parse("up{" + text.strip().removeprefix("{").removesuffix("}") + "}")
    except ValueError as error:
        raise BadPrometheusOption(f"{problem} ({error}).") from error
    if (
        not isinstance(parsed, promql_parser.VectorSelector)
        or parsed.offset
        or parsed.at
        or parsed.matchers.or_matchers
    ):
        raise BadPrometheusOption(f"{problem}.")
    return ",".join(
        f"{matcher.name}{_MATCH[str(matcher.op).rpartition('.')[2]]}{_quoted(matcher.value)}"
        for matcher in parsed.matchers.matchers
    )


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _header(option: str, text: str) -> tuple[str, str]:
    name = option.removeprefix("headers.")
    if not _HEADER.fullmatch(name) or name.lower() in _OWN_HEADERS:
        raise BadPrometheusOption(f"Option {option}: {name!r} cannot be set as a header.")
    if not text.isascii() or any(ord(char) < 32 for char in text):
        raise BadPrometheusOption(f"Option {option}: a header's value is plain ASCII on one line.")
    return name, text


def _check_authentication(config: PrometheusConfig) -> None:
    mistakes = {
        "give token_file or token_env, not both": config.token_file and config.token_env,
        "give a token or a user, not both": (config.token_file or config.token_env) and config.user,
        "user needs password_file or password_env": config.user and not (config.password_file or config.password_env),
        "password_file and password_env need user": not config.user and (config.password_file or config.password_env),
    }
    for mistake, is_made in mistakes.items():
        if is_made:
            raise BadPrometheusOption(f"Options of the Prometheus source: {mistake}.")


def _secret(file: str, variable: str) -> str:
    if file:
        try:
            secret = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise BadPrometheusOption(f"The secret in {file!r} cannot be read ({type(error).__name__}).") from error
    else:
        secret = os.environ.get(variable, "").strip()
    if not secret or not secret.isascii() or any(ord(char) < 32 for char in secret):
        raise BadPrometheusOption(f"The secret in {file or '$' + variable} is empty or not plain text on one line.")
    return secret


OPTIONS: dict[str, tuple[str, Callable[[str, str], Any], str]] = {
    "token_file": ("token_file", _file, "file with a bearer token"),
    "token_env": ("token_env", _text, "environment variable with a bearer token"),
    "user": ("user", _text, "user name, for basic authentication"),
    "password_file": ("password_file", _file, "file with that user's password"),
    "password_env": ("password_env", _text, "environment variable with that user's password"),
    "ca_file": ("ca_file", _file, "certificates to trust, PEM"),
    "timeout_seconds": ("timeout_seconds", _number(1, 600, float), "how long one answer may take"),
    "retry_seconds": ("retry_seconds", _number(0, 60, float), "wait before the second attempt; doubles"),
    "concurrency": ("concurrency", _number(1, 8, int), "queries in flight"),
    "max_response_mib": ("max_response_bytes", _mebibytes, "largest answer; beyond it the window is halved"),
    "thanos": ("is_thanos", _yes_or_no, "ask Thanos to merge replicas and to refuse partial answers"),
    "selector": ("selector", _selector, "label matchers added to every query"),
    "cluster_label": ("cluster_label", _label_name, "label that names the cluster"),
    "scrape_seconds": ("scrape_seconds", _number(1, 3600, int), "scrape interval; measured when not given"),
    "state_job": ("state_job", _expression, "jobs that scrape kube-state-metrics, a regular expression"),
    "usage_job": ("usage_job", _expression, "jobs that scrape kubelets or cAdvisor, a regular expression"),
    "node_pool_label": ("node_pool_label", _label_name, "node label that names the pool"),
}
"""Option → field, reader, help; besides these, `headers.NAME` (for example `headers.X-Scope-OrgID`)."""
