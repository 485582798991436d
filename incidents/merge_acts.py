"""Merging, splitting off and linking as the pages offer them."""

from __future__ import annotations

from incidents import policy, services
from incidents.act import Act, Cards
from incidents.merge_forms import MergeForm, RelateForm, SplitForm
from incidents.models import Incident


def _can_merge(incident: Incident, _cards: Cards) -> bool:
    return policy.can("merge", incident.status)


def _open(incident: Incident, _cards: Cards) -> bool:
    return incident.is_open


def _always(_incident: Incident, _cards: Cards) -> bool:
    return True


ACTS: tuple[Act, ...] = (
    Act(
        "merge", "Merge into another", "Merge into another incident", "git-merge",
        "It is the same as another one, which goes on: alerts, responders and systems follow, and its timeline reads "
        "both. Those of its clocks that run stop, and count neither as met nor as missed. Whoever acknowledged this "
        "one has the other too; if that is graver and nobody has acknowledged it, people are paged on.",
        "It is merged. What follows happens in the other one.",
        MergeForm, services.merge, _can_merge,
    ),
    Act(
        "split", "Split off", "Split off a new incident", "route",
        "Something here is another matter. It gets its own clocks and its own escalation, and a link to this one.",
        "The new incident is declared and linked.",
        SplitForm, services.split_off, _open,
    ),
    Act(
        "relate", "Link with another", "Link with another incident", "link",
        "They belong together without being the same. Both show the link.",
        "They are linked.",
        RelateForm, services.relate, _always,
    ),
)  # fmt: skip
