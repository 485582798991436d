"""The closed lists of evidence."""

from django.db.models import TextChoices


class State(TextChoices):
    """Where the custody of an item stands. Whether it is sealed is a mark beside it."""

    HELD = "held", "In custody"
    OFFERED = "offered", "Being handed over"
    RELEASED = "released", "Released"


class Kind(TextChoices):
    """What a custody event tells."""

    COLLECTED = "collected", "Collected"
    VIEWED = "viewed", "Viewed"
    DOWNLOADED = "downloaded", "Downloaded"
    HANDED_OVER = "handed-over", "Handed over"
    RECEIVED = "received", "Receipt confirmed"
    NOT_RECEIVED = "not-received", "Handover ended"
    VERIFIED = "verified", "Verified"
    SEALED = "sealed", "Sealed"
    RELEASED = "released", "Released"


class Result(TextChoices):
    """What reading a stored file again found."""

    INTACT = "intact", "Intact"
    ALTERED = "altered", "Altered"
    MISSING = "missing", "Missing"


class Caution(TextChoices):
    """What a reader should know of a file before opening it. Such a file is kept like any other."""

    PATH = "path", "Its name held a path. Only the last part of it is used for downloads."
    HIDDEN = (
        "hidden",
        "Its name held characters that nobody sees or that turn the writing around. They are spelled out.",
    )
    LONG = "long", "Its name was too long and is cut."
    ACTIVE = "active", "It is a kind of file that can run script in a browser. It is only ever downloaded, never shown."
    SCRIPT = "script", "It holds script. Open it in a sandbox only."
    PROGRAM = "program", "It is a program. Run it in a sandbox only."
    NAMED_OTHERWISE = "named-otherwise", "Its name promises another kind of file than its bytes are."
