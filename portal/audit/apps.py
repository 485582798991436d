"""The audited base as a Django app."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate, pre_migrate


class AuditConfig(AppConfig):
    """It keeps the trail and its seals; the history tables belong to the apps whose rows they keep."""

    name = "portal.audit"
    verbose_name = "Audit"
    label = "audit"

    def ready(self) -> None:
        """Guard the record after every migration, and watch what ends audited relations without a signal."""
        from portal.audit import adopting, checks, receivers  # noqa: PLC0415 - the models are there only now
        from portal.audit.history import AuditHistory  # noqa: PLC0415 - the models are there only now

        for model, history in AuditHistory.of.items():
            history.watch_targets(model)
        pre_migrate.connect(receivers.make_room, sender=self, dispatch_uid="audit.room")
        post_migrate.connect(adopting.adopt_history, sender=self, dispatch_uid="audit.adopt")
        post_migrate.connect(receivers.install_guards, sender=self, dispatch_uid="audit.guards")
        register(checks.check_guards, Tags.database)
