"""The directory as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DirectoryConfig(AppConfig):
    """Teams, people, systems, calendars, severity levels."""

    name = "portal.directory"
    verbose_name = "Directory"

    def ready(self) -> None:
        """Load the reference rows after every migration, let many ids be looked for at once, say what is searched."""
        from portal.directory.receivers import load_reference_data  # noqa: PLC0415
        from portal.directory.searching import KINDS  # noqa: PLC0415
        from portal.lib import among  # noqa: PLC0415
        from portal.search import registry  # noqa: PLC0415

        among.register()
        registry.register(*KINDS)
        post_migrate.connect(load_reference_data, sender=self, dispatch_uid="directory.reference")
