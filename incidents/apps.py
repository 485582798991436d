"""Incidents as a Django app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class IncidentsConfig(AppConfig):
    """Incidents, escalation policies, intake of alerts."""

    name = "incidents"
    verbose_name = "Incidents"

    def ready(self) -> None:
        """Register what is approved, worked and found here, and load the reference rows after every migration."""
        from incidents.approving import POLICY  # noqa: PLC0415
        from incidents.checklists import INCIDENT  # noqa: PLC0415
        from incidents.communications.approving import MESSAGE  # noqa: PLC0415
        from incidents.models import Incident  # noqa: PLC0415
        from incidents.receivers import load_reference_data  # noqa: PLC0415
        from incidents.searching import INCIDENT as FOUND  # noqa: PLC0415
        from incidents.services.access import may_read_demand  # noqa: PLC0415
        from incidents.services.drilling import start_drill  # noqa: PLC0415
        from incidents.services.shutting import held_back  # noqa: PLC0415
        from incidents.sweeps import OPEN_TOPIC  # noqa: PLC0415
        from portal.approvals import registry  # noqa: PLC0415
        from portal.records import drills, linking, readers  # noqa: PLC0415
        from portal.runbooks import holding  # noqa: PLC0415
        from portal.runbooks.checklists import subjects  # noqa: PLC0415
        from portal.search import registry as search  # noqa: PLC0415

        registry.register(POLICY)
        registry.register(MESSAGE)
        subjects.register(INCIDENT)
        search.register(FOUND)
        readers.register(OPEN_TOPIC, may_read_demand)
        holding.register(held_back)
        linking.register("INC", Incident)
        drills.register(start_drill, permissions=("incidents.add_incident", "incidents.start_drill"))
        post_migrate.connect(load_reference_data, sender=self, dispatch_uid="incidents.reference")
