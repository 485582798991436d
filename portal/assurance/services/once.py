"""A form acts once: the gesture of what it does is made of its hidden key and of who sends it."""

from __future__ import annotations

import uuid

from portal.audit.actor import By, gesture_of
from portal.audit.models import TrailRow


def done(once: uuid.UUID, by: By) -> bool:
    """Tell whether a form with this one-time key has acted already for them: its gesture stands in the trail."""
    return TrailRow.objects.filter(gesture=gesture_of(once, by), model__startswith="assurance.").exists()
