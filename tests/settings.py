"""The portal's settings under test: a data folder of their own, nothing slow, nothing from the developer's machine."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

if "WATCHBOOK_TEST_DATA" not in os.environ:  # the workers of pytest-xdist inherit the folder of their parent
    os.environ["WATCHBOOK_TEST_DATA"] = tempfile.mkdtemp(prefix="watchbook-test-")
    atexit.register(shutil.rmtree, os.environ["WATCHBOOK_TEST_DATA"], ignore_errors=True)
# A folder for each worker: the seats of a lane are files in it, and tests of senders must not take each other's.
_folder = Path(os.environ["WATCHBOOK_TEST_DATA"]) / os.environ.get("PYTEST_XDIST_WORKER", "main")
_folder.mkdir(exist_ok=True)
os.environ["PORTAL_DATA"] = str(_folder)
os.environ["PORTAL_ENV_FILE"] = ""
for name in (
    "PORTAL_URL",
    "MIGRATION_DATABASE_URL",
    "EMAIL_URL",
    "HEARTBEAT_URL",
    "TWILIO_URL",
    "PORTAL_COMPANY",
    "PORTAL_TIME_ZONE",
    "EMAIL_FROM",
    "INTAKE_SMTP",
    "INTAKE_MAIL_DOMAIN",
    "PORTAL_ADDRESS",
    "PORTAL_HOSTS",
    "SECRET_KEY",
    "SECRET_KEY_FALLBACKS",
    "SEAL_KEY",
    "SEAL_KEY_FILE",
    "SEAL_PUBLIC_KEYS",
    "ANCHOR_MINUTES",
    "ANCHOR_FILE",
    "ANCHOR_MAIL",
    "ANCHOR_URL",
    "SECOND_FACTOR",
    "SESSION_IDLE_MINUTES",
    "SESSION_HOURS",
    "CONFIRMATION_MINUTES",
    "SIGN_IN_TRIES",
    "SIGN_IN_WAIT_MINUTES",
    "SIGN_IN_KNOWN_DAYS",
):
    os.environ.pop(name, None)

from portal.settings import *  # noqa: E402, F403
from portal.settings import DATA_FOLDER, DATABASES, INSTALLED_APPS  # noqa: E402

SECOND_FACTOR = "demo"  # a test that asks for the second factor sets it to "required"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_BROKER_URL = "memory://"
WHITENOISE_AUTOREFRESH = True  # else every client of a test reads the folders of static files anew
INSTALLED_APPS = [*INSTALLED_APPS, "zeal"]
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file: parallel requests of a live server cannot share SQLite in memory.
    DATABASES["default"]["TEST"] = {"NAME": DATA_FOLDER / "test.sqlite3"}
    DATABASES["default"]["OPTIONS"]["init_command"] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
