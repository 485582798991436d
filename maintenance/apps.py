"""Maintenance as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class MaintenanceConfig(AppConfig):
    """Plans of maintenance and their occurrences."""

    name = "maintenance"
    verbose_name = "Maintenance"

    def ready(self) -> None:
        """Register what can be found, linked and worked here, and load the reference rows after every migration."""
        from maintenance.checklists import OCCURRENCE  # noqa: PLC0415
        from maintenance.exercises.policy import PREFIX as EXERCISES  # noqa: PLC0415
        from maintenance.models import Exercise, Plan, Window  # noqa: PLC0415
        from maintenance.policy import PREFIX  # noqa: PLC0415
        from maintenance.receivers import load_reference_data  # noqa: PLC0415
        from maintenance.searching import BACKUPS, FOUND, RECOVERY_PLANS, RESTORE_TESTS, WINDOWS  # noqa: PLC0415
        from maintenance.searching import EXERCISES as TRIED  # noqa: PLC0415
        from maintenance.selectors.hinting import overdue_of  # noqa: PLC0415
        from maintenance.window_policy import PREFIX as WINDOW  # noqa: PLC0415
        from portal.records import hints, linking  # noqa: PLC0415
        from portal.runbooks.checklists import subjects  # noqa: PLC0415
        from portal.search import registry as search  # noqa: PLC0415

        linking.register(PREFIX, Plan, takes=(linking.CARRIES_OUT,))
        linking.register(WINDOW, Window, takes=())
        linking.register(EXERCISES, Exercise, takes=(linking.CARRIES_OUT,))
        hints.register(hints.OVERDUE, overdue_of)
        subjects.register(OCCURRENCE)
        search.register(FOUND)
        search.register(WINDOWS)
        search.register(RECOVERY_PLANS)
        search.register(TRIED)
        search.register(BACKUPS, RESTORE_TESTS)
        post_migrate.connect(load_reference_data, sender=self, dispatch_uid="maintenance.reference")
