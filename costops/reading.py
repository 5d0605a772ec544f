"""Reading settings from the environment: typed; one that is not what it may be is one line saying so."""

import re
from email.utils import getaddresses
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
from django.core.exceptions import ImproperlyConfigured

_KINDS = {int: "a whole number", float: "a number", bool: "true or false"}
_LINE = re.compile(r"(export )?\w+=[^\0]*", re.ASCII)
_TAKEN_FOR_OTHERS = re.compile(r"[*?\[\]^|\\=]|%[0-9A-Fa-f]{2}")
"""In the path of a folder DuckDB reads a pattern of names from some of these, a column and its value from `team=x`, and
Delta's library another path."""
_NAME = re.compile(r"\*|\.?\w[\w.-]*|\[[0-9A-Fa-f:.]+\]")
_PLACE = re.compile(r"(?P<name>.+?)(?::(?P<port>[0-9]{1,5}))?", re.ASCII)
_PATTERN = re.compile(r"[\w*?-]+(\.[\w*?-]+)*")
_ORIGIN = re.compile(r"https?://[^\s/?#@]+/?", re.IGNORECASE)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]*)(?::([0-9]{1,5}))?")
_PORTS = range(1, 1 << 16)
_WORDS = frozenset({*environ.Env.BOOLEAN_TRUE_STRINGS, "false", "off", "no", "n", "0", ""})


