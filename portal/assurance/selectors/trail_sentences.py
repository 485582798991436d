"""What a gesture did, as one sentence that people read. It reads names, and no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from portal.assurance.selectors.trail_naming import (
    REFERENCE,
    field_label,
    field_of,
    kind_of,
    kinds_of,
    label_of,
    moment_in,
    without_code,
    without_keys,
)
from portal.audit.enums import EVENTS, Action
from portal.audit.models import Difference, TrailRow

SHORT = 40
STATES = {"status", "state"}
# Words of states that are verbs as they stand: "acknowledged INC-000418".
DONE = frozenset(
    {
        "declared", "acknowledged", "mitigated", "resolved", "closed", "cancelled", "reopened", "merged", "submitted",
        "approved", "denied", "withdrawn", "expired", "voided", "scheduled", "implemented", "reviewed", "started",
        "completed", "failed", "attested", "revoked", "rejected",
    }
)  # fmt: skip
SPOKEN = {"withdrawn": "withdrew"}
CREATED = {
    "incidents.incident": "declared",
    "approvals.approvalrequest": "asked for the approval",
    "assurance.engagement": "granted",
    "assurance.review": "opened",
}
# What history says of what it leaves out, as a verb.
SAID = {"Password changed": "changed the password of", "Password stored anew": "renewed the stored password of"}
ACCOUNT = "accounts.user"


@dataclass(frozen=True, slots=True)
class Part:
    """A few words of a sentence; strong ones name what it is about."""

    text: str
    strong: bool = False

    @property
    def whole(self) -> bool:
        """Whether it must not be broken at the end of a line."""
        return REFERENCE.fullmatch(self.text) is not None


def plain(*texts: str) -> list[Part]:
    """Return plain words."""
    return [Part(" ".join(text for text in texts if text))]


def principal(rows: Sequence[TrailRow]) -> TrailRow:
    """Return the row that says best what a gesture was about; the first written one of equals.

    What somebody did goes before what the system did because of it.
    """
    return min(rows, key=lambda row: (row.actor_id is None, _weight(row), row.pk))


def _weight(row: TrailRow) -> int:
    if row.action == Action.DECIDED:
        return 0
    if row.action in EVENTS:
        return 1
    whole = (row.model, row.object_id) == (row.root_model, row.root_id)
    if not whole:
        return {Action.CREATED: 7, Action.CHANGED: 8}.get(Action(row.action), 9)
    if row.action == Action.CHANGED:
        return 3 if STATES & set(row.fields.split()) else 4 if " groups " in row.fields else 5 if row.privileged else 6
    return 2


def sentence(rows: Sequence[TrailRow]) -> list[Part]:
    """Return what the rows of one gesture did, without the actor: "acknowledged INC-000418"."""
    row = principal(rows)
    found = _told(row)
    if row.action in EVENTS:
        return found
    like = [other for other in rows if other.action == row.action and other.model == row.model]
    keys = {(other.model, other.object_id) for other in like}
    if len(keys) > 1:
        others = kind_of(row.model) if len(keys) == 2 else kinds_of(row.model)
        found.append(Part(f" and {len(keys) - 1} other {others}"))
    roots = {(other.root_model, other.root_id) for other in like}
    if more := len({(other.root_model, other.root_id) for other in rows} - roots):
        found.append(Part(", and 1 more record" if more == 1 else f", and {more} more records"))
    return found


def _told(row: TrailRow) -> list[Part]:
    if row.action == Action.SIGN_IN_REFUSED:
        return refused([row])
    if row.action in EVENTS:
        return _event(row)
    if row.event and (not row.fields or row.event in SAID):
        return [Part(f"{SAID.get(row.event, _small(row.event) + ':')} "), *_object(row)]
    if row.action == Action.CREATED:
        return [Part(f"{CREATED.get(row.model, 'added')} "), *_object(row)]
    if row.action == Action.DELETED:
        return [Part("removed "), *_object(row)]
    return _changed(row)


def refused(rows: Sequence[TrailRow], *, more: bool = False) -> list[Part]:
    """Return how often a sign-in was refused, and under which names. `more` says that these are not all."""
    names = list(dict.fromkeys(found.reference or found.name or "nobody" for found in rows))
    words: list[Part] = [Part("failed to sign in as ")]
    for number, name in enumerate(names[:3]):
        words += [Part(", ")] * bool(number) + [Part(name, strong=True)]
    if len(names) > 3:
        words.append(Part(f" and {len(names) - 3} more"))
    often = "more than " if more else ""
    return words + ([Part(f", {often}{len(rows)} times")] if len(rows) > 1 else [])


def _event(row: TrailRow) -> list[Part]:
    words = _small(row.event or Action(row.action).label)
    label = label_of(row)
    own = row.model == ACCOUNT and row.object_id == str(row.actor_id)
    if not label or own or label in words or row.name in words:
        return plain(words)
    return [Part(f"{words}: "), *_object(row)]


def _changed(row: TrailRow) -> list[Part]:
    differences = row.differences
    for change in differences:
        if change.field in STATES and change.new:
            state = without_code(change.new).lower()
            return [Part(f"{SPOKEN.get(state, state)} "), *_object(row)] if state in DONE else _moved(row, state)
    for change in differences:
        done = change.field.removesuffix("_at")
        if done != change.field and done.endswith("ed") and change.new and not change.old:
            return [Part(f"{done.replace('_', ' ')} "), *_object(row)]
    if row.model == ACCOUNT and (words := _account(row, differences)):
        return words
    if len(differences) == 1:
        return _one(row, differences[0])
    names = [field_label(row.model, name) for name in row.fields.split()]
    if len(names) > 2:
        return [Part(f"changed {len(names)} fields of "), *_object(row)]
    return [Part(f"changed {' and '.join(names)} of " if names else "changed "), *_object(row)]


def _moved(row: TrailRow, state: str) -> list[Part]:
    return [Part("moved "), *_object(row), Part(f" to “{state}”")]


def _account(row: TrailRow, differences: Sequence[Difference]) -> list[Part]:
    """Return what became of somebody's roles or of their account."""
    for change in differences:
        if change.field == "groups" and change.new and not change.old:
            return [Part("gave "), Part(row.name, strong=True), Part(f" the role {without_keys(change.new)}")]
        if change.field == "groups" and change.old and not change.new:
            return [Part(f"took the role {without_keys(change.old)} from "), Part(row.name, strong=True)]
        if change.field == "is_active":
            return [Part("opened " if change.new == "yes" else "closed "), *_object(row)]
    return []


