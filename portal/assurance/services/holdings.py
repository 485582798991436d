"""Who holds what: roles, superuser rights, accounts, places in emergency contacts, and engagements.

Each kind of holding says who holds it now, and since when, by whom and why according to the trail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG, ROLES
from portal.assurance import digesting
from portal.assurance.enums import Subject
from portal.assurance.models import Engagement, ReviewItem
from portal.audit.models import TrailRow
from portal.directory.models import EmergencyContact

BY_NAME = {role.name: role for role in ROLES}
ACCOUNT, CONTACT = "accounts.user", "directory.emergencycontact"


@dataclass(frozen=True, slots=True)
class Scope:
    """What an access review goes through. `roles` are names; superusers belong to the accounts."""

    roles: tuple[str, ...] = ()
    accounts: bool = False
    contacts: bool = False
    engagements: bool = False

    @property
    def empty(self) -> bool:
        """Tell whether it names nothing."""
        return not (self.roles or self.accounts or self.contacts or self.engagements)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept with the review."""
        return {**asdict(self), "roles": list(self.roles)}

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Scope:
        """Return the scope that a review keeps."""
        flags = {name: bool(kept.get(name)) for name in ("accounts", "contacts", "engagements")}
        return cls(roles=tuple(kept.get("roles", ())), **flags)


@dataclass(frozen=True, slots=True)
class Grant:
    """When something was given, by whom and why, as the trail tells it; nothing where it tells nothing."""

    at: datetime | None = None
    by: str = ""
    why: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing that one person holds."""

    subject: Subject
    about_id: int | None
    about_name: str
    title: str
    model: str
    object_id: str
    granted: Grant = field(default_factory=Grant)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from every other holding."""
        return self.subject.value, self.object_id, str(self.more.get("role", ""))

    def item(self, number: int) -> ReviewItem:
        """Return it as an unsaved item of a review."""
        granted = self.granted
        facts = {
            "who": self.about_name, "account": self.about_id, "what": self.title, **self.more,
            "since": digesting.moment(granted.at), "by": granted.by, "why": granted.why, "row": granted.row,
        }  # fmt: skip
        return ReviewItem(
            number=number, subject=self.subject, about_id=self.about_id, about_name=self.about_name[:200],
            at=granted.at, title=self.title[:300], reason=granted.why, model=self.model, object_id=self.object_id,
            first_row=granted.row, last_row=granted.row, rows=int(granted.row is not None), facts=facts,
            digest=digesting.of_facts(facts),
        )  # fmt: skip


def key_of(item: ReviewItem) -> tuple[str, str, str]:
    """Return what tells the holding of an item from every other."""
    return item.subject, item.object_id, str(item.facts.get("role", ""))


def held(scope: Scope, *, at: datetime) -> list[Holding]:
    """Return everything in the scope that somebody holds at this moment, by person. A fixed number of queries."""
    found = [*_of_accounts(scope)]
    if scope.contacts:
        found += _contacts()
    if scope.engagements:
        found += _engagements(at)
    return sorted(found, key=lambda one: (one.about_name.lower(), one.about_id or 0, one.subject, one.title))


def _of_accounts(scope: Scope) -> Iterable[Holding]:
    if not scope.roles and not scope.accounts:
        return
    people = list(User.objects.filter(is_active=True).prefetch_related("groups").order_by("pk"))
    grants = _Grants(ACCOUNT, [user.pk for user in people])
    wanted = set(scope.roles)
    for user in people:
        more = {"username": user.username, "last_sign_in": digesting.moment(user.last_login)}
        names = sorted(group.name for group in user.groups.all())
        for name in names:
            if name in wanted:
                role = {**more, "role": BY_NAME[name].slug}
                yield _of(user, Subject.ROLE, f"Role {name}", grants.of_role(user.pk, name), role)
        if not scope.accounts:
            continue
        if user.is_superuser:
            yield _of(user, Subject.SUPERUSER, "Superuser", grants.of_field(user.pk, "is_superuser"), more)
        roles = {**more, "roles": ", ".join(names) or "none"}
        yield _of(user, Subject.ACCOUNT, "Account that may sign in", grants.of_field(user.pk, "is_active"), roles)


def _of(user: User, subject: Subject, title: str, granted: Grant, more: dict[str, Any]) -> Holding:
    return Holding(subject, user.pk, str(user), title, ACCOUNT, str(user.pk), granted, more)