class Environment(environ.Env):  # type: ignore[misc]  # it publishes no types
    """`environ.Env` whose failures name the variable, what it holds and what it may hold."""

    def read_file(self, path: Path) -> None:
        """Take what a file says, `NAME=value` a line; what the environment says wins. The library would pass over what
        it cannot read, and print lines it does not understand, which may hold a password."""
        try:
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not path.is_symlink():
                return
            raise ImproperlyConfigured(f"{path}: cannot be read ({error.strerror}).") from error
        except UnicodeDecodeError as error:
            raise ImproperlyConfigured(f"{path}: cannot be read (it is not UTF-8).") from error
        told = {at: line for at, line in enumerate(lines, start=1) if line.strip() and line.lstrip()[0] != "#"}
        for at, line in told.items():
            if not _LINE.fullmatch(line):
                raise ImproperlyConfigured(f"{path}, line {at}: is not NAME=value, with no blank before the =.")
        self.read_env(StringIO("\n".join(told.values())))

    def get_value(
        self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, parse_default: bool = False
    ) -> Any:
        if str(self.ENVIRON.get(var, "")).startswith("$"):  # the library would take what a variable of that name holds
            raise ImproperlyConfigured(f"{var}: begins with $. Write the value itself, one that begins otherwise.")
        try:
            value = super().get_value(var, cast=cast, default=default, parse_default=parse_default)
        except (ValueError, TypeError) as error:
            raise ImproperlyConfigured(
                f"{var}: {self.ENVIRON.get(var)!r} is not {_KINDS.get(cast, 'valid')}."
            ) from error
        if cast is list:
            value = [item.strip() for item in value if item.strip()]
        if cast is bool and self.ENVIRON.get(var, "").strip().lower() not in _WORDS:
            raise ImproperlyConfigured(f"{var}: {self.ENVIRON[var]!r} is not true or false.")
        return value

    def home(self, var: str, *, default: Path) -> Path:
        """The whole path of the folder that all else lies in; `default` where none is named."""
        path = Path(self.str(var, default="") or default).resolve()
        if bad := _TAKEN_FOR_OTHERS.search(str(path)):
            raise ImproperlyConfigured(f"{var}: '{path}' holds {bad[0]!r}, which libraries misread; rename it.")
        return path

    def least(self, var: str, least: int, *, default: int, most: int = 365_000) -> int:
        """A whole number from `least` to `most`: a thousand years of days can be reckoned back from today."""
        value: int = self.int(var, default=default)
        if value < least:
            raise ImproperlyConfigured(f"{var}: {value} is less than {least}.")
        if value > most:
            raise ImproperlyConfigured(f"{var}: {value} is more than {most}.")
        return value

    def one_of(self, var: str, choices: tuple[str, ...], *, default: str) -> str:
        value: str = self.str(var, default=default)
        if value not in choices:
            raise ImproperlyConfigured(f"{var}: {value!r} is not one of {', '.join(choices)}.")
        return value

    def time_zone(self, var: str, *, default: str) -> str:
        value: str = self.str(var, default=default)
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ImproperlyConfigured(f"{var}: {value!r} is not a time zone, such as Asia/Shanghai.") from error
        return value

    def database(self, var: str, *, embedded: Path) -> dict[str, Any]:
        """Django's connection to SQLite or PostgreSQL; the address may hold a password and is not repeated. Without one
        to `embedded`, whatever letters its path has: in an address some would end it, or stand for others."""
        if var not in self:
            return {"ENGINE": self.DB_SCHEMES["sqlite"], "NAME": str(embedded)}
        kind, _, rest = self.str(var).partition("://")
        if kind not in ("sqlite", "postgres", "postgresql"):
            raise ImproperlyConfigured(f"{var}: must be postgres://USER:PASSWORD@HOST:PORT/NAME or sqlite:///PATH.")
        if kind != "sqlite":
            _refuse_unlike_meant(var, rest)
        found: dict[str, Any] = self.db_url(var)
        return found

    def mail(self, var: str, *, default: str) -> dict[str, Any]:
        """Django's way to send mail."""
        kind, _, rest = self.str(var, default=default).partition("://")
        if kind not in self.EMAIL_SCHEMES:
            raise ImproperlyConfigured(
                f"{var}: must begin with one of {', '.join(f'{name}://' for name in self.EMAIL_SCHEMES)}."
            )
        if kind.startswith("smtp"):
            _refuse_unlike_meant(var, rest)
        found: dict[str, Any] = self.email_url(var, default=default)
        return found

    def engine(self, var: str) -> str:
        """`duckdb`, or the address of a Spark Connect server, which may hold a token and is not repeated."""
        value: str = self.str(var, default="duckdb")
        if value != "duckdb" and not re.fullmatch(r"sc://[^/:;@\s]+(:\d{1,5})?(/;?\S*)?", value):
            raise ImproperlyConfigured(
                f"{var}: must be duckdb or sc://HOST:PORT, the address of a Spark Connect server."
            )
        return value

    def bucket(self, var: str) -> str:
        """The bucket and prefix of the lake; empty where it lies on this machine."""
        value: str = self.str(var, default="").rstrip("/")
        parts = _split(value)
        if value and (parts.scheme != "s3" or not parts.netloc or "@" in parts.netloc or parts.query):
            raise ImproperlyConfigured(f"{var}: {value!r} is not s3://BUCKET/PREFIX.")
        return value

    def web_address(self, var: str, *, default: str = "") -> str:
        """http:// or https:// and a host; empty where none is given. Credentials have variables of their own."""
        value: str = self.str(var, default=default).rstrip("/")
        parts = _split(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query):
            raise ImproperlyConfigured(f"{var}: must be https://HOST or http://HOST:PORT, without credentials.")
        return value

    def secret(self, var: str) -> str:
        """A secret, or `@` and the path of a file that holds it; empty where none is given. It is not repeated."""
        value: str = self.str(var, default="")
        if not value.startswith("@"):
            return value
        try:
            return Path(value[1:]).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise ImproperlyConfigured(f"{var}: the file {value[1:]} cannot be read ({error}).") from error

    def memory(self, var: str, *, default: str) -> str:
        """An amount of memory, as the engine reads it."""
        value: str = self.str(var, default=default)
        if not re.fullmatch(r"[1-9][0-9]*(\.[0-9]+)? ?([KMGT]i?)?B", value, re.IGNORECASE):
            raise ImproperlyConfigured(f"{var}: {value!r} is not an amount of memory, such as 1GB.")
        return value

    def hosts(self, var: str, *, default: list[str]) -> list[str]:
        """Names that a site answers to; `default` where none is given, since without any it would answer to nobody."""
        return self._each(var, _NAME, "a host name, such as costs.example.com") or default

    def origins(self, var: str) -> list[str]:
        """Where forms may come from, as browsers write it."""
        return [one.rstrip("/").lower() for one in self._each(var, _ORIGIN, "https://HOST")]

    def places(self, var: str) -> list[str]:
        """Hosts or networks, each with a port or for any, as `addresses.is_listed` reads them: what is neither would
        match nothing, and nobody would know."""
        found: list[str] = self.list(var, default=[])
        for told in found:
            if not _is_place(told):
                raise ImproperlyConfigured(
                    f"{var}: {told!r} is no host and no network, such as jira.corp, *.corp:8443 or 10.1.0.0/16."
                )
        return found

    def sender(self, var: str, *, default: str) -> str:
        """Who e-mails are from; `default` where nobody is named."""
        value: str = self.str(var, default="").strip() or default
        addresses = [address for _name, address in getaddresses([value])]
        is_one = len(addresses) == 1 and (value == addresses[0] or value.endswith(f"<{addresses[0]}>"))
        if not is_one or not re.fullmatch(r"[^\s@]+@[^\s@]+", addresses[0]):
            raise ImproperlyConfigured(
                f"{var}: {value!r} is not ADDRESS or NAME <ADDRESS>, such as CostOps <costops@example.com>."
            )
        return value

    def keys(self, var: str) -> list[str]:
        """Keys that seal, the newest first. Once the blanks around one were part of it: what it sealed opens still."""
        as_written = [key for key in self.str(var, default="").split(",") if key.strip()]
        return [*dict.fromkeys([*self.list(var, default=[]), *as_written])]

    def namespaces(self, var: str) -> list[str]:
        """Namespaces with their cluster, `cluster/namespace` each."""
        return self._each(var, re.compile(r"[^/]+/.+"), "cluster/namespace")

    def _each(self, var: str, pattern: re.Pattern[str], kind: str) -> list[str]:
        """A list whose items all look alike."""
        found: list[str] = self.list(var, default=[])
        for told in found:
            if not pattern.fullmatch(told):
                raise ImproperlyConfigured(f"{var}: {told!r} is not {kind}.")
        return found

    def dsn(self, var: str) -> str:
        """Where Sentry listens; empty where nobody does. It holds a key and is not repeated."""
        value: str = self.str(var, default="")
        parts = _split(value)
        if value and not (parts.scheme in ("http", "https") and parts.hostname and parts.username and parts.path):
            raise ImproperlyConfigured(f"{var}: must be https://KEY@HOST/PROJECT.")
        return value

    def redis(self, var: str) -> str:
        """The address of a Redis server; empty where there is none."""
        value: str = self.str(var, default="")
        if value and value.partition("://")[0] not in ("redis", "rediss"):
            raise ImproperlyConfigured(f"{var}: must be redis://HOST:PORT/NUMBER or rediss://…")
        _refuse_unlike_meant(var, value.partition("://")[2])
        return value


