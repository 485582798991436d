"""Who held which role, at a moment or over a period: given when, by whom and why, and withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from portal.accounts.models import User
from portal.audit.history import AuditHistory
from portal.audit.models import TrailRow

SUPERUSER = "Superuser"
_COLUMNS = (
    "id", "history_id", "history_date", "history_type", "actor_name", "history_change_reason", "gesture",
    "username", "first_name", "last_name", "is_active", "is_superuser",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Act:
    """What gave or withdrew something: when, by whom, why, and the address of the gesture."""

    at: datetime
    by: str
    why: str
    url: str


@dataclass(frozen=True, slots=True)
class Holding:
    """A role that somebody held from one act to another; without the second it is held still.

    `closed` says that the account could not sign in at the moment asked for.
    """

    role: str
    account: int
    person: str
    given: Act
    withdrawn: Act | None = None
    closed: bool = False


def holdings(
    seen: QuerySet[TrailRow], *, starts: datetime, ends: datetime, role: str = "", words: str = ""
) -> list[Holding]:
    """Return what was held at any moment from `starts` to `ends`, by role and person. Three queries.

    `role` and `words` of a name narrow it. With both moments the same it is what was held just then.
    """
    versions, groups = _versions(seen), _groups()
    names = {group.pk: group.name for group in Group.objects.all()}
    found: list[Holding] = []
    for _, some in groupby(versions, key=itemgetter("id")):
        for holding, last in _of_account(list(some), groups, names):
            if holding.given.at <= ends and (holding.withdrawn is None or holding.withdrawn.at > starts):
                found.append(replace(holding, closed=_closed(last, ends)))
    asked = words.casefold().split()
    return sorted(
        (
            one
            for one in found
            if (not role or one.role == role) and all(word in one.person.casefold() for word in asked)
        ),
        key=lambda one: (one.role, one.person.casefold(), one.given.at),
    )


def _versions(seen: QuerySet[TrailRow]) -> list[dict[str, Any]]:
    """Return the versions of all accounts that the reader may see, in the order of writing."""
    rows = User.history.order_by("id", "history_id")
    if seen.query.where:
        told = seen.filter(model=User._meta.label_lower, history_id=OuterRef("history_id"))
        rows = rows.filter(Exists(told))
    return list(rows.values(*_COLUMNS))


def _groups() -> dict[int, set[int]]:
    """Return the roles of each version that had any."""
    store = AuditHistory.of[User].m2m_models[User._meta.get_field("groups")]
    found: dict[int, set[int]] = {}
    for history_id, group in store.objects.values_list("history_id", "group_id"):
        found.setdefault(history_id, set()).add(group)
    return found


def _of_account(
    versions: list[dict[str, Any]], groups: dict[int, set[int]], names: dict[int, str]
) -> Iterator[tuple[Holding, list[dict[str, Any]]]]:
    """Yield each holding of one account, with the account's versions."""
    held: dict[str, Holding] = {}
    for version in versions:
        now = {names.get(key, f"Role {key}") for key in groups.get(version["history_id"], ())}
        now |= {SUPERUSER} if version["is_superuser"] else set()
        now = now if version["history_type"] != "-" else set()
        act = _act(version)
        for role in sorted(held.keys() - now):
            yield replace(held.pop(role), withdrawn=act), versions
        for role in sorted(now - held.keys()):
            held[role] = Holding(role, version["id"], _person(version), act)
    for holding in held.values():
        yield holding, versions


def _act(version: dict[str, Any]) -> Act:
    gesture = version["gesture"]
    url = reverse("assurance:gesture", args=[gesture]) if gesture else ""
    return Act(version["history_date"], version["actor_name"], version["history_change_reason"], url)


def _person(version: dict[str, Any]) -> str:
    return f"{version['first_name']} {version['last_name']}".strip() or version["username"]


def _closed(versions: list[dict[str, Any]], at: datetime) -> bool:
    """Tell whether the account was closed at a moment."""
    before = [version for version in versions if version["history_date"] <= at]
    return bool(before) and not before[-1]["is_active"]