def _one(row: TrailRow, change: Difference) -> list[Part]:
    label = field_label(row.model, change.field)
    old, new = (without_keys(text) if text else "" for text in (change.old, change.new))
    if getattr(field_of(row.model, change.field), "many_to_many", False) and bool(old) != bool(new):
        verb, way = ("added", "to") if new else ("took", "out of")
        return [Part(f"{verb} {_short(new or old)} {way} {label} of "), *_object(row)]
    found = [Part(f"changed {label} of "), *_object(row)]
    if old and new and max(len(old), len(new)) <= SHORT and moment_in(old) is None and moment_in(new) is None:
        found.append(Part(f" from {old} to {new}"))
    return found


def _object(row: TrailRow) -> list[Part]:
    label = label_of(row)
    if REFERENCE.fullmatch(label) or not row.model:
        return [Part(label, strong=True)]
    kind = kind_of(row.model)
    if label.lower().startswith(kind.lower()):
        return [Part("the "), Part(label, strong=True)]
    return [Part(f"the {kind} "), Part(label, strong=True)]


def _short(text: str) -> str:
    return text if len(text) <= 2 * SHORT else f"{text[: 2 * SHORT - 1]}…"


def _small(text: Any) -> str:
    """Return words as they stand inside a sentence: no capital first, unless it belongs to the word."""
    words = str(text)
    return words[:1].lower() + words[1:] if words[1:2].islower() or words[1:2] == " " else words
