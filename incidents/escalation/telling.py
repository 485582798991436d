"""What an escalation says in the timeline, and what its pages say of the step."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.contenttypes.models import ContentType

from incidents.escalation.reaching import Reached, held
from incidents.models import Incident
from incidents.policy import Snapshot
from portal.lib import durations
from portal.records import services as records
from portal.records.models import Note

SYSTEM = "system: escalation"


def type_id() -> int:
    """Return the id of the content type of incidents."""
    return ContentType.objects.get_for_model(Incident).pk


def context_of(
    snapshot: Snapshot,
    systems: list[tuple[int, str]],
    *,
    step: int,
    next_due: datetime,
    following: tuple[int, int, int] | None,
) -> dict[str, Any]:
    """Return what the words of a page say about its step and the one that follows."""
    targets: Any = snapshot.steps[following[1]]["targets"] if following else []
    return {
        "systems": ", ".join(name for _, name in systems),
        "step": step + 1,
        "steps": len(snapshot.steps),
        "policy_name": snapshot.name,
        "policy_version": snapshot.version,
        "next_due": next_due.replace(microsecond=0),
        "next_words": " and ".join(target["name"] for target in targets) or "the administrators",
    }


def page_note(
    incident: Incident,
    snapshot: Snapshot,
    reached: Reached,
    steps: list[int],
    *,
    round_: int,
    late: timedelta,
    at: datetime,
) -> Note:
    """Return the line about a step that was taken: whom it paged, whom it could not, who sleeps."""
    names = ", ".join(f"{one.name} ({one.why})" for one in reached.recipients)
    numbers = " and ".join(str(number + 1) for number in dict.fromkeys(steps))
    detail = f"Policy “{snapshot.name}” version {snapshot.version}, step {numbers} of {len(snapshot.steps)}"
    detail += f", round {round_ + 1}" if round_ else ""
    if late > timedelta(seconds=60):
        detail += f", {durations.words(late.total_seconds())} late, once for all that was missed"
    return records.make_note(
        subject_type_id=type_id(),
        subject_id=incident.pk,
        kind="paged",
        text=f"paged {names}" if names else "could page nobody: no administrator can be reached either",
        detail=" ".join([f"{detail}.", *reached.holes, *held(incident, reached.recipients, at=at)]),
        by=SYSTEM,
        at=at,
    )


def unreached_note(incident: Incident, reached: Reached, *, at: datetime) -> Note:
    """Say loudly that somebody who should answer cannot be told."""
    names = " and ".join(dict.fromkeys(reached.silent))
    return records.make_note(
        subject_type_id=type_id(),
        subject_id=incident.pk,
        kind="unreached",
        text=f"could not reach {names}: no verified contact method",
        detail="Whoever comes next was paged at once. Call by telephone, and have a contact method added.",
        by=SYSTEM,
        at=at,
    )
