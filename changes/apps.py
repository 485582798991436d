"""Changes as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ChangesConfig(AppConfig):
    """Changes, their templates, release checklists, gates and freezes."""

    name = "changes"
    verbose_name = "Changes"

    def ready(self) -> None:
        """Register what can be approved and found here, and load the reference rows after every migration."""
        from changes.approving import CHANGE, TEMPLATE  # noqa: PLC0415
        from changes.checklists import CHANGE as WORKED  # noqa: PLC0415
        from changes.models import Change  # noqa: PLC0415
        from changes.receivers import load_reference_data  # noqa: PLC0415
        from changes.searching import FOUND  # noqa: PLC0415
        from portal.approvals import registry  # noqa: PLC0415
        from portal.records import linking  # noqa: PLC0415
        from portal.runbooks.checklists import subjects  # noqa: PLC0415
        from portal.search import registry as search  # noqa: PLC0415

        registry.register(CHANGE)
        registry.register(TEMPLATE)
        linking.register("CHG", Change, takes=())
        search.register(FOUND)
        subjects.register(WORKED)
        post_migrate.connect(load_reference_data, sender=self, dispatch_uid="changes.reference")
