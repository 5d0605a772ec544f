"""Settings: what differs between installations comes from the environment, or from `$COSTOPS_HOME/costops.env`.

With no variable set this is the embedded default: SQLite, a local lake, a broker on local disk, mail to the console.
"""

import contextlib
import hashlib
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured

from apps.finops.currencies import CURRENCIES
from apps.finops.tags import BadTagKeys, read_keys
from costops.allauth import *  # noqa: F403  # settings which no installation changes
from costops.house import *  # noqa: F403  # the same
from costops.house import APPS
from costops.reading import Environment
from costops.rest import *  # noqa: F403  # the same
from costops.sso import read_sso

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()

COSTOPS_HOME = env.home("COSTOPS_HOME", default=BASE_DIR / "var")
COSTOPS_HOME.mkdir(parents=True, exist_ok=True)
env.read_file(COSTOPS_HOME / "costops.env")

# --- What a company configures --------------------------------------------------------------------------
COSTOPS_TIME_ZONE = env.time_zone("COSTOPS_TIME_ZONE", default="UTC")
COSTOPS_HOLIDAYS = env.list("COSTOPS_HOLIDAYS", default=["CN"])
COSTOPS_FISCAL_YEAR_START = env.int("COSTOPS_FISCAL_YEAR_START", default=1)
if not 1 <= COSTOPS_FISCAL_YEAR_START <= 12:
    raise ImproperlyConfigured(
        f"COSTOPS_FISCAL_YEAR_START: {COSTOPS_FISCAL_YEAR_START} is not a month; write 4 for April."
    )
COSTOPS_SEASONS = env.list("COSTOPS_SEASONS", default=[])
COSTOPS_RECOMMENDATION_DAYS = env.list("COSTOPS_RECOMMENDATION_DAYS", default=[])
COSTOPS_COMPANY = env.str("COSTOPS_COMPANY", default="CostOps")
COSTOPS_REPORTING_CURRENCY = env.str("COSTOPS_REPORTING_CURRENCY", default="")
if COSTOPS_REPORTING_CURRENCY and COSTOPS_REPORTING_CURRENCY not in CURRENCIES:
    raise ImproperlyConfigured(
        f"COSTOPS_REPORTING_CURRENCY: {COSTOPS_REPORTING_CURRENCY!r} is not a currency code of ISO 4217, such as CNY."
    )
try:
    COSTOPS_TAG_KEYS = read_keys(env.list("COSTOPS_TAG_KEYS", default=[]))
except BadTagKeys as bad:
    raise ImproperlyConfigured(f"COSTOPS_TAG_KEYS: {bad}") from bad
COSTOPS_SITE_URL = env.web_address("COSTOPS_SITE_URL", default="http://127.0.0.1:8000")
COSTOPS_LAKE_URL = env.bucket("COSTOPS_LAKE")
COSTOPS_LAKE_ENDPOINT = env.web_address("COSTOPS_LAKE_ENDPOINT")
COSTOPS_LAKE_REGION = env.str("COSTOPS_LAKE_REGION", default="")
COSTOPS_LAKE_ADDRESSING = env.one_of("COSTOPS_LAKE_ADDRESSING", ("auto", "path", "virtual"), default="auto")
COSTOPS_LAKE_COMMIT = env.one_of("COSTOPS_LAKE_COMMIT", ("s3", "oss"), default="s3")
COSTOPS_LAKE_CREDENTIALS = {"key": env.secret("COSTOPS_LAKE_KEY"), "secret": env.secret("COSTOPS_LAKE_SECRET")}
if bool(COSTOPS_LAKE_CREDENTIALS["key"]) != bool(COSTOPS_LAKE_CREDENTIALS["secret"]):
    raise ImproperlyConfigured("COSTOPS_LAKE_KEY and COSTOPS_LAKE_SECRET: give both, or neither.")
