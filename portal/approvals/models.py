"""What is asked to be approved, the stages that decide in turn, and every decision on exactly what was shown."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.contenttypes.models import ContentType
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.urls import reverse

from portal.accounts.roles import ROLES
from portal.approvals import guards, registry
from portal.approvals.enums import LIVE, RequestState, StageState, Verdict
from portal.approvals.shown import Fact, parsed
from portal.audit.enums import Action
from portal.audit.facts import AppendOnlyModel, AppendOnlyQuerySet, Telling
from portal.audit.models import AuditedModel, AuditedQuerySet
from portal.audit.triggers import Trigger
from portal.lib.visibility import hidden_keys

LONGEST_NAME = 200
MOST_HOURS = 24 * 90
MOST_NEEDED = 20


def role_choices() -> list[tuple[str, str]]:
    """Return the names of the roles: a role is a group of accounts, known by its name."""
    return [(role.name, role.name) for role in ROLES]


class ApprovalRule(AuditedModel):
    """How long one kind of record may wait for its approval, and through its stages, who decides."""

    privileged: ClassVar[bool] = True

    kind = models.CharField("kind of record", max_length=40, choices=registry.kind_choices)
    variant = models.CharField(
        "only for",
        max_length=40,
        blank=True,
        choices=registry.variant_choices,
        help_text="Empty: for every record of the kind for which no other rule stands.",
    )
    decide_within_hours = models.PositiveSmallIntegerField(
        "decided within (hours)",
        default=72,
        validators=[MinValueValidator(1), MaxValueValidator(MOST_HOURS)],
        help_text="Whoever is asked is reminded at half of it and shortly before its end. Then the request expires.",
    )

    class Meta:
        ordering = ["kind", "variant"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "variant"],
                name="one_rule_per_kind_and_variant",
                violation_error_message="Such a rule stands already. Change that one.",
            ),
            models.CheckConstraint(condition=Q(decide_within_hours__gte=1), name="rule_leaves_time"),
        ]

    def __str__(self) -> str:
        words = f"Approval of {self.get_kind_display().lower()}"
        return f"{words}, {self.get_variant_display()}" if self.variant else words


class RuleStage(AuditedModel):
    """One stage of a rule. A request that is asked for copies it: a later edit never bends what is under way."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "rule"

    rule = models.ForeignKey(ApprovalRule, on_delete=models.PROTECT, related_name="stages")
    position = models.PositiveSmallIntegerField("order", validators=[MinValueValidator(1), MaxValueValidator(20)])
    name = models.CharField(max_length=60)
    role = models.CharField(max_length=80, choices=role_choices)
    needed = models.PositiveSmallIntegerField(
        "how many must approve", default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_NEEDED)]
    )

    class Meta:
        ordering = ["rule", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "position"],
                name="one_rule_stage_per_position",
                violation_error_message="Two stages have the same place. Number them in the order of deciding.",
            ),
            models.CheckConstraint(condition=Q(needed__gte=1), name="rule_stage_needs_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.name} of {self.rule}"


class ApprovalRequestQuerySet(AuditedQuerySet):
    """Requests for approval."""

    def visible_to(self, user: Any) -> Self:
        """Return the requests on records that `user` may see."""
        rows = super().visible_to(user)
        return rows if rows.query.is_empty() else rows.filter(_on_visible(user))

    def live(self) -> Self:
        """Return those that a later edit of their record voids: pending, or approved and not yet final."""
        return self.filter(state__in=LIVE)

    def with_open_stage(self) -> Self:
        """Read with each request the stage that decides now, as `open_stages`: a list of one or none."""
        deciding = Stage.objects.filter(state=StageState.OPEN)
        return self.prefetch_related(Prefetch("stages", deciding, to_attr="open_stages"))

    def waiting_for(self, user: Any, *, at: datetime) -> Self:
        """Return those on which `user` may decide now."""
        mine = self.visible_to(user).filter(
            state=RequestState.PENDING,
            decide_by__gte=at,
            stages__state=StageState.OPEN,
            stages__role__in=user.role_names,
        )
        own = Q(requester_id=user.pk) | Q(implementer_id=user.pk)
        for kind in registry.kinds():
            apart = kind.not_for(user.pk)
            own |= Q(kind=kind.kind) & apart if apart else Q()
        decided = Decision.objects.filter(request=OuterRef("pk"), round=OuterRef("round"), decider_id=user.pk)
        return mine.exclude(own).exclude(Exists(decided))


def _on_visible(user: Any) -> Q:
    """Return the condition that the record of a request is one that `user` may see."""
    found = Q(pk__in=[])
    for kind in registry.kinds():
        rows = kind.model._default_manager.all().visible_to(user)  # type: ignore[attr-defined]
        if not rows.query.is_empty():
            of_kind = Q(kind=kind.kind)
            found |= of_kind & Q(subject_id__in=rows.values("pk")) if rows.query.where else of_kind
    return found


class ApprovalRequest(AuditedModel):
    """One record as it was shown, and who asks for its approval. What was shown never changes: see guards.

    `shown` is the canonical text, `digest` its SHA-256. Requester and implementer are accounts by id and name, as they
    were. `round` counts how often deciding began: a new implementer voids the decisions of the round before.
    `decide_by` is when it expires. `settled` says who ended it or approved it last, and `outcome` why.
    """

    privileged: ClassVar[bool] = True
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_REQUESTS

    reference = models.CharField(max_length=16, unique=True, editable=False)
    kind = models.CharField("kind of record", max_length=40, choices=registry.kind_choices, editable=False)
    subject_type = models.ForeignKey(
        ContentType, on_delete=models.PROTECT, related_name="+", editable=False, verbose_name="table of the record"
    )
    subject_id = models.BigIntegerField("number of the record", editable=False)
    title = models.CharField(max_length=LONGEST_NAME, editable=False)
    is_drill = models.BooleanField("of a drill", default=False, db_default=False, editable=False)
    shown = models.TextField("what is shown", editable=False)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of what is shown.")
    requester_id = models.BigIntegerField("requester's account", editable=False)
    requester_name = models.CharField("requester", max_length=LONGEST_NAME, editable=False)
    implementer_id = models.BigIntegerField("implementer's account", null=True, blank=True, editable=False)
    implementer_name = models.CharField("implementer", max_length=LONGEST_NAME, blank=True, editable=False)
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.PENDING, editable=False)
    round = models.PositiveSmallIntegerField(default=1, editable=False)
    why = models.TextField("why it is asked", editable=False)
    decide_by = models.DateTimeField("to be decided by", editable=False)
    asked_at = models.DateTimeField(editable=False)
    asked_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    settled_at = models.DateTimeField(null=True, blank=True, editable=False)
    settled_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    outcome = models.TextField(blank=True, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(ApprovalRequestQuerySet)()

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_type", "subject_id"],
                condition=Q(state__in=[state.value for state in LIVE]),
                name="one_live_request_per_record",
            ),
            models.CheckConstraint(condition=~Q(asked_by=""), name="request_asked_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(settled_at__isnull=True, settled_by="") | (Q(settled_at__isnull=False) & ~Q(settled_by="")),
                name="request_settled_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(state="pending", settled_at__isnull=True)
                | (~Q(state="pending") & Q(settled_at__isnull=False)),
                name="request_settled_unless_pending",
            ),
            models.CheckConstraint(
                condition=Q(implementer_id__isnull=True) | ~Q(implementer_name=""), name="implementer_has_a_name"
            ),
        ]
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-id"], name="request_of_record"),
            models.Index(fields=["-asked_at", "-id"], name="request_newest"),
            models.Index(fields=["kind"], condition=Q(state__in=[state.value for state in LIVE]), name="request_live"),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    @classmethod
    def hidden_from(cls, user: Any) -> models.QuerySet[Any] | None:
        """Return a query of the requests on restricted records that `user` may not see; nothing while none is kept."""
        every = {kind.kind: hidden_keys(kind.model, user) for kind in registry.kinds()}
        hidden = {kind: keys for kind, keys in every.items() if keys is not None}
        found = Q(pk__in=[])
        for kind, keys in hidden.items():
            found |= Q(kind=kind, subject_id__in=keys)
        rows: models.QuerySet[Any] = cls.objects.filter(found).order_by().values_list("pk", flat=True)
        return rows if hidden else None

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("approvals:request", args=[self.reference])

    @property
    def facts(self) -> list[Fact]:
        """Return what was shown, fact by fact: the very words of which the digest was taken."""
        return parsed(self.shown)

    @property
    def is_live(self) -> bool:
        """Tell whether a later edit of the record voids it."""
        return self.state in LIVE


