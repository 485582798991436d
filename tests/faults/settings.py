"""Settings of the processes that a fault test kills: the test's database, and mail to the test's own sink."""

import os

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [app for app in INSTALLED_APPS if app != "zeal"]
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("FAULTS_SMTP_PORT", "1"))
EMAIL_TIMEOUT = 1
if "FAULTS_SQLITE" in os.environ:
    DATABASES["default"]["NAME"] = os.environ["FAULTS_SQLITE"]
LOGGING = {"version": 1, "disable_existing_loggers": True, "root": {"level": "CRITICAL"}}
