"""All settings, read from the environment. ``docs/settings.md`` lists them."""

from __future__ import annotations

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.env import (
    cache_from_url,
    database_from_url,
    email_from_url,
    env_bool,
    env_choice,
    env_int,
    env_list,
    env_reference,
    local_keys,
    queues_from_url,
    required,
    tasks_from_name,
)

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("SIGNALBOX_DATA_DIR", BASE_DIR / "var"))

# "local" makes its own keys and needs no service; "production" brings everything.
SIGNALBOX_MODE = env_choice(
    "SIGNALBOX_MODE", choices=("local", "production"), default="local"
)
LOCAL = SIGNALBOX_MODE == "local"
if LOCAL:
    _keys = local_keys(DATA_DIR / "keys.json")
    SECRET_KEY = os.environ.get("SIGNALBOX_SECRET_KEY", _keys["secret_key"])
    # The first key encrypts, all of them decrypt: put a new one in front to rotate.
    SIGNALBOX_ENCRYPTION_KEYS = env_list(
        "SIGNALBOX_ENCRYPTION_KEYS", default=[_keys["encryption_key"]]
    )
else:
    SECRET_KEY = required("SIGNALBOX_SECRET_KEY")
    required("SIGNALBOX_ENCRYPTION_KEYS")
    SIGNALBOX_ENCRYPTION_KEYS = env_list("SIGNALBOX_ENCRYPTION_KEYS", default=[])

DEBUG = env_bool("SIGNALBOX_DEBUG", default=False)
ALLOWED_HOSTS = env_list(
    "SIGNALBOX_ALLOWED_HOSTS",
    default=["localhost", "127.0.0.1", "[::1]"] if LOCAL else [],
)
CSRF_TRUSTED_ORIGINS = env_list("SIGNALBOX_CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "config",
    "demo",
    "copilot",
    "menus",
    "screens",
    "branching",
    "renderers",
    "connectors",
    "observability",
    "tenants",
    "mptt",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_tasks",
    "django_tasks_db",
    "django_htmx",
    "csp",
    "axes",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "observability.middleware.TraceMiddleware",
    "screens.compression.StreamingGZipMiddleware",
    "csp.middleware.CSPMiddleware",
    "tenants.middleware.UnstorableMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "tenants.middleware.LocaleMiddleware",
    "tenants.middleware.TenantMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "tenants.context_processors.tenant",
                "menus.context_processors.navigation",
            ]
        },
    }
]

DATABASES = {
    "default": database_from_url(
        os.environ.get("SIGNALBOX_DATABASE_URL", f"sqlite:///{DATA_DIR}/portal.sqlite3")
    )
}
_cache_url = os.environ.get("SIGNALBOX_CACHE_URL", "locmem://")
CACHES = {"default": cache_from_url(_cache_url)}

# --- Background work --------------------------------------------------------------
# "database" needs nothing more, "rq" queues in Redis or Valkey, "immediate" does the
# work where it is asked for.
SIGNALBOX_TASKS = env_choice(
    "SIGNALBOX_TASKS", choices=("database", "immediate", "rq"), default="database"
)
TASKS = tasks_from_name(SIGNALBOX_TASKS)
if SIGNALBOX_TASKS == "rq":
    INSTALLED_APPS.append("django_rq")
    RQ_QUEUES = queues_from_url(os.environ.get("SIGNALBOX_TASKS_URL", _cache_url))
    # Its pages show and change every tenant's work: none of them has an address.
    RQ_SHOW_ADMIN_LINK = False

# --- People ---------------------------------------------------------------------
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "tenants.backends.TenantBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
ANONYMOUS_USER_NAME = None  # guardian: nobody is granted anything without signing in
GUARDIAN_RAISE_403 = False
AXES_FAILURE_LIMIT = env_int("SIGNALBOX_LOGIN_ATTEMPTS", default=10, minimum=1)
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "tenants.backends.username_of"
AXES_VERBOSE = False

# --- Language and time ------------------------------------------------------------
LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", "한국어"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "Asia/Seoul"

# --- Static files -----------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static-collected"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns about a missing one
WHITENOISE_USE_FINDERS = LOCAL
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if LOCAL
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}

