"""Django's settings, out of `configuration`. Importing this module reads; it creates and writes nothing."""

from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url
from csp.constants import NONE, SELF

from services.portal.configuration import configuration
from services.portal.secrets_kept import kept_key

HERE = Path(__file__).parent
SET = configuration()
DATA = SET.folder

SECRET_KEY = SET.secret_key or kept_key(DATA)
DEBUG = False
HTTPS = SET.origin.startswith("https://")
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *filter(None, [urlsplit(SET.origin).hostname])]
CSRF_TRUSTED_ORIGINS = [SET.origin] if SET.origin else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_vite",
    "csp",
    "services.portal",
]
MIDDLEWARE = [
    "services.portal.middleware.Logged",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "services.portal.middleware.Static",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "services.portal.middleware.Limited",
]
ROOT_URLCONF = "services.portal.urls"
ASGI_APPLICATION = "services.portal.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "services.portal.context.about",
            ]
        },
    }
]

# SQLite beside the data; PostgreSQL, or whatever Django knows, by DATABASE_URL.
DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{DATA / 'portal.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "timeout": SET.busy_seconds,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "portal.Account"
LOGIN_URL, LOGIN_REDIRECT_URL, LOGOUT_REDIRECT_URL = "login", "home", "home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
RATELIMIT_USE_CACHE = "default"
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.E003", "django_ratelimit.W001"]  # one process serves: its memory counts

CSRF_FAILURE_VIEW = "services.portal.problems.csrf_failed"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],
        "media-src": [SELF],
        "connect-src": [SELF],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 << 10
FILE_UPLOAD_MAX_MEMORY_SIZE = SET.upload_bytes
DATA_UPLOAD_MAX_NUMBER_FILES = 1

LANGUAGE_CODE, TIME_ZONE, USE_TZ, USE_I18N = "en-gb", "UTC", True, False
STATIC_URL = "/static/"
VIEWS = HERE / "frontend" / "dist"
FONTS = HERE.parents[1] / "book/theme/node_modules/@fontsource-variable/source-serif-4/files"
HAS_FONTS = FONTS.is_dir()
STATICFILES_DIRS = [*([VIEWS] if VIEWS.is_dir() else []), *([("fonts", FONTS)] if HAS_FONTS else [])]
WHITENOISE_USE_FINDERS, WHITENOISE_AUTOREFRESH = True, False
DJANGO_VITE = {"default": {"dev_mode": False, "manifest_path": VIEWS / "manifest.json"}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"entry": {"()": "services.portal.logs.Entries", "project": SET.project}},
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "entry"}},
    "root": {"handlers": ["out"], "level": "WARNING"},
    "loggers": {
        "portal": {"handlers": ["out"], "level": "INFO", "propagate": False},
        "django.request": {"handlers": ["out"], "level": "CRITICAL", "propagate": False},
        "django.security": {"handlers": ["out"], "level": "CRITICAL", "propagate": False},
    },
}
