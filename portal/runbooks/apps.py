"""Runbooks as a Django app."""

from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    """Runbooks in versions, and the checklists that are worked from them."""

    name = "portal.runbooks"
    label = "runbooks"
    verbose_name = "Runbooks"
