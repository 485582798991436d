"""The auditors' side as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AssuranceConfig(AppConfig):
    """Pages, reviews, engagements and exports of whoever has to believe the record."""

    name = "portal.assurance"
    verbose_name = "Assurance"

    def ready(self) -> None:
        """Load the reference rows after every migration."""
        from portal.assurance.receivers import load_reference_data  # noqa: PLC0415

        post_migrate.connect(load_reference_data, sender=self, dispatch_uid="assurance.reference")
