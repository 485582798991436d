"""Asking for the approval of a record as it stands."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from portal.accounts.models import User
from portal.approvals import policy, registry
from portal.approvals.enums import RequestState
from portal.approvals.models import LONGEST_NAME, ApprovalRequest, ApprovalRule, RuleStage, Stage
from portal.approvals.policy import NotYours, Refused
from portal.approvals.registry import Approvable
from portal.approvals.services.common import PREFIX, lock_subject, set_deadlines
from portal.approvals.services.people import account_of, person_of
from portal.approvals.services.stages import check_somebody, open_next
from portal.approvals.services.voiding import void_if_changed
from portal.approvals.shown import digest as digest_of
from portal.audit.actor import By, acting, actor_of
from portal.lib.blank import is_blank
from portal.records import services as records


def ask(
    subject: models.Model,
    *,
    by: By,
    at: datetime,
    reason: str,
    implementer: User | None = None,
    digest: str = "",
) -> ApprovalRequest:
    """Ask for the approval of a record as it stands, and ask the people of its first stage.

    `reason` says why; `implementer` is the account that carries it out, where the record names none itself. `digest`
    is that of what the requester read, when they read it on a page. NotYours is raised for whoever may not change the
    record; Refused with a sentence for one that is not approved here, is asked for or approved already, or that nobody
    else could decide on.
    """
    kind = registry.of_subject(subject)
    if kind is None:
        raise Refused(f"A {subject._meta.verbose_name} is not approved here.")
    person = person_of(by)
    if not person.active:
        raise Refused(policy.CLOSED_ACCOUNT)
    if not kind.may_ask(account_of(by)):
        raise NotYours(policy.NOT_TO_ASK)
    if is_blank(reason):
        raise Refused(policy.NO_WORDS)
    with transaction.atomic(), acting(by=by, at=at, reason=reason):
        standing = lock_subject(kind, subject.pk)
        if standing is None:
            raise Refused("This record is gone.")
        not_yet = kind.not_yet(standing)
        if not_yet:
            raise Refused(not_yet)
        carries_out = kind.implementer(standing) or (implementer if kind.carried_out else None)
        wants_it = kind.requester(standing)
        shown = kind.shown(standing)
        if digest and digest != digest_of(shown):
            raise Refused("The record was changed while you read it. Read it again, then ask.")
        _check_free(kind, standing, at=at)
        is_drill = kind.is_drill(standing)
        rule, stages = rule_of(kind, standing)
        requester_id = wants_it.pk if wants_it else person.user_id
        check_somebody(stages, but=[requester_id, carries_out.pk if carries_out else None, *kind.authors(standing.pk)])
        request = ApprovalRequest.objects.create(
            reference=records.next_reference(PREFIX),
            kind=kind.kind,
            subject_type=ContentType.objects.get_for_model(kind.model),
            subject_id=standing.pk,
            title=_title(kind, standing, is_drill=is_drill),
            is_drill=is_drill,
            shown=shown,
            digest=digest_of(shown),
            requester_id=requester_id,
            requester_name=str(wants_it) if wants_it else actor_of(by).name,
            implementer_id=carries_out.pk if carries_out else None,
            implementer_name=str(carries_out or ""),
            why=reason,
            decide_by=at + timedelta(hours=rule.decide_within_hours),
            asked_at=at,
            asked_by=actor_of(by).name,
        )
        for position, stage in enumerate(stages, start=1):
            Stage.objects.create(
                request=request, position=position, name=stage.name, role=stage.role, needed=stage.needed
            )
        set_deadlines(request, at=at)
        open_next(request, at=at)
    return request


def _title(kind: Approvable, subject: models.Model, *, is_drill: bool) -> str:
    mark = " (drill)" if is_drill else ""
    return f"{kind.title(subject)[: LONGEST_NAME - len(mark)]}{mark}"


def rule_for(kind: Approvable, subject: models.Model) -> ApprovalRule | None:
    """Return the rule that counts for a record: that of its variant, else that of its kind."""
    rules = {rule.variant: rule for rule in ApprovalRule.objects.filter(kind=kind.kind)}
    return rules.get(kind.variant_of(subject)) or rules.get("")


def rule_of(kind: Approvable, subject: models.Model) -> tuple[ApprovalRule, list[RuleStage]]:
    """Return the rule for a record, that of its variant first, and its stages.

    Refused is raised when nobody is named to decide.
    """
    rule = rule_for(kind, subject)
    stages = list(rule.stages.order_by("position")) if rule is not None else []
    if rule is None or not stages:
        raise Refused(f"No stage decides on a {kind.label}. An administrator adds one under Approval rules.")
    return rule, stages


def _check_free(kind: Approvable, subject: models.Model, *, at: datetime) -> None:
    """Refuse a second request for what is asked for, or approved as it stands; a changed record voids the first."""
    live = ApprovalRequest.objects.live().filter(kind=kind.kind, subject_id=subject.pk).select_for_update().first()
    if live is None or void_if_changed(live, kind, subject, at=at):
        return
    if live.state == RequestState.PENDING:
        raise Refused(f"{live.reference} asks for it already.")
    raise Refused(f"It is approved as it stands, by {live.reference}. Change it first, then ask again.")