# --- Security ---------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = not LOCAL
CSRF_COOKIE_SECURE = not LOCAL
SECURE_SSL_REDIRECT = env_bool("SIGNALBOX_HTTPS_REDIRECT", default=not LOCAL)
SECURE_HSTS_SECONDS = env_int("SIGNALBOX_HSTS_SECONDS", default=0 if LOCAL else 3600)
if env_bool("SIGNALBOX_BEHIND_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- API --------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tenants.api.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Signalbox",
    "DESCRIPTION": _("Menus, screens and blocks of the portal as JSON."),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Notifications ----------------------------------------------------------------
# Where readers of a notification find the portal: "https://portal.example".
SIGNALBOX_PUBLIC_URL = os.environ.get("SIGNALBOX_PUBLIC_URL", "").rstrip("/")
# Locally every message becomes a file; in production nothing is sent until it is set.
_email = email_from_url(
    os.environ.get("SIGNALBOX_EMAIL_URL", f"file://{DATA_DIR}/mail" if LOCAL else "")
)
EMAIL_BACKEND = _email.backend
EMAIL_FILE_PATH = _email.folder
EMAIL_HOST = _email.host
EMAIL_PORT = _email.port
EMAIL_HOST_USER = _email.user
EMAIL_HOST_PASSWORD = _email.password
EMAIL_USE_TLS = _email.starttls
EMAIL_USE_SSL = _email.tls
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("SIGNALBOX_EMAIL_FROM", "signalbox@localhost")

# --- The portal's own limits --------------------------------------------------------
SIGNALBOX_PAGE_DEADLINE_MS = env_int("SIGNALBOX_PAGE_DEADLINE_MS", default=10_000)
SIGNALBOX_POOL_THREADS = env_int("SIGNALBOX_POOL_THREADS", default=16, minimum=1)
# Minutes for which a user sees personal data after giving a reason.
SIGNALBOX_REVEAL_MINUTES = env_int("SIGNALBOX_REVEAL_MINUTES", default=15, minimum=1)
# Queries on external databases that run at once in a process; the rest wait in turn.
SIGNALBOX_QUERIES_PER_SOURCE = env_int(
    "SIGNALBOX_QUERIES_PER_SOURCE", default=8, minimum=1
)
SIGNALBOX_QUERIES_PER_TENANT = env_int(
    "SIGNALBOX_QUERIES_PER_TENANT", default=12, minimum=1
)
SIGNALBOX_QUERY_WORK_MEM_MB = env_int(
    "SIGNALBOX_QUERY_WORK_MEM_MB", default=16, minimum=1
)
# Folders and files that SQLite data sources may name; nothing else is opened.
SIGNALBOX_SQLITE_PATHS = env_list(
    "SIGNALBOX_SQLITE_PATHS", default=[f"{DATA_DIR}/demo.sqlite3"]
)
# Blocks of one page that may run at the same time.
SIGNALBOX_BLOCKS_AT_ONCE = env_int("SIGNALBOX_BLOCKS_AT_ONCE", default=16, minimum=1)
# Side panels of the screen editor: a title, and the name of an address that takes the
# key of a screen. Apps above the screens are shown there without being known there.
SIGNALBOX_EDITOR_PANELS: list[tuple[object, str]] = [(_("Copilot"), "copilot-panel")]
# Hosts that are told our trace id with every call, besides those on the list below.
SIGNALBOX_TRACE_HOSTS = env_list("SIGNALBOX_TRACE_HOSTS", default=[])
# Secrets that data sources name as file: stand below <folder>/<tenant key>/.
SIGNALBOX_SECRET_DIRECTORY = os.environ.get(
    "SIGNALBOX_SECRET_DIRECTORY", "/run/secrets/signalbox"
)
SIGNALBOX_METRICS_TOKEN = os.environ.get("SIGNALBOX_METRICS_TOKEN", "")
# Networks, with ports, that HTTP data sources may reach although they are not
# public: "127.0.0.1:8901, 10.1.0.0/16:443". Metadata addresses are never reachable.
# Locally, the ports on which the demo's own API may come up are open.
SIGNALBOX_INTERNAL_NETWORKS = env_list(
    "SIGNALBOX_INTERNAL_NETWORKS",
    default=[f"127.0.0.1:{port}" for port in range(8901, 8910)] if LOCAL else [],
)
# Models and fields that facts may read, each with the path to its tenant.
SIGNALBOX_FACT_MODELS: dict[str, dict[str, object]] = {
    "demo.Subscription": {"tenant": "tenant", "fields": ["plan", "seats", "ends_on"]},
}

# --- The copilot's model ------------------------------------------------------------
# Any service that speaks OpenAI's chat completions, used exactly as typed; without an
# address the copilot works by its rules alone, and no connection leaves.
SIGNALBOX_MODEL_URL = os.environ.get("SIGNALBOX_MODEL_URL", "")
SIGNALBOX_MODEL_NAME = os.environ.get("SIGNALBOX_MODEL_NAME", "")
# Where the key is, such as env:MODEL_KEY; never the key itself.
SIGNALBOX_MODEL_KEY = env_reference("SIGNALBOX_MODEL_KEY")
SIGNALBOX_MODEL_TIMEOUT_MS = env_int(
    "SIGNALBOX_MODEL_TIMEOUT_MS", default=20_000, minimum=1
)
# Times a model may try again after its answer was refused.
SIGNALBOX_MODEL_REPAIRS = env_int("SIGNALBOX_MODEL_REPAIRS", default=2)
SIGNALBOX_MODEL_TOKENS = env_int("SIGNALBOX_MODEL_TOKENS", default=2_000, minimum=1)

# --- Watching ---------------------------------------------------------------------
# Seconds between writes of what was measured; 0 writes nothing by itself.
SIGNALBOX_FLUSH_SECONDS = env_int("SIGNALBOX_FLUSH_SECONDS", default=10)
# Megabytes (10^6 bytes) the database may have, for reviews; 0 when there is no limit.
SIGNALBOX_DATABASE_LIMIT_MB = env_int("SIGNALBOX_DATABASE_LIMIT_MB", default=0)
# Days that log lines and traces stay in the database; 0 stores none. Warnings and
# errors stay longer than the rest.
SIGNALBOX_LOG_DAYS = env_int("SIGNALBOX_LOG_DAYS", default=14)
SIGNALBOX_WARNING_LOG_DAYS = env_int("SIGNALBOX_WARNING_LOG_DAYS", default=90)
SIGNALBOX_TRACE_DAYS = env_int("SIGNALBOX_TRACE_DAYS", default=7)
# Probes speak plain HTTP from inside.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
SENTRY_DSN = os.environ.get("SENTRY_DSN", "")
LOG_LEVEL = env_choice(
    "SIGNALBOX_LOG_LEVEL",
    choices=("DEBUG", "INFO", "WARNING", "ERROR"),
    default="INFO",
)
LOG_FORMAT = env_choice(
    "SIGNALBOX_LOG_FORMAT", choices=("json", "text"), default="json"
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {"()": "observability.logs.JsonFormatter"},
        "text": {"()": "observability.logs.TextFormatter"},
    },
    "handlers": {
        "stdout": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT},
        "store": {"class": "observability.log_store.StoreHandler"},
    },
    "root": {"handlers": ["stdout", "store"], "level": LOG_LEVEL},
}