COSTOPS_CACHE_GIB = env.least("COSTOPS_CACHE_GIB", 1, default=20)
# Where the lake lies in a bucket, what is read of it lies here, apart from what is read of another.
_place = hashlib.sha256(f"{COSTOPS_LAKE_ENDPOINT} {COSTOPS_LAKE_URL}".encode()).hexdigest()[:12]
_near = COSTOPS_HOME / "cache" / _place if COSTOPS_LAKE_URL else COSTOPS_HOME
COSTOPS_LANDING = _near / "landing"
COSTOPS_LAKE = _near / "lake"
COSTOPS_ENGINE = env.engine("COSTOPS_ENGINE")  # duckdb, or sc://HOST:PORT
COSTOPS_MEMORY_LIMIT = env.memory("COSTOPS_MEMORY_LIMIT", default="1GB")
COSTOPS_THREADS = env.least("COSTOPS_THREADS", 0, default=0)  # 0 = one per core
COSTOPS_READ_APART = env.bool("COSTOPS_READ_APART", default=True)
COSTOPS_READ_MEMORY_GIB = env.least("COSTOPS_READ_MEMORY_GIB", 1, default=4)
COSTOPS_READ_MINUTES = env.least("COSTOPS_READ_MINUTES", 1, default=30)
COSTOPS_KEEP_ALL_DAYS = env.least("COSTOPS_KEEP_ALL_DAYS", 1, default=35)  # of publications, before one of each day
COSTOPS_KEEP_DAYS = env.least("COSTOPS_KEEP_DAYS", 0, default=400)  # of publications and runs; 0: all of them
COSTOPS_FILL_EVERY_MINUTES = env.least("COSTOPS_FILL_EVERY_MINUTES", 1, default=60)
COSTOPS_RULES_ONE_PERSON = env.bool("COSTOPS_RULES_ONE_PERSON", default=False)
COSTOPS_CHANNEL_HOSTS = env.places("COSTOPS_CHANNEL_HOSTS")
COSTOPS_SOURCE_HOSTS = env.places("COSTOPS_SOURCE_HOSTS")
COSTOPS_ESCALATION_HOURS = env.list("COSTOPS_ESCALATION_HOURS", default=[])

# --- Django ---------------------------------------------------------------------------------------------
DEBUG = env.bool("COSTOPS_DEBUG", default=False)
ALLOWED_HOSTS = env.hosts("COSTOPS_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.origins("COSTOPS_CSRF_TRUSTED_ORIGINS")


def _secret_key() -> str:
    """`COSTOPS_SECRET_KEY`, or a key made once and kept in the home folder, readable by its owner only."""
    given: str = env.str("COSTOPS_SECRET_KEY", default="")
    if given:
        return given
    path = COSTOPS_HOME / "secret_key"
    if not path.exists():
        fresh = path.with_suffix(f".{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(60))
        with contextlib.suppress(FileExistsError):  # the first process wins, the others read its key
            path.hardlink_to(fresh)
        fresh.unlink()
    return path.read_text().strip()


SECRET_KEY = _secret_key()
COSTOPS_SECRETS_KEYS = env.keys("COSTOPS_SECRETS_KEYS")  # the newest first

# --- Signing in -----------------------------------------------------------------------------------------
COSTOPS_PASSWORD_LOGIN = env.bool("COSTOPS_PASSWORD_LOGIN", default=True)
COSTOPS_REQUIRE_SECOND_FACTOR = env.one_of(
    "COSTOPS_REQUIRE_SECOND_FACTOR", ("none", "privileged", "all"), default="none"
)
COSTOPS_SESSION_IDLE_MINUTES = env.least("COSTOPS_SESSION_IDLE_MINUTES", 0, default=60)  # 0 = as long as one lasts
COSTOPS_SESSION_HOURS = env.least("COSTOPS_SESSION_HOURS", 1, default=12)
COSTOPS_SSO_FILE = env.str("COSTOPS_SSO_FILE", default="")
_sso = read_sso(COSTOPS_SSO_FILE)
COSTOPS_SSO_GROUPS, COSTOPS_SSO_HOSTS, COSTOPS_SSO_SECOND_FACTOR = _sso.groups, _sso.hosts, _sso.second_factor
COSTOPS_SSO_SAML = _sso.has_saml

INSTALLED_APPS = [*APPS, *(f"allauth.socialaccount.providers.{kind}" for kind in _sso.providers)]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": env.database("COSTOPS_DATABASE_URL", embedded=COSTOPS_HOME / "costops.sqlite3")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
    }
else:  # the server lets go of what a frozen process holds, and ends what a dead one asked
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        # A server that vanished, with its machine or the way to it, says nothing: it is away after some 30 s.
        "keepalives_idle": 15,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        "options": "-c idle_in_transaction_session_timeout=120000 -c client_connection_check_interval=1000",
    } | DATABASES["default"].get("OPTIONS", {})
# Threads of the web server keep their connection for a while: to open one takes as long as a dozen questions.
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

