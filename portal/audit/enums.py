"""What a row of the trail can tell."""

from django.db import models


class Action(models.TextChoices):
    """What was done. The first three come with a history row; the others stand for themselves."""

    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    DELETED = "deleted", "Deleted"
    EVENT = "event", "Did"
    SIGNED_IN = "signed-in", "Signed in"
    SIGN_IN_REFUSED = "sign-in-refused", "Sign-in refused"
    SIGNED_OUT = "signed-out", "Signed out"
    READ = "read", "Read"
    EXPORTED = "exported", "Exported"
    DECIDED = "decided", "Decided"
    TOMBSTONED = "tombstoned", "Removed words"


OF_HISTORY = {"+": Action.CREATED, "~": Action.CHANGED, "-": Action.DELETED}
EVENTS = {choice.value for choice in Action} - {action.value for action in OF_HISTORY.values()}
EVENTS_OF_READING = (Action.READ.value, Action.EXPORTED.value)
EVENTS_OF_SIGNING_IN = (Action.SIGNED_IN.value, Action.SIGN_IN_REFUSED.value, Action.SIGNED_OUT.value)
