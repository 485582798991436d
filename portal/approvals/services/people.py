"""Who decides: accounts by role, read from the database at the moment of the act."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet

from portal.accounts.models import User
from portal.approvals import messages, registry
from portal.approvals.models import ApprovalRequest, Decision, Stage
from portal.approvals.policy import Person, Refused
from portal.audit.actor import By, actor_of
from portal.directory.models import Contact
from portal.notify.models import Message


def account_of(by: By) -> User:
    """Return the account behind whoever acts, read now.

    Refused is raised for the system, and for somebody of the directory who has no account.
    """
    user_id = actor_of(by).user_id
    user: User | None = User.objects.filter(pk=user_id).first() if user_id is not None else None
    if user is None:
        raise Refused("Only somebody with an account can do that.")
    return user


def person_of(by: By, request: ApprovalRequest | None = None) -> Person:
    """Return what the rules ask of whoever acts, and what part they have in the request already.

    Refused is raised for whoever has no account.
    """
    user = account_of(by)
    person = Person(user.pk, user.is_active, user.role_names)
    if request is None:
        return person
    return replace(
        person,
        decided=has_decided(request, user.pk),
        wrote=user.pk in authors_of(request),
        vouched=user.pk in vouchers_of(request),
    )


def authors_of(request: ApprovalRequest) -> frozenset[int]:
    """Return the accounts, beside the requester, that wrote what a request is about."""
    kind = registry.of_kind(request.kind)
    return kind.authors(request.subject_id) if kind is not None else frozenset()


def vouchers_of(request: ApprovalRequest) -> frozenset[int]:
    """Return the accounts on whose word it went ahead before anybody decided."""
    kind = registry.of_kind(request.kind)
    return kind.vouchers(request.subject_id) if kind is not None else frozenset()


def has_decided(request: ApprovalRequest, user_id: int) -> bool:
    """Tell whether an account has decided on the request in its present round."""
    return Decision.objects.filter(request=request, round=request.round, decider_id=user_id).exists()


def deciders(role: str, *, but: Iterable[int | None] = ()) -> QuerySet[User]:
    """Return the open accounts with a role, but for those of these ids."""
    ids = [pk for pk in but if pk is not None]
    rows: QuerySet[User] = User.objects.filter(is_active=True, groups__name=role).exclude(pk__in=ids)
    return rows.order_by("last_name", "username", "pk")


def may_decide(stage: Stage) -> QuerySet[User]:
    """Return the accounts that may still decide at a stage."""
    request = stage.request
    decided = Decision.objects.filter(request=request, round=request.round).values_list("decider_id", flat=True)
    apart = authors_of(request) | vouchers_of(request)
    return deciders(stage.role, but=[request.requester_id, request.implementer_id, *apart, *decided])


def contacts_of(user_ids: Iterable[int | None]) -> list[Contact]:
    """Return the entries in the directory of these accounts, of people who are still there."""
    ids = {pk for pk in user_ids if pk is not None}
    return list(Contact.objects.filter(user_id__in=ids, active=True).order_by("name", "pk"))


def asked_people(request: ApprovalRequest) -> list[Contact]:
    """Return the people whom the request has asked so far, by the messages that it sent, and those who decided."""
    told = Message.objects.filter(
        about_type=ContentType.objects.get_for_model(ApprovalRequest),
        about_id=request.pk,
        kind=messages.ASKED,
        contact__active=True,
    ).values_list("contact_id", flat=True)
    decided = Decision.objects.filter(request=request).values_list("decider_id", flat=True)
    found = {contact.pk: contact for contact in contacts_of(decided)}
    found |= {contact.pk: contact for contact in Contact.objects.filter(pk__in=set(told))}
    return sorted(found.values(), key=lambda contact: (contact.name, contact.pk))
