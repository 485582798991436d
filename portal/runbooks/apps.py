"""Runbooks as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class RunbooksConfig(AppConfig):
    """Runbooks in versions, and the checklists that are worked from them."""

    name = "portal.runbooks"
    label = "runbooks"
    verbose_name = "Runbooks"

    def ready(self) -> None:
        """Register what can be approved and found here, and load the reference rows after every migration."""
        from portal.approvals import registry  # noqa: PLC0415
        from portal.runbooks.approving import VERSION  # noqa: PLC0415
        from portal.runbooks.checklists import subjects  # noqa: PLC0415
        from portal.runbooks.checklists.systems import SYSTEM  # noqa: PLC0415
        from portal.runbooks.receivers import load_reference_data  # noqa: PLC0415
        from portal.runbooks.searching import KINDS  # noqa: PLC0415
        from portal.search import registry as search  # noqa: PLC0415

        registry.register(VERSION)
        subjects.register(SYSTEM)
        search.register(*KINDS)
        post_migrate.connect(load_reference_data, sender=self, dispatch_uid="runbooks.reference")
