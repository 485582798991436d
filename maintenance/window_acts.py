"""The verbs of a window as its pages offer them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from maintenance import services
from maintenance import window_policy as policy
from maintenance.forms.windows import ExtendForm, MoveForm, WindowActForm, WindowReasonForm
from maintenance.models import Window


@dataclass(frozen=True, slots=True)
class WindowAct:
    """One verb. `verb` is its name in the policy, `about` what it does, `said` what is told once it is done."""

    slug: str
    verb: str
    label: str
    title: str
    icon: str
    about: str
    said: str
    form: type[WindowActForm]
    service: Callable[..., Any]
    danger: bool = False


WINDOW_ACTS: dict[str, WindowAct] = {
    act.slug: act
    for act in (
        WindowAct(
            "begin", "begin", "Begin", "Begin the window", "play",
            "It begins by itself at its time. By hand it begins up to an hour earlier; its end stays.",
            "It is in progress.", WindowActForm, services.begin,
        ),
        WindowAct(
            "verify", "verify", "Work is over", "Say that the work is over", "eye",
            "Its systems are looked at now. Nobody is paged for them until it is completed, or its time is over.",
            "Its systems are being verified.", WindowActForm, services.verify,
        ),
        WindowAct(
            "complete", "complete", "Complete", "Complete the window", "circle-check",
            "You looked at its systems, and they are well. From now on people are paged for them as usual.",
            "It is completed.", WindowActForm, services.complete_window,
        ),
        WindowAct(
            "extend", "extend", "Give it more time", "Give it more time", "timer",
            "Until the new end nobody is paged for its systems. Their contacts see it on its page.",
            "It has more time.", ExtendForm, services.extend,
        ),
        WindowAct(
            "work-on", "work on", "Back to work", "Take the work up again", "undo-2",
            "What you verified is not right yet. The window goes on, with its end.",
            "The work goes on.", WindowReasonForm, services.work_on,
        ),
        WindowAct(
            "move", "move", "Move", "Move the window", "calendar-clock",
            "It has not begun yet. It begins and ends at the times you give.",
            "It is moved.", MoveForm, services.move,
        ),
        WindowAct(
            "cancel", "cancel", "Cancel window", "Cancel the window", "ban",
            "It does not take place. People are paged for its systems as usual.",
            "It is cancelled.", WindowReasonForm, services.cancel, danger=True,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WindowOffer:
    """A verb as one page offers it now."""

    act: WindowAct
    url: str


def offers_of(window: Window, *, at: datetime) -> list[WindowOffer]:
    """Return the verbs that fit now, the most likely one first. It begins by hand within the hour before at most."""
    base = window.get_absolute_url()
    fitting = [act for act in WINDOW_ACTS.values() if window.state in policy.WINDOW[act.verb]]
    if not policy.may_begin(window.starts_at, at=at):
        fitting = [act for act in fitting if act.verb != "begin"]
    return [WindowOffer(act, f"{base}{act.slug}/") for act in fitting]