def _contacts() -> Iterable[Holding]:
    rows = list(EmergencyContact.objects.select_related("system", "contact__user").order_by("pk"))
    grants = _Grants(CONTACT, [row.pk for row in rows])
    for row in rows:
        title = f"{row.get_role_display()} of {row.system}"
        user = row.contact.user
        more = {
            "contact": row.contact_id,
            "username": user.username if user else "",
            "last_sign_in": digesting.moment(user.last_login) if user else None,
        }
        granted = grants.of_field(row.pk, "contact")
        yield Holding(
            Subject.CONTACT, row.contact.user_id, row.contact.name, title, CONTACT, str(row.pk), granted, more
        )


def _engagements(at: datetime) -> Iterable[Holding]:
    rows = Engagement.objects.filter(revoked_at=None, ends__gt=at).select_related("auditor").order_by("pk")
    for row in rows:
        user = row.auditor
        more = {
            "username": user.username, "last_sign_in": digesting.moment(user.last_login),
            "until": digesting.moment(row.ends),
        }  # fmt: skip
        granted = Grant(row.granted_at, row.granted_by, row.reason)
        label = row._meta.label_lower
        yield Holding(Subject.ENGAGEMENT, user.pk, str(user), f"Engagement {row}", label, str(row.pk), granted, more)


class _Grants:
    """When things were given, by the rows of the trail about some objects. One query."""

    def __init__(self, model: str, keys: list[int]) -> None:
        wanted = TrailRow.objects.filter(model=model, object_id__in=[str(key) for key in keys]).order_by("id")
        self.rows: dict[str, list[TrailRow]] = {}
        for row in wanted.only("id", "at", "actor_name", "reason", "object_id", "fields", "changes"):
            self.rows.setdefault(row.object_id, []).append(row)

    def of_role(self, key: int, name: str) -> Grant:
        """Return when an account last got a role."""
        return self._last(key, "groups", lambda new: any(part.rpartition(" (")[0] == name for part in new.split(", ")))

    def of_field(self, key: int, name: str) -> Grant:
        """Return when a field last got its value."""
        return self._last(key, name, lambda new: new not in {"", "no"})

    def _last(self, key: int, name: str, fits: Callable[[str], bool]) -> Grant:
        for row in reversed(self.rows.get(str(key), [])):
            if f" {name} " not in row.fields:
                continue
            if any(one.field == name and one.new is not None and fits(one.new) for one in row.differences):
                return Grant(row.at, row.actor_name, row.reason, row.pk)
        return Grant()


def held_now(items: Iterable[ReviewItem], *, at: datetime) -> dict[int, bool]:
    """Return by item whether what it names is still held. At most four queries."""
    kept = list(items)
    ids = {subject: {item.object_id for item in kept if item.subject == subject} for subject in Subject}
    people = ids[Subject.ROLE] | ids[Subject.SUPERUSER] | ids[Subject.ACCOUNT]
    rows = User.objects.filter(pk__in=people, is_active=True).prefetch_related("groups") if people else []
    users = {str(user.pk): user for user in rows}
    contacts = EmergencyContact.objects.filter(pk__in=ids[Subject.CONTACT]) if ids[Subject.CONTACT] else []
    places = {str(row.pk): row.contact_id for row in contacts}
    running = Engagement.objects.filter(pk__in=ids[Subject.ENGAGEMENT], revoked_at=None, ends__gt=at)
    engaged = {str(pk) for pk in running.values_list("pk", flat=True)} if ids[Subject.ENGAGEMENT] else set()
    return {item.pk: _is_held(item, users, places, engaged) for item in kept}


def _is_held(item: ReviewItem, users: dict[str, User], places: dict[str, int], engaged: set[str]) -> bool:
    if item.subject == Subject.CONTACT:
        return places.get(item.object_id) == item.facts.get("contact")
    if item.subject == Subject.ENGAGEMENT:
        return item.object_id in engaged
    user = users.get(item.object_id)
    if user is None:
        return False
    if item.subject == Subject.ROLE:
        name = BY_SLUG[item.facts["role"]].name if item.facts.get("role") in BY_SLUG else ""
        return any(group.name == name for group in user.groups.all())
    return bool(user.is_superuser) if item.subject == Subject.SUPERUSER else True