class PartQuerySet(AuditedQuerySet):
    """Parts of requests."""

    def visible_to(self, user: Any) -> Self:
        """Return the parts of requests that `user` may see."""
        rows = super().visible_to(user)
        if rows.query.is_empty():
            return rows
        return rows.filter(request__in=ApprovalRequest.objects.visible_to(user).order_by().values("pk"))


class Stage(AuditedModel):
    """One stage of a request: the role that decides, and how many of its people must approve."""

    privileged: ClassVar[bool] = True
    belongs_to: ClassVar[str] = "request"
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_STAGES

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="stages", editable=False)
    position = models.PositiveSmallIntegerField("order", editable=False)
    name = models.CharField(max_length=60, editable=False)
    role = models.CharField(max_length=80, editable=False)
    needed = models.PositiveSmallIntegerField("how many must approve", editable=False)
    state = models.CharField(max_length=10, choices=StageState, default=StageState.WAITING, editable=False)

    objects: ClassVar[Any] = models.Manager.from_queryset(PartQuerySet)()

    class Meta:
        ordering = ["request", "position"]
        verbose_name = "approval stage"
        constraints = [
            models.UniqueConstraint(fields=["request", "position"], name="one_stage_per_position"),
            models.UniqueConstraint(fields=["request"], condition=Q(state="open"), name="one_open_stage_per_request"),
            models.CheckConstraint(condition=Q(needed__gte=1), name="stage_needs_somebody"),
        ]

    def __str__(self) -> str:
        return f"{self.position}. {self.name} of {self.request.reference}"


