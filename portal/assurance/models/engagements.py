"""Engagements: what an auditor may read, of which systems, from which period, and until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from portal.assurance import guards, policy
from portal.assurance.enums import EngagementState, Register
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.audit.triggers import Trigger
from portal.directory.models import System

LONGEST_NAME = 200


class EngagementQuerySet(AuditedQuerySet):
    """Engagements."""

    def running(self, at: datetime) -> Self:
        """Return those that open something at this moment."""
        return self.filter(revoked_at=None, starts__lte=at, ends__gt=at)


class Engagement(AuditedModel):
    """What one auditor may read, granted by name: for a time of work, kinds of records, systems and a period.

    `starts` and `ends` say when the auditor may read, `records_from` and `records_until` of which time; without the
    latter it is all time, without systems it is all systems. Whoever grants is kept by name and by account, so that
    the row itself shows that nobody granted it to themselves.
    """

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["systems"]
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_ENGAGEMENTS

    reference = models.CharField(max_length=16, unique=True, editable=False)
    title = models.CharField(max_length=LONGEST_NAME, editable=False)
    auditor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="engagements", editable=False
    )
    starts = models.DateTimeField("reads from", editable=False)
    ends = models.DateTimeField("reads until", editable=False)
    registers = models.JSONField("kinds of records", default=list, editable=False)
    systems = models.ManyToManyField(System, blank=True, related_name="engagements", editable=False)
    records_from = models.DateTimeField("records from", null=True, blank=True, editable=False)
    records_until = models.DateTimeField("records until", null=True, blank=True, editable=False)
    reason = models.TextField(editable=False)
    granted_at = models.DateTimeField(editable=False)
    granted_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    granter_id = models.BigIntegerField("account of who granted it", null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField("ended early", null=True, blank=True, editable=False)
    revoked_by = models.CharField("ended by", max_length=LONGEST_NAME, blank=True, editable=False)
    revoke_reason = models.TextField("why it ended early", blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(EngagementQuerySet)()

    class Meta:
        ordering = ["-starts", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="engagement_ends_after_start"),
            models.CheckConstraint(
                condition=Q(records_from__isnull=True)
                | Q(records_until__isnull=True)
                | Q(records_until__gt=F("records_from")),
                name="engagement_records_in_order",
            ),
            models.CheckConstraint(condition=~Q(granted_by=""), name="engagement_granted_by_whom_and_when"),
            models.CheckConstraint(condition=~Q(reason=""), name="engagement_says_why"),
            models.CheckConstraint(
                condition=Q(granter_id__isnull=True) | ~Q(granter_id=F("auditor")),
                name="nobody_grants_an_engagement_to_themselves",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by="", revoke_reason="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="") & ~Q(revoke_reason="")),
                name="engagement_revoked_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("assurance:engagement", args=[self.reference])

    def state(self, at: datetime) -> EngagementState:
        """Return where it stands at a moment."""
        return policy.engagement_state(starts=self.starts, ends=self.ends, revoked_at=self.revoked_at, at=at)

    @property
    def register_labels(self) -> list[str]:
        """Return the kinds of records that it opens, as people call them."""
        return [Register(value).label for value in self.registers if value in Register.values]

    @property
    def opens_all(self) -> bool:
        """Tell whether it opens every kind of record."""
        return set(Register.values) <= set(self.registers)


class GrantedRecord(AuditedModel):
    """One restricted record that an engagement opens by name."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "engagement"

    engagement = models.ForeignKey(Engagement, on_delete=models.PROTECT, related_name="records", editable=False)
    model = models.CharField("kind of record", max_length=80, editable=False)
    object_id = models.CharField("number of the record", max_length=64, editable=False)
    reference = models.CharField(max_length=40, blank=True, editable=False)
    name = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    reason = models.TextField(editable=False)
    granted_at = models.DateTimeField(editable=False)
    granted_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawn_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    class Meta:
        ordering = ["engagement", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "model", "object_id"],
                condition=Q(withdrawn_at__isnull=True),
                name="one_grant_per_restricted_record",
            ),
            models.CheckConstraint(condition=~Q(granted_by="") & ~Q(reason=""), name="record_granted_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=True, withdrawn_by="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by="")),
                name="record_withdrawn_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reference or self.name} in {self.engagement.reference}"
