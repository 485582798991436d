"""What one verb of an incident is, to the pages that offer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from incidents.clocks import ClockFace
from incidents.forms import ActForm
from incidents.models import Incident

Cards = Sequence[ClockFace]


@dataclass(frozen=True, slots=True)
class Act:
    """One verb. `label` is the button, `title` the heading of its page, `about` the sentence that says what it does."""

    slug: str
    label: str
    title: str
    icon: str
    about: str
    said: str
    form: type[ActForm]
    service: Callable[..., object]
    fits: Callable[[Incident, Cards], bool]
    danger: bool = False
