"""The verbs of engagements: grant, end early, and grant one restricted record by name."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from portal.accounts.models import User
from portal.accounts.roles import BY_SLUG
from portal.assurance import messages, policy
from portal.assurance.backends import AUDITOR
from portal.assurance.enums import Register
from portal.assurance.models import Engagement, GrantedRecord
from portal.assurance.policy import Refused
from portal.assurance.services.people import check_reason, contacts_of
from portal.audit.actor import By, acting, actor_of
from portal.directory.models import System
from portal.lib.visibility import restricted_models
from portal.records import services as records

PREFIX = "ENG"


@transaction.atomic
def grant(
    auditor: User,
    *,
    title: str,
    starts: datetime,
    ends: datetime,
    registers: Iterable[str],
    systems: Collection[System] = (),
    records_from: datetime | None = None,
    records_until: datetime | None = None,
    by: By,
    at: datetime,
    reason: str,
) -> Engagement:
    """Let an auditor read, by name, until it ends. Refused is raised for oneself, and for terms that mean nothing."""
    who, why = actor_of(by), check_reason(reason)
    opened = [register for register in Register.values if register in set(registers)]
    _check_terms(opened, starts=starts, ends=ends, since=records_from, until=records_until, at=at)
    _check_auditor(auditor, by=by)
    engagement = Engagement(
        reference=records.next_reference(PREFIX), title=title.strip() or "Audit", auditor=auditor, starts=starts,
        ends=ends, registers=opened, records_from=records_from, records_until=records_until, reason=why,
        granted_at=at, granted_by=who.name, granter_id=who.user_id,
    )  # fmt: skip
    with acting(by=by, at=at, reason=why):
        engagement.save()
        if systems:
            engagement.systems.set(list(systems))
    auditor.__dict__.pop("reading_scope", None)
    messages.tell(engagement, contacts_of([auditor.pk]), kind=messages.GRANTED, key="", at=at)
    return engagement


def _check_terms(
    registers: list[str], *, starts: datetime, ends: datetime, since: datetime | None, until: datetime | None,
    at: datetime,
) -> None:  # fmt: skip
    if not registers:
        raise Refused(policy.NOTHING_IN_SCOPE)
    if ends <= starts:
        raise Refused(policy.ENDS_BEFORE_START)
    if ends <= at:
        raise Refused(policy.ENDS_IN_THE_PAST)
    if since is not None and until is not None and until <= since:
        raise Refused(policy.RECORDS_END_BEFORE_START)


def _check_auditor(auditor: User, *, by: By) -> None:
    if actor_of(by).user_id == auditor.pk:
        raise Refused(policy.NOT_YOURSELF)
    if not auditor.is_active:
        raise Refused(policy.INACTIVE_AUDITOR.format(name=auditor))
    if BY_SLUG[AUDITOR].name not in auditor.role_names:
        raise Refused(policy.NOT_AN_AUDITOR.format(name=auditor))


@transaction.atomic
def end(engagement: Engagement, *, by: By, at: datetime, reason: str) -> Engagement:
    """End an engagement early: from now on it opens nothing. Refused is raised when it is over already."""
    why = check_reason(reason)
    locked = Engagement.objects.select_for_update(of=("self",)).get(pk=engagement.pk)
    policy.check_end(locked.state(at))
    locked.revoked_at, locked.revoked_by, locked.revoke_reason = at, actor_of(by).name, why
    with acting(by=by, at=at, reason=why):
        locked.save()
    messages.tell(locked, contacts_of([locked.auditor_id]), kind=messages.ENDED, key="", at=at)
    return locked


@transaction.atomic
def grant_record(engagement: Engagement, record: Any, *, by: By, at: datetime, reason: str) -> GrantedRecord:
    """Open one restricted record to the auditor of an engagement. Granted twice, it is one grant."""
    why = check_reason(reason)
    locked = Engagement.objects.select_for_update(of=("self",)).select_related("auditor").get(pk=engagement.pk)
    policy.check_end(locked.state(at))
    if actor_of(by).user_id == locked.auditor_id:
        raise Refused(policy.NOT_YOURSELF)
    if type(record) not in restricted_models():
        raise Refused(f"{str(record._meta.verbose_name_plural).capitalize()} are never restricted.")
    kept = {"model": record._meta.label_lower, "object_id": str(record.pk)}
    standing = locked.records.filter(**kept, withdrawn_at=None).first()
    if standing is not None:
        found: GrantedRecord = standing
        return found
    granted = GrantedRecord(
        engagement=locked, reference=str(getattr(record, "reference", ""))[:40], name=str(record)[:200], reason=why,
        granted_at=at, granted_by=actor_of(by).name, **kept,
    )  # fmt: skip
    with acting(by=by, at=at, reason=why):
        granted.save()
    return granted


@transaction.atomic
def withdraw_record(granted: GrantedRecord, *, by: By, at: datetime, reason: str) -> GrantedRecord:
    """Close a restricted record to the auditor again. Withdrawn twice, it is withdrawn once."""
    why = check_reason(reason)
    locked = GrantedRecord.objects.select_for_update(of=("self",)).select_related("engagement").get(pk=granted.pk)
    if locked.withdrawn_at is None:
        locked.withdrawn_at, locked.withdrawn_by = at, actor_of(by).name
        with acting(by=by, at=at, reason=why):
            locked.save()
    return locked