def _split(address: str) -> SplitResult:
    """The parts of an address; none of what cannot be one."""
    try:
        parts = urlsplit(address)
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")


def _is_place(told: str) -> bool:
    parts = _PLACE.fullmatch(told)
    if parts is None or int(parts["port"] or 1) not in _PORTS:
        return False
    try:
        ip_network(parts["name"].strip("[]"))
    except ValueError:
        return bool(_PATTERN.fullmatch(parts["name"])) and not re.fullmatch(r"[0-9.]+", parts["name"])
    return True


def _refuse_unlike_meant(var: str, rest: str) -> None:
    """What comes after :// would be read unlike it was meant, by a letter of its password; it is not repeated."""
    if not _is_as_meant(rest):
        raise ImproperlyConfigured(
            f"{var}: cannot be read as USER:PASSWORD@HOST:PORT. In user and password, letters and digits stand for "
            "themselves; write others percent-encoded (%2F for /, %25 for %), or make one with `openssl rand -hex 24`."
        )


def _is_as_meant(rest: str) -> bool:
    try:
        parts = urlsplit(f"//{rest}")
        who, _, hosts = parts.netloc.rpartition("@")
        is_text = unquote_to_bytes(who).decode().isprintable()
    except ValueError:
        return False
    has_ended_early = "@" in parts.path + parts.query + parts.fragment  # at a / or ? or # of the password
    is_half_encoded = re.search(r"%(?![0-9A-Fa-f]{2})", who)
    found = [_HOST.fullmatch(host) for host in hosts.split(",")]
    is_host = all(host and int(host[2] or 1) in _PORTS for host in found)
    return is_text and is_host and not has_ended_early and not is_half_encoded
