"""What the database itself refuses of occurrences, whoever writes: a date never moves, what is settled stays."""

from __future__ import annotations

from maintenance.enums import State
from maintenance.policy import OCCURRENCE
from portal.audit.triggers import refusing

TABLE = "maintenance_occurrence"
_KEPT_FOR_GOOD = ("id", "plan_id", "number", "reference", "scheduled_on", "opened_at")
_KEPT_ONCE_SETTLED = (
    *("state", "due_on", "due_at", "done_at", "done_by", "done_user_id", "recorded_at", "late_because", "source"),
    *("signed_at", "signed_by", "skipped_at", "skipped_by", "skipped_because"),
)


def _differs(*names: str) -> str:
    return " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in names)


def _strays() -> str:
    """Return when a state moves where no verb leads."""
    ways = {(old.value, new.value) for moves in OCCURRENCE.values() for old, new in moves.items()}
    allowed = " OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in sorted(ways))
    return f"NEW.state <> OLD.state AND NOT ({allowed})"


_SETTLED = ", ".join(f"'{state.value}'" for state in (State.COMPLETED, State.SKIPPED, State.MISSED, State.WITHDRAWN))
OF_OCCURRENCES = (
    refusing(
        "watchbook_occurrence_kept",
        table=TABLE,
        act="UPDATE",
        what="Occurrence of a plan",
        refusals={
            "its plan and its date never change": _differs(*_KEPT_FOR_GOOD),
            "what is settled never changes": f"OLD.state IN ({_SETTLED}) AND ({_differs(*_KEPT_ONCE_SETTLED)})",
            "no verb leads there": _strays(),
        },
    ),
    refusing(
        "watchbook_occurrence_stays",
        table=TABLE,
        act="DELETE",
        what="Occurrence of a plan",
        refusals={"it is never deleted": "OLD.id IS NOT NULL"},
    ),
)

_OF_A_RUN = (
    *("id", "plan_id", "started_at", "finished_at", "size", "newest_data_at", "completed", "source"),
    *("recorded_at", "recorded_by"),
)
OF_RUNS = (
    refusing(
        "watchbook_backup_run_kept",
        table="maintenance_backuprun",
        act="UPDATE",
        what="Run of a backup",
        refusals={"only its validations change": _differs(*_OF_A_RUN)},
    ),
    refusing(
        "watchbook_backup_run_stays",
        table="maintenance_backuprun",
        act="DELETE",
        what="Run of a backup",
        refusals={"it is never deleted": "OLD.id IS NOT NULL"},
    ),
)
