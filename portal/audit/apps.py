"""The audited base as a Django app."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """It has no tables of its own: the history tables belong to the apps whose rows they keep."""

    name = "portal.audit"
    verbose_name = "Audit"
