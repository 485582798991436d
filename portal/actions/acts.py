"""The verbs of an action item as its page offers them: label, form, service, and when each one fits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portal.actions import policy, services
from portal.actions.forms import ActionForm, DoneForm, DueForm, OwnerForm, ReasonForm
from portal.actions.models import ActionItem


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `about` is the sentence that says what it does, `said` what is told once it is done."""

    slug: str
    verb: str
    label: str
    title: str
    icon: str
    about: str
    said: str
    form: type[ActionForm]
    service: Callable[..., Any]
    danger: bool = False


ACTS: dict[str, Act] = {
    act.slug: act
    for act in (
        Act(
            "done", "complete", "Done", "It is done", "circle-check",
            "It was done now or on an earlier day: never before it was opened, never in the future.",
            "It is done.", DoneForm, services.complete,
        ),
        Act(
            "hand-over", "hand over", "Hand over", "Hand it over", "users",
            "Somebody else does it. They are told; its day stays.",
            "It is handed over.", OwnerForm, services.hand_over,
        ),
        Act(
            "move", "move", "Move its day", "Move its day", "calendar-clock",
            "It is due on another day. The day before stays in its timeline, and reminders begin anew.",
            "Its day is moved.", DueForm, services.move_due,
        ),
        Act(
            "cancel", "cancel", "Cancel it", "Cancel it", "ban",
            "It is not needed any more. It stays here with your reason.",
            "It is cancelled.", ReasonForm, services.cancel, danger=True,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Offer:
    """A verb as one page offers it now."""

    act: Act
    url: str


def offers(item: ActionItem) -> list[Offer]:
    """Return the verbs that fit now, the most likely one first."""
    base = item.get_absolute_url()
    return [Offer(act, f"{base}{act.slug}/") for act in ACTS.values() if policy.can(act.verb, item.state)]
