"""Who acts, who reviews, and who may be asked to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db.models import Q, QuerySet

from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG, ROLES
from portal.assurance.models import Review
from portal.assurance.policy import NO_REASON, NO_REVIEWERS, NOT_A_REVIEWING_ACCOUNT, Person, Refused
from portal.audit.actor import By, actor_of
from portal.directory.models import Contact
from portal.lib.blank import is_blank

REVIEWING = "assurance.change_review"
ADMINISTRATOR = BY_SLUG["administrator"].name


def reviewing_roles() -> list[str]:
    """Return the names of the roles whose people may review."""
    return [role.name for role in ROLES if role.allows(REVIEWING)]


def reviewing_accounts() -> QuerySet[User]:
    """Return the open accounts that may be named as reviewers, by name."""
    rows = User.objects.filter(Q(groups__name__in=reviewing_roles()) | Q(is_superuser=True), is_active=True)
    return rows.distinct().order_by("last_name", "first_name", "username")


def person_of(by: By) -> Person:
    """Return who acts as the rules see them; a part of the system is no account. One query for the roles."""
    if isinstance(by, User):
        return Person(by.pk, by.is_active, by.role_names, by.is_superuser)
    user = User.objects.filter(pk=actor_of(by).user_id or 0).first()
    return Person(None, active=False, roles=frozenset()) if user is None else person_of(user)


def named_reviewers(review: Review) -> set[int]:
    """Return the accounts that are named as reviewers and may still review. One query."""
    may = reviewing_accounts().order_by().values("pk")
    return set(review.reviewers.filter(pk__in=may).values_list("pk", flat=True))


def check_reviewers(accounts: Collection[User], roles: Iterable[str]) -> None:
    """Refuse a review that nobody could do: without reviewers, or with people and roles that may not review."""
    allowed = set(reviewing_roles())
    asked = list(roles)
    if not accounts and not asked:
        raise Refused(NO_REVIEWERS)
    may = set(reviewing_accounts().filter(pk__in=[user.pk for user in accounts]).values_list("pk", flat=True))
    wrong = [str(user) for user in accounts if user.pk not in may] + [role for role in asked if role not in allowed]
    if wrong:
        raise Refused(NOT_A_REVIEWING_ACCOUNT.format(names=", ".join(wrong)))


def check_reason(reason: str) -> str:
    """Return the reason as it is kept; Refused is raised for none."""
    if is_blank(reason):
        raise Refused(NO_REASON)
    return reason.strip()


def contacts_of_reviewers(review: Review) -> list[Contact]:
    """Return the directory entries of whoever reviews and can still sign in. One query."""
    theirs = Q(user__in=review.reviewers.values("pk")) | Q(user__groups__name__in=review.reviewer_roles)
    return list(Contact.objects.filter(theirs, active=True, user__is_active=True).distinct().order_by("pk"))


def contacts_of(user_ids: Iterable[Any]) -> list[Contact]:
    """Return the directory entries of accounts; those without one are left out. One query."""
    wanted = [pk for pk in user_ids if pk is not None]
    return list(Contact.objects.filter(user_id__in=wanted, active=True).order_by("pk")) if wanted else []
