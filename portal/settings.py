"""The settings of Watchbook. Every variable that they read is described in .env.example."""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from portal import environment, logs

BASE_DIR = Path(__file__).resolve().parent.parent
environment.read_env_file(BASE_DIR / ".env")

# Where this installation keeps its things and how it is reached.
DATA_FOLDER = environment.data_folder(BASE_DIR)
PORTAL_COMPANY = environment.read("PORTAL_COMPANY", "Watchbook", str, expected="a name")
# `manage.py portal` names its address in PORTAL_ADDRESS and leaves it in the data folder for every other command.
ADDRESS_FILE = DATA_FOLDER / "address"
_kept_address = ADDRESS_FILE.read_text().strip() if ADDRESS_FILE.is_file() else ""
_started_at = environment.web_address("PORTAL_ADDRESS", _kept_address or "http://127.0.0.1:8000")
_address = environment.web_address("PORTAL_URL", _started_at.geturl())
PORTAL_URL = _address.geturl()
SECURE = _address.scheme == "https"
HEARTBEAT_URL = environment.endpoint(
    "HEARTBEAT_URL",
    ("http", "https"),
    expected="an address that answers GET, such as https://heartbeat.example.org/abc",
)

DEBUG = False
SECRET_KEY = environment.secret_key(DATA_FOLDER)
ALLOWED_HOSTS = [str(_address.hostname), "localhost", "127.0.0.1", "[::1]", *environment.host_names("PORTAL_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "portal.audit",
    "portal.accounts",
    "portal.directory",
    "portal.deadlines",
    "portal.notify",
    "portal.records",
    "incidents",
    "changes",
    "maintenance",
    "portal.dashboard",
    "portal.apps.PortalAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "simple_history",
    "axes",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",  # pages and uncollected static files; collected ones come compressed
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.audit.middleware.ActingMiddleware",
    "portal.accounts.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["portal.lib.templating"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "portal.dashboard.context.shell",
            ],
        },
    }
]

DATABASES = {"default": environment.database(DATA_FOLDER)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The broker is a doorbell: what must happen is in the database. Unset, it is the one that `manage.py portal` starts.
BROKER_IS_EMBEDDED, REDIS_URL = environment.broker(DATA_FOLDER)
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)

# People.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in/"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_LOCKOUT_TEMPLATE = "accounts/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# History is read through the portal's own pages; nothing is reverted by hand.
SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True
SIMPLE_HISTORY_HISTORY_CHANGE_REASON_USE_TEXT_FIELD = True

# Language and time.
LANGUAGE_CODE = "en-gb"
FORMAT_MODULE_PATH = ["portal.lib.formats"]
LOCALE_PATHS = [BASE_DIR / "portal" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = environment.time_zone("PORTAL_TIME_ZONE", "UTC")

# Static files come from the apps; a secure installation collects and compresses them first.
STATIC_URL = "/static/"
STATIC_ROOT = DATA_FOLDER / "static"
_static = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if SECURE
    else ("django.contrib.staticfiles.storage.StaticFilesStorage")
)
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA_FOLDER / "evidence"},
    },
    "staticfiles": {"BACKEND": _static},
}
WHITENOISE_USE_FINDERS = not SECURE

# Mail.
globals().update(environment.mail(DATA_FOLDER))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = environment.mail_address("EMAIL_FROM", f"watchbook@{_address.hostname}")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

LOGGING = logs.configure(as_json=SECURE)

# What a browser may do.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
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
SESSION_COOKIE_AGE = 12 * 60 * 60
if SECURE:
    MIDDLEWARE = ["portal.proxy.ClientAddress", *MIDDLEWARE]
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz/$"]
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
