"""Search as a Django app."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, pre_migrate


class SearchConfig(AppConfig):
    """It has no tables of its own but the indexes of others."""

    name = "portal.search"
    label = "search"
    verbose_name = "Search"

    def ready(self) -> None:
        """Keep the indexes after every migration."""
        from portal.search import checks, receivers  # noqa: PLC0415

        pre_migrate.connect(receivers.make_room, sender=self, dispatch_uid="search.room")
        post_migrate.connect(receivers.install_indexes, sender=self, dispatch_uid="search.indexes")
        register(checks.check_indexes, Tags.database)
