"""The web application, served by gunicorn."""

import gc
import os
import sys

from django.core.wsgi import get_wsgi_application
from django.urls import reverse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
application = get_wsgi_application()
reverse("admin:index")  # every page and its address is loaded before the first request, and not once in each thread
# What is loaded by now stays as long as the process: a collection that walked it would hold up a request by 80 ms.
gc.collect()
gc.freeze()
# A request is many short waits for the database. After each its thread asks for the interpreter again, and another that
# computes gives it away only after this long; at the usual 5 ms, eight threads spend most of a storm waiting in turn.
sys.setswitchinterval(0.001)
