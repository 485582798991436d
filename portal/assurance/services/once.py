"""A form acts once: its hidden key is the gesture of what it does."""

from __future__ import annotations

import uuid

from portal.audit.models import TrailRow


def done(gesture: uuid.UUID) -> bool:
    """Tell whether a form with this one-time key has acted already: its gesture stands in the trail."""
    return TrailRow.objects.filter(gesture=gesture, model__startswith="assurance.").exists()
