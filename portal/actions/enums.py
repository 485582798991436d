"""The closed lists of action items."""

from __future__ import annotations

from django.db.models import TextChoices


class Kind(TextChoices):
    """What an action does about what happened."""

    DETECTIVE = "detective", "Detective: it is noticed sooner"
    PREVENTIVE = "preventive", "Preventive: it does not happen again"
    CORRECTIVE = "corrective", "Corrective: what is wrong is put right"

    @property
    def word(self) -> str:
        """The word alone."""
        return self.value.capitalize()


class State(TextChoices):
    """The life of an action item."""

    OPEN = "open", "Open"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"
