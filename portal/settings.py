"""The settings of Watchbook. Every variable that they read is described in .env.example."""

import sys
from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from portal import environment, keys, logs

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

TWILIO_URL = environment.twilio_account("TWILIO_URL")

DEBUG = False
SECRET_KEY = environment.secret_key(DATA_FOLDER)
SECRET_KEY_FALLBACKS = environment.older_keys("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = [str(_address.hostname), "localhost", "127.0.0.1", "[::1]", *environment.host_names("PORTAL_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PORTAL_URL]
ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

INSTALLED_APPS = [
    "portal.apps.PortalConfig",
    "portal.search",
    "portal.audit",
    "portal.accounts",
    "portal.directory",
    "portal.deadlines",
    "portal.notify",
    "portal.records",
    "portal.approvals",
    "portal.actions",
    "portal.runbooks",
    "incidents",
    "changes",
    "maintenance",
    "portal.assurance",
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
    "allauth",
    "allauth.account",
    "allauth.mfa",
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
    "portal.lib.methods.MethodsMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "portal.audit.middleware.ActingMiddleware",
    "portal.lib.remembering.RememberingMiddleware",
    "portal.accounts.middleware.SessionMiddleware",
    "portal.accounts.middleware.SecondFactorMiddleware",
    "portal.accounts.middleware.TimeZoneMiddleware",
    "portal.accounts.middleware.StepUpMiddleware",
    "allauth.account.middleware.AccountMiddleware",  # allauth does not start without it; none of its pages is there
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.assurance.middleware.EngagementMiddleware",
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

# The portal runs as a role that owns nothing where MIGRATION_DATABASE_URL names the owner of the tables.
DOES_OWNERS_WORK = environment.does_owners_work(sys.argv)
DATABASES = {"default": environment.database(DATA_FOLDER, as_owner=DOES_OWNERS_WORK)}
RUNTIME_ROLE, HAS_OWNER_APART = environment.runtime_role(), environment.has_owner_apart()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What proves the record: the key that signs its heads is kept outside the database.
SEAL_KEY = keys.seal_key(DATA_FOLDER)
SEAL_KEYS_FILE = DATA_FOLDER / "seal-public-keys"
SEAL_PUBLIC_KEYS = keys.public_keys("SEAL_PUBLIC_KEYS")
ANCHOR_EVERY = timedelta(minutes=environment.number("ANCHOR_MINUTES", 60, least=1, most=1440))
ANCHOR_FILE = environment.read("ANCHOR_FILE", DATA_FOLDER / "anchors.jsonl", BASE_DIR.joinpath, expected="a file")
ANCHOR_MAIL = environment.mail_address("ANCHOR_MAIL", "")
ANCHOR_URL = environment.endpoint(
    "ANCHOR_URL", ("http", "https"), expected="an address that takes POST, such as https://anchors.example.org/abc"
)

# Where the contact sheet is taken to each night: for when the portal itself is what is down.
CONTACT_SHEET_FILE = environment.read(
    "CONTACT_SHEET_FILE", DATA_FOLDER / "contact-sheet.html", BASE_DIR.joinpath, expected="a file"
)
CONTACT_SHEET_MAIL = environment.mail_address("CONTACT_SHEET_MAIL", "")
CONTACT_SHEET_URL = environment.endpoint(
    "CONTACT_SHEET_URL", ("http", "https"), expected="an address that takes POST, such as https://pages.example.org/abc"
)

# The broker is a doorbell: what must happen is in the database. Unset, it is the one that `manage.py portal` starts.
BROKER_IS_EMBEDDED, REDIS_URL = environment.broker(DATA_FOLDER)
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)

# People.
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
    "portal.assurance.backends.EngagementBackend",  # what an auditor may see, and nothing else
]
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
# Passwords of one name from all addresses together: after so many wrong ones within the window each further try waits,
# twice as long each time up to the longest. Addresses that an account signed in from lately count apart.
SIGN_IN_TRIES = environment.number("SIGN_IN_TRIES", 10, least=5, most=1000)
SIGN_IN_LONGEST_WAIT = timedelta(minutes=environment.number("SIGN_IN_WAIT_MINUTES", 15, least=1, most=30))
SIGN_IN_KNOWN = timedelta(days=environment.number("SIGN_IN_KNOWN_DAYS", 30, least=0, most=365))
SIGN_IN_FIRST_WAIT, SIGN_IN_WINDOW = timedelta(minutes=1), timedelta(hours=1)
# Second factors: django-allauth keeps them; the portal's own pages are the only ones.
DEMO_LOGINS = DATA_FOLDER / "demo-logins"  # stands there while the logins of the demo company open the portal
SECOND_FACTOR = environment.second_factor("SECOND_FACTOR", demo=DEMO_LOGINS.is_file(), secure=SECURE)
ACCOUNT_ADAPTER = "portal.accounts.adapters.AccountAdapter"
MFA_ADAPTER = "portal.accounts.adapters.FactorAdapter"
# Two tables that nothing is written to. The library's own way to them changes accounts without history.
MIGRATION_MODULES = {"account": "portal.accounts.libraries.migrations"}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
# How long the password is believed while the code is typed, and how long a sign-in lasts: without use, and in all.
SECOND_STEP_LASTS = timedelta(minutes=10)
SESSION_IDLE = timedelta(minutes=environment.number("SESSION_IDLE_MINUTES", 120, least=5, most=1440))
SESSION_LASTS = timedelta(hours=environment.number("SESSION_HOURS", 12, least=1, most=168))
# Wrong codes, and wrong passwords of somebody who is signed in: so many within the time lock the account's next try.
PROOFS_LIMIT = 5
PROOFS_WINDOW = AXES_COOLOFF_TIME
# What weighs more than the rest asks who is there once more, and believes it so long.
CONFIRMATION_LASTS = timedelta(minutes=environment.number("CONFIRMATION_MINUTES", 5, least=1, most=60))
CLOCKS_APART = timedelta(minutes=1)  # how far the clocks of two web machines may differ

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
# Mails that come in as alerts: where the drop listens, and the host in the addresses of its sources.
INTAKE_SMTP = environment.listening("INTAKE_SMTP")
INTAKE_MAIL_DOMAIN = environment.read("INTAKE_MAIL_DOMAIN", str(_address.hostname), str, expected="a host name")

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
SESSION_COOKIE_AGE = int(SESSION_LASTS.total_seconds())
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