_redis = env.redis("COSTOPS_REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": f"apps.signin.shared.{'RedisAndProcessCache' if _redis else 'ProcessCache'}",
        "LOCATION": _redis,
        "KEY_PREFIX": "costops",
        "OPTIONS": {"MAX_ENTRIES": 4_000},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/login/"
LOGIN_REDIRECT_URL = "/start/"
LOGOUT_REDIRECT_URL = "/login/"
MFA_TOTP_ISSUER = COSTOPS_COMPANY
SOCIALACCOUNT_PROVIDERS = _sso.providers

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = env.one_of("COSTOPS_LANGUAGE", ("en", "zh-hans"), default="en")
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
COSTOPS_STATIC = Path(env.str("COSTOPS_STATIC", default=str(COSTOPS_HOME / "static")))
STATIC_ROOT = COSTOPS_STATIC
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "costops.web.HashedFiles"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # under their own names the finders serve them
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600

# --- Security: strict by default; plain http only because the embedded default listens on this machine --
COSTOPS_HTTPS = env.bool("COSTOPS_HTTPS", default=False)
SECURE_SSL_REDIRECT = COSTOPS_HTTPS
SECURE_HSTS_SECONDS = 31536000 if COSTOPS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = COSTOPS_HTTPS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("COSTOPS_BEHIND_PROXY", default=False) else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = COSTOPS_HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = COSTOPS_SESSION_HOURS * 3600
if COSTOPS_HTTPS:  # browsers take such a cookie from this very host only, and send it by https only
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
COSTOPS_UPLOAD_MIB = env.least("COSTOPS_UPLOAD_MIB", 1, default=2048)
FILE_UPLOAD_HANDLERS = [
    "apps.dashboards.handlers.UploadGuard",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_TEMP_DIR = COSTOPS_HOME / "tmp" / "uploads"
FILE_UPLOAD_TEMP_DIR.mkdir(parents=True, exist_ok=True)

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "style-src-elem": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- REST -----------------------------------------------------------------------------------------------
COSTOPS_API_REQUESTS_PER_MINUTE = env.least("COSTOPS_API_REQUESTS_PER_MINUTE", 0, default=600)  # of one user; 0: any
# --- Celery: the broker is a doorbell; what is to be done stands in the database ------------------------
CELERY_BROKER_URL = _redis or f"sqla+sqlite:///{quote(str(COSTOPS_HOME / 'broker.sqlite3'))}"
_visibility = 3600
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {
        "visibility_timeout": _visibility,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_keepalive": True,
        "health_check_interval": 15,
    }
    if _redis
    else {}
)
# A message is done with when its task is. What kills the process that does it is not handed to one after another: beat
# rings again. Only the bells of the pipeline are (`apps/pipeline/tasks.py`), whose attempts the database counts.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_TIME_LIMIT = _visibility - 300
CELERY_TASK_SOFT_TIME_LIMIT = _visibility - 420
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 100
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1_200_000  # KiB, looked at when a task is done: what grew begins anew
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker, however long that is away
CELERY_TIMEZONE = COSTOPS_TIME_ZONE
CELERY_BEAT_SCHEDULER = "costops.beating:Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(COSTOPS_HOME / "celerybeat-schedule")

# --- Mail -----------------------------------------------------------------------------------------------
vars().update(env.mail("COSTOPS_EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.sender("COSTOPS_FROM_EMAIL", default="CostOps <costops@localhost>")
COSTOPS_FONTS = Path(env("COSTOPS_FONTS", default=str(COSTOPS_HOME / "fonts")))
COSTOPS_REPORT_WEEKS_KEPT = env.least("COSTOPS_REPORT_WEEKS_KEPT", 1, default=106, most=50_000)

# --- Watching it ----------------------------------------------------------------------------------------
COSTOPS_METRICS_TOKEN = env.str("COSTOPS_METRICS_TOKEN", default="")  # without one there is no /metrics
COSTOPS_OWN_NAMESPACES = env.namespaces("COSTOPS_OWN_NAMESPACES")
COSTOPS_AUDIT_READS = env.bool("COSTOPS_AUDIT_READS", default=False)
COSTOPS_READ_LOG = env.least("COSTOPS_READ_LOG", 0, default=0)  # days it is kept; 0: there is none
COSTOPS_TOKEN_MAX_DAYS = env.least("COSTOPS_TOKEN_MAX_DAYS", 1, default=365)
COSTOPS_SENTRY_DSN = env.dsn("COSTOPS_SENTRY_DSN")
COSTOPS_OTLP_ENDPOINT = env.web_address("COSTOPS_OTLP_ENDPOINT")
COSTOPS_WORKER_SIGN = env.str("COSTOPS_WORKER_SIGN", default="")
COSTOPS_LOG_FORMAT = env.one_of("COSTOPS_LOG_FORMAT", ("plain", "json"), default="plain")
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {"()": "apps.monitoring.logs.Plain"},
        "json": {"()": "apps.monitoring.logs.Json"},
    },
    "filters": {"not_of_probes": {"()": "apps.monitoring.logs.NotOfProbes"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": COSTOPS_LOG_FORMAT,
        }
    },
    "root": {"handlers": ["console"], "level": env.one_of("COSTOPS_LOG_LEVEL", _LEVELS, default="WARNING")},
    "loggers": {
        "apps": {"level": env.one_of("COSTOPS_LOG_LEVEL", _LEVELS, default="INFO")},
        "django.request": {"filters": ["not_of_probes"]},
        # They write whole addresses, and those of chat rooms are secrets.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
    },
}
