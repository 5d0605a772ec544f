"""The settings of whoever looks, and, for administrators, those of the installation: to read, secrets never shown."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, cast
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.dashboards import naming
from apps.dashboards.asking import CONVERTED, PERIODS
from apps.finops.errors import CostOpsError
from apps.marts.query import Scope
from apps.rates.selectors import reporting_currencies
from apps.signin import factors
from apps.teams.access import may
from apps.teams.models import Preference
from apps.teams.preferring import prefer, preference_of
from apps.teams.roles import Can
from apps.teams.selectors import active_teams

CHOSEN = ("language", "theme", "time_zone", "period", "currency", "team")
INSTALLATION: dict[Promise, tuple[str, ...]] = {
    gettext_lazy("Where things are"): (
        "COSTOPS_HOME", "COSTOPS_DATABASE_URL", "COSTOPS_REDIS_URL", "COSTOPS_SITE_URL", "COSTOPS_LAKE",
        "COSTOPS_LAKE_ENDPOINT", "COSTOPS_LAKE_REGION", "COSTOPS_LAKE_ADDRESSING", "COSTOPS_LAKE_COMMIT",
        "COSTOPS_LAKE_KEY", "COSTOPS_LAKE_SECRET", "COSTOPS_CACHE_GIB", "COSTOPS_STATIC",
    ),
    gettext_lazy("The company"): (
        "COSTOPS_COMPANY", "COSTOPS_REPORTING_CURRENCY", "COSTOPS_TIME_ZONE", "COSTOPS_HOLIDAYS", "COSTOPS_SEASONS",
        "COSTOPS_FISCAL_YEAR_START", "COSTOPS_RECOMMENDATION_DAYS", "COSTOPS_TAG_KEYS",
        "COSTOPS_LANGUAGE", "COSTOPS_FROM_EMAIL", "COSTOPS_EMAIL_URL", "COSTOPS_FONTS",
        "COSTOPS_REPORT_WEEKS_KEPT",
    ),
    gettext_lazy("The work"): (
        "COSTOPS_FILL_EVERY_MINUTES", "COSTOPS_RULES_ONE_PERSON", "COSTOPS_ESCALATION_HOURS", "COSTOPS_ENGINE",
        "COSTOPS_MEMORY_LIMIT", "COSTOPS_THREADS", "COSTOPS_READ_APART", "COSTOPS_READ_MEMORY_GIB",
        "COSTOPS_READ_MINUTES", "COSTOPS_KEEP_ALL_DAYS", "COSTOPS_KEEP_DAYS", "COSTOPS_LOG_LEVEL",
    ),
    gettext_lazy("Signing in"): (
        "COSTOPS_PASSWORD_LOGIN", "COSTOPS_REQUIRE_SECOND_FACTOR", "COSTOPS_SSO_FILE", "COSTOPS_SESSION_IDLE_MINUTES",
        "COSTOPS_SESSION_HOURS",
    ),
    gettext_lazy("Safety"): (
        "COSTOPS_SECRET_KEY", "COSTOPS_SECRETS_KEYS", "COSTOPS_CHANNEL_HOSTS", "COSTOPS_SOURCE_HOSTS",
        "COSTOPS_ALLOWED_HOSTS", "COSTOPS_HTTPS", "COSTOPS_BEHIND_PROXY", "COSTOPS_CSRF_TRUSTED_ORIGINS",
        "COSTOPS_API_REQUESTS_PER_MINUTE", "COSTOPS_TOKEN_MAX_DAYS", "COSTOPS_UPLOAD_MIB",
        "COSTOPS_DEBUG",
    ),
    gettext_lazy("Watching it"): (
        "COSTOPS_LOG_FORMAT", "COSTOPS_METRICS_TOKEN", "COSTOPS_OWN_NAMESPACES", "COSTOPS_AUDIT_READS",
        "COSTOPS_READ_LOG", "COSTOPS_SENTRY_DSN", "COSTOPS_OTLP_ENDPOINT", "COSTOPS_WORKER_SIGN",
    ),
}  # fmt: skip
"""The variables of the installation, in the order of its handbook."""


class NoSuchChoice(CostOpsError):
    """What was chosen is not among the choices."""


@dataclass(frozen=True)
class Choices:
    """One thing to choose: its name in the form, pairs of value and words, and what is chosen."""

    name: str
    title: str
    choices: tuple[tuple[str, str], ...]
    chosen: str


@dataclass(frozen=True)
class Setting:
    """A variable of the installation, as it may be shown."""

    name: str
    value: str


@dataclass(frozen=True)
class SettingsPage:
    """What one chooses, and what holds for all where one may know it."""

    username: str
    address: str
    choices: tuple[Choices, ...]
    installation: tuple[tuple[str, tuple[Setting, ...]], ...]
    has_second_factor: bool
    has_password: bool


def titles() -> dict[str, str]:
    """What is to be chosen, by its name in the form."""
    return {
        "language": _("Language"), "theme": _("Light or dark"), "time_zone": _("Time zone of moments"),
        "period": _("Period to begin with"), "currency": _("Currency to begin with"), "team": _("Page to begin with"),
    }  # fmt: skip


def page(user: User, scope: Scope) -> SettingsPage:
    chosen = preference_of(user)
    options, called = _options(scope), titles()
    return SettingsPage(
        username=user.get_username(),
        address=user.email,
        choices=tuple(Choices(name, called[name], options[name], getattr(chosen, name)) for name in CHOSEN),
        installation=_installation() if may(user, Can.SEE_SETTINGS) else (),
        has_second_factor=factors.has_one(user),
        has_password=settings.COSTOPS_PASSWORD_LOGIN and user.has_usable_password(),
    )


def _options(scope: Scope) -> dict[str, tuple[tuple[str, str], ...]]:
    """What may be chosen of each; empty is as it is for everybody."""
    titles = naming.directory()
    teams = tuple((one.name, titles.title(one.name)) for one in active_teams() if scope.allows(one.name))
    business = _("that of the business: %(zone)s") % {"zone": settings.COSTOPS_TIME_ZONE}
    return {
        "language": (("", _("as the browser asks")), *settings.LANGUAGES),
        "theme": (("", _("as the system has it")), ("light", _("light")), ("dark", _("dark"))),
        "time_zone": (("", business), *((zone, zone) for zone in _zones())),
        "period": (("", _("as everybody")), *((key, str(word)) for key, word in PERIODS.items() if key != "custom")),
        "currency": (
            ("", _("as everybody")),
            *((f"{CONVERTED}{code}", _("All in %(currency)s") % {"currency": code}) for code in reporting_currencies()),
        ),
        "team": (("", _("Overview")), *teams),
    }


@lru_cache(maxsize=1)
def _zones() -> tuple[str, ...]:
    """Zones by place, and UTC."""
    return ("UTC", *sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")))


def choose(user: User, scope: Scope, given: Mapping[str, Any]) -> Preference:
    """Take what a form chooses; something that is not to be chosen changes nothing."""
    options = _options(scope)
    chosen = {name: str(given.get(name, "")) for name in CHOSEN}
    for name, value in chosen.items():
        if value not in dict(options[name]):
            raise NoSuchChoice(f"{name}: there is no such choice.")
    prefer(user, **chosen)
    return preference_of(user)


def choose_theme(user: User, theme: str) -> None:
    """Light or dark from now on, wherever they sign in; empty is as the system has it."""
    if theme not in ("", *Preference.Theme.values):
        raise NoSuchChoice("theme: there is no such choice.")
    prefer(user, theme=theme)


def start(user: User, scope: Scope) -> str:
    """Where somebody begins: the page, period and currency they prefer."""
    chosen = preference_of(user)
    told = [f"{name}={value}" for name in ("period", "currency") if (value := getattr(chosen, name))]
    is_team = bool(chosen.team) and scope.allows(chosen.team)
    address = reverse("team", args=[chosen.team]) if is_team else reverse("overview")
    return f"{address}?{'&'.join(told)}" if told else address


def _installation() -> tuple[tuple[str, tuple[Setting, ...]], ...]:
    return tuple(
        (str(title), tuple(Setting(name, shown(name)) for name in names)) for title, names in INSTALLATION.items()
    )


SHOWN: dict[str, Any] = {
    "COSTOPS_DATABASE_URL": lambda: _without_secrets(settings.DATABASES["default"]),
    "COSTOPS_REDIS_URL": lambda: _("set") if "Redis" in str(settings.CACHES["default"]["BACKEND"]) else "",
    "COSTOPS_ENGINE": lambda: settings.COSTOPS_ENGINE.partition(";")[0],  # a token may follow
    "COSTOPS_LAKE": lambda: settings.COSTOPS_LAKE_URL,
    "COSTOPS_LAKE_KEY": lambda: _("set") if settings.COSTOPS_LAKE_CREDENTIALS["key"] else "",
    "COSTOPS_LAKE_SECRET": lambda: _("set") if settings.COSTOPS_LAKE_CREDENTIALS["secret"] else "",
    "COSTOPS_LANGUAGE": lambda: settings.LANGUAGE_CODE,
    "COSTOPS_FROM_EMAIL": lambda: settings.DEFAULT_FROM_EMAIL,
    "COSTOPS_EMAIL_URL": lambda: _mail(),
    "COSTOPS_LOG_LEVEL": lambda: logging.getLevelName(logging.getLogger("apps").level),
    "COSTOPS_LOG_FORMAT": lambda: cast(Any, settings.LOGGING)["handlers"]["console"]["formatter"],
    "COSTOPS_SECRET_KEY": lambda: _("set"),
    **{
        name: partial(lambda name: _("set") if getattr(settings, name) else "", name)
        for name in ("COSTOPS_METRICS_TOKEN", "COSTOPS_SENTRY_DSN", "COSTOPS_OTLP_ENDPOINT")
    },
    "COSTOPS_SECRETS_KEYS": lambda: _("set") if settings.COSTOPS_SECRETS_KEYS else "",
    "COSTOPS_ALLOWED_HOSTS": lambda: ", ".join(settings.ALLOWED_HOSTS),
    "COSTOPS_BEHIND_PROXY": lambda: str(settings.SECURE_PROXY_SSL_HEADER is not None).lower(),
    "COSTOPS_CSRF_TRUSTED_ORIGINS": lambda: ", ".join(settings.CSRF_TRUSTED_ORIGINS),
    "COSTOPS_DEBUG": lambda: str(settings.DEBUG).lower(),
}
"""Variables that no setting is called by, or that hold secrets: how each is shown."""


def shown(name: str) -> str:
    """A variable as it may be shown; empty where nothing is set."""
    if name in SHOWN:
        return str(SHOWN[name]())
    value = getattr(settings, name)
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _without_secrets(database: Mapping[str, Any]) -> str:
    """Which database, where: no user, no password."""
    kind = database["ENGINE"].rpartition(".")[2]
    host = ":".join(str(part) for part in (database.get("HOST"), database.get("PORT")) if part)
    return " ".join(part for part in (kind, host, str(database["NAME"])) if part)


def _mail() -> str:
    """How mail leaves: no user, no password."""
    kind = settings.EMAIL_BACKEND.split(".")[-2]
    return f"{kind} {settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if kind == "smtp" else kind
