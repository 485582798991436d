"""Action items as a Django app."""

from django.apps import AppConfig


class ActionsConfig(AppConfig):
    """What is to be done because of something that happened, by whom, until when."""

    name = "portal.actions"
    verbose_name = "Action items"

    def ready(self) -> None:
        """Register what can be found and linked here."""
        from portal.actions.models import ActionItem  # noqa: PLC0415
        from portal.actions.policy import PREFIX  # noqa: PLC0415
        from portal.actions.searching import FOUND  # noqa: PLC0415
        from portal.records import linking  # noqa: PLC0415
        from portal.search import registry as search  # noqa: PLC0415

        linking.register(PREFIX, ActionItem, takes=(linking.CARRIES_OUT,))
        search.register(FOUND)