class DecisionQuerySet(AppendOnlyQuerySet):
    """Decisions."""

    def visible_to(self, user: Any) -> Self:
        """Return the decisions on requests that `user` may see."""
        rows = super().visible_to(user)
        if rows.query.is_empty():
            return rows
        return rows.filter(request__in=ApprovalRequest.objects.visible_to(user).order_by().values("pk"))


class Decision(AppendOnlyModel):
    """What one person decided at one stage, on exactly what was shown: a fact that is never changed or deleted.

    Requester and implementer are copied, so that the row itself shows that nobody decided on their own request; a
    trigger proves the copies against the request.
    """

    correction: ClassVar[str] = "Whoever asked can withdraw the request and ask again."
    codes: ClassVar[Collection[str]] = ("digest", "origin")
    told_as: ClassVar[Telling | None] = Telling(
        action=Action.DECIDED,
        subject="request",
        who="decider_id",
        name="decided_by",
        at="decided_at",
        copies=("digest", "requester_id", "requester_name"),
        copies_of_round=("implementer_id", "implementer_name"),
    )
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_DECISIONS

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="decisions")
    stage = models.ForeignKey(Stage, on_delete=models.PROTECT, related_name="decisions")
    round = models.PositiveSmallIntegerField()
    decider_id = models.BigIntegerField("decider's account")
    decided_by = models.CharField("decider", max_length=LONGEST_NAME)
    decided_at = models.DateTimeField()
    verdict = models.CharField(max_length=10, choices=Verdict)
    reason = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    requester_id = models.BigIntegerField("requester's account")
    requester_name = models.CharField("requester", max_length=LONGEST_NAME)
    implementer_id = models.BigIntegerField("implementer's account", null=True, blank=True)
    implementer_name = models.CharField("implementer", max_length=LONGEST_NAME, blank=True)
    gesture = models.UUIDField(null=True)
    origin = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=45, blank=True)

    objects: ClassVar[Any] = DecisionQuerySet.as_manager()

    class Meta(AppendOnlyModel.Meta):
        ordering = ["request", "id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "round", "decider_id"], name="one_decision_per_person"),
            models.CheckConstraint(
                condition=~Q(decider_id=F("requester_id")), name="nobody_decides_on_their_own_request"
            ),
            models.CheckConstraint(
                condition=Q(implementer_id__isnull=True) | ~Q(decider_id=F("implementer_id")),
                name="nobody_decides_on_what_they_implement",
            ),
            models.CheckConstraint(condition=Q(verdict__in=Verdict.values), name="decision_says_what"),
            models.CheckConstraint(condition=~Q(verdict="deny") | ~Q(reason=""), name="a_denial_says_why"),
            models.CheckConstraint(condition=~Q(decided_by=""), name="decision_decided_by_whom_and_when"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} by {self.decided_by}"
