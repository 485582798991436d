"""Approvals as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ApprovalsConfig(AppConfig):
    """Who decided what, on exactly which words."""

    name = "portal.approvals"
    verbose_name = "Approvals"

    def ready(self) -> None:
        """Register what can be approved of the directory, and what records show of it; load rules after migrations."""
        from portal.approvals import beside as approvals  # noqa: PLC0415
        from portal.approvals import registry, subjects  # noqa: PLC0415
        from portal.approvals.receivers import load_reference_data  # noqa: PLC0415
        from portal.audit import beside  # noqa: PLC0415

        registry.register(subjects.SEVERITY)
        registry.register(subjects.OBJECTIVE)
        beside.register(approvals)
        post_migrate.connect(load_reference_data, sender=self, dispatch_uid="approvals.reference")
