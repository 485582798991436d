"""What the database itself refuses of versions, whoever writes: what was published stays as it was approved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.audit.triggers import refusing
from portal.runbooks.policy import TRANSITIONS

VERSION = "runbooks_runbookversion"
_KEPT_FOR_GOOD = ("id", "runbook_id", "number", "made_at", "made_by")
_KEPT_ONCE_PUBLISHED = ("text", "digest", "summary", "published_at", "published_by")


def _differs(*names: str) -> str:
    return " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in names)


def _strays(transitions: Mapping[str, Mapping[Any, Any]]) -> str:
    """Return when a state moves where no verb leads."""
    ways = {
        (str(old.value), str(new.value)) for verb in transitions.values() for old, new in verb.items() if old != new
    }
    allowed = " OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in sorted(ways))
    return f"NEW.state <> OLD.state AND NOT ({allowed})"


GUARDS = (
    refusing(
        "watchbook_runbook_version_kept",
        table=VERSION,
        act="UPDATE",
        what="Version of a runbook",
        refusals={
            "whose it is and who made it never changes": _differs(*_KEPT_FOR_GOOD),
            "what was published never changes": (
                f"OLD.state IN ('published', 'superseded') AND ({_differs(*_KEPT_ONCE_PUBLISHED)})"
            ),
            "no verb leads there": _strays(TRANSITIONS),
        },
    ),
    refusing(
        "watchbook_runbook_version_stays",
        table=VERSION,
        act="DELETE",
        what="Version of a runbook",
        refusals={"what was published is never deleted": "OLD.state IN ('published', 'superseded')"},
    ),
)
