"""Asking history what came since a test began: the reference data has left some before."""

from portal.accounts.models import User
from portal.directory.models import Calendar, Team

BEFORE = {}


def begin():
    """Remember what history holds now."""
    for model in (Calendar, Team, User):
        newest = last(model)
        BEFORE[model] = newest.pk if newest else 0


def since(model):
    """Return the history rows of the model that were written since, oldest first."""
    return model.history.filter(history_id__gt=BEFORE[model]).order_by("history_id")


def kinds(model):
    """Return "+", "~" or "-" for each of them."""
    return list(since(model).values_list("history_type", flat=True))


def last(model):
    """Return the newest history row of the model."""
    return model.history.order_by("-history_id").first()
