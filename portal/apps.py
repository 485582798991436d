"""The portal as Django apps: itself, and the admin with its own site."""

import importlib

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class PortalConfig(AppConfig):
    """The root package. It has no models; it loads the Celery app for web and worker alike."""

    name = "portal"
    verbose_name = "Watchbook"
    default = True

    def ready(self) -> None:
        """Load the Celery app, so that every process knows the broker and the schedule."""
        importlib.import_module("portal.celery")


class PortalAdminConfig(AdminConfig):
    """Django's admin, standing on the portal's site."""

    default_site = "portal.site.PortalAdminSite"
    default = False
