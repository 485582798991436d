"""Reviews: of privileged changes in a period, and of who holds what. What was decided is written once."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from portal.assurance import guards
from portal.assurance.enums import ItemState, ReviewKind, ReviewState, Subject
from portal.audit.facts import AppendOnlyModel
from portal.audit.models import AuditedModel
from portal.audit.triggers import Trigger

LONGEST_NAME = 200
MONTHS = ((1, "month"), (3, "quarter"), (6, "half-year"), (12, "year"))


class ReviewPlan(AuditedModel):
    """How often a review is made by itself, who does it, and within how many days."""

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["reviewers"]

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField("what it goes through", max_length=10, choices=ReviewKind)
    months = models.PositiveSmallIntegerField("every", choices=MONTHS, default=1)
    days = models.PositiveSmallIntegerField(
        "days to do it",
        default=14,
        validators=[MinValueValidator(1), MaxValueValidator(180)],
        help_text="Counted from the day on which the review is made.",
    )
    reviewer_roles = models.JSONField("roles that review", default=list, blank=True)
    reviewers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    roles = models.JSONField("roles that are reviewed", default=list, blank=True)
    all_accounts = models.BooleanField(default=False)
    emergency_contacts = models.BooleanField("emergency contacts of systems", default=False)
    engagements = models.BooleanField("engagements of auditors", default=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.CheckConstraint(condition=Q(months__gte=1, days__gte=1), name="plan_leaves_time")]

    def __str__(self) -> str:
        return self.name


class Review(AuditedModel):
    """One review with its frozen population, from the day it is opened until it is signed off.

    `first_row` and `last_row` are the first and last row of the trail that it is made of, `rows` how many there are,
    `items` how many decisions they ask for, and `population` the digest of them all.
    """

    privileged: ClassVar[bool] = True
    audited_m2m: ClassVar[list[str]] = ["reviewers"]
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_REVIEWS

    reference = models.CharField(max_length=16, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=ReviewKind, editable=False)
    title = models.CharField(max_length=LONGEST_NAME, editable=False)
    state = models.CharField(max_length=10, choices=ReviewState, default=ReviewState.OPEN, editable=False)
    plan = models.ForeignKey(
        ReviewPlan, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews", editable=False
    )
    period_from = models.DateTimeField(null=True, blank=True, editable=False)
    period_until = models.DateTimeField(null=True, blank=True, editable=False)
    scope = models.JSONField(default=dict, blank=True, editable=False)
    first_row = models.BigIntegerField("first row of the trail", null=True, blank=True, editable=False)
    last_row = models.BigIntegerField("last row of the trail", null=True, blank=True, editable=False)
    rows = models.PositiveIntegerField("rows of the trail", default=0, editable=False)
    items_count = models.PositiveIntegerField("items", default=0, editable=False)
    population = models.CharField("digest of the population", max_length=64, editable=False)
    reviewer_roles = models.JSONField("roles that review", default=list, blank=True, editable=False)
    reviewers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="reviews_to_do", editable=False
    )
    opened_at = models.DateTimeField(editable=False)
    opened_by = models.CharField(max_length=LONGEST_NAME, editable=False)
    due_at = models.DateTimeField(editable=False)
    signed_at = models.DateTimeField(null=True, blank=True, editable=False)
    signed_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)
    called_off_at = models.DateTimeField(null=True, blank=True, editable=False)
    called_off_by = models.CharField(max_length=LONGEST_NAME, blank=True, editable=False)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "period_until"], name="one_review_per_plan_and_period"),
            models.CheckConstraint(
                condition=Q(period_from__isnull=True)
                | Q(period_until__isnull=True)
                | Q(period_until__gt=F("period_from")),
                name="review_period_in_order",
            ),
            models.CheckConstraint(condition=~Q(opened_by=""), name="review_opened_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(signed_at__isnull=True, signed_by="")
                | (Q(signed_at__isnull=False, state="signed") & ~Q(signed_by="")),
                name="review_signed_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(called_off_at__isnull=True, called_off_by="")
                | (Q(called_off_at__isnull=False, state="called-off") & ~Q(called_off_by="")),
                name="review_called_off_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(state="open")
                | Q(state="signed", signed_at__isnull=False)
                | Q(state="called-off", called_off_at__isnull=False),
                name="review_settled_with_its_moment",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="open"), name="review_open")]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        """Return the address of its page."""
        return reverse("assurance:review", args=[self.reference])

    @property
    def is_open(self) -> bool:
        """Tell whether items are still decided."""
        return self.state == ReviewState.OPEN

    @property
    def of_changes(self) -> bool:
        """Tell whether it goes through privileged changes; otherwise through who holds what."""
        return self.kind == ReviewKind.CHANGES


class ReviewItem(AppendOnlyModel):
    """One thing to decide on, as it stood when the review was opened: a gesture, or something that somebody holds.

    `about_id` is the account whose act or access it is; nothing where no account stands behind it. `digest` is the
    SHA-256 of what stands in it, for a gesture of its rows of the trail as they read then.
    """

    correction: ClassVar[str] = "The population of a review is frozen."
    codes: ClassVar[Collection[str]] = ("model", "object_id", "digest")
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_ITEMS

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="items", db_index=False)
    number = models.PositiveIntegerField()
    subject = models.CharField("what it is", max_length=12, choices=Subject)
    about_id = models.BigIntegerField("account", null=True, blank=True)
    about_name = models.CharField("who", max_length=LONGEST_NAME)
    at = models.DateTimeField("when", null=True, blank=True)
    title = models.CharField("what", max_length=300)
    reason = models.TextField(blank=True)
    model = models.CharField("kind of object", max_length=80, blank=True)
    object_id = models.CharField("object", max_length=64, blank=True)
    gesture = models.UUIDField(null=True, blank=True)
    first_row = models.BigIntegerField("first row of the trail", null=True, blank=True)
    last_row = models.BigIntegerField("last row of the trail", null=True, blank=True)
    rows = models.PositiveIntegerField("rows of the trail", default=0)
    facts = models.JSONField(default=dict, blank=True)
    digest = models.CharField(max_length=64)

    class Meta(AppendOnlyModel.Meta):
        ordering = ["review", "number"]
        constraints = [models.UniqueConstraint(fields=["review", "number"], name="one_item_per_number")]
        indexes = [models.Index(fields=["review", "about_name"], name="item_by_person")]

    def __str__(self) -> str:
        return f"Item {self.number}: {self.title}"

    @property
    def needed_by(self) -> str:
        """The review that it belongs to, while that is open."""
        return f"{self.review.reference}, which is open" if self.review.is_open else ""


class Verdict(AppendOnlyModel):
    """What somebody decided on one item, or said about it. The last one says where the item stands.

    `step` counts the verdicts on an item, so that of two at the same moment one is refused. `about_id` is copied from
    the item, so that the row itself shows that nobody decided on their own; a trigger proves the copy. `evidence_row`
    is the row of the trail that shows what was done.
    """

    hidden_with: ClassVar[str] = "item"
    correction: ClassVar[str] = "What was decided stays; until the review is signed, another verdict may follow."
    codes: ClassVar[Collection[str]] = ("origin",)
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_VERDICTS

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="verdicts", db_index=False)
    item = models.ForeignKey(ReviewItem, on_delete=models.PROTECT, related_name="verdicts", db_index=False)
    step = models.PositiveSmallIntegerField()
    state = models.CharField("leads to", max_length=12, choices=ItemState)
    words = models.TextField(blank=True)
    decided_at = models.DateTimeField()
    decided_by = models.CharField(max_length=LONGEST_NAME)
    decider_id = models.BigIntegerField("decider's account", null=True, blank=True)
    about_id = models.BigIntegerField("account that it is about", null=True, blank=True)
    evidence_row = models.BigIntegerField("evidence, row of the trail", null=True, blank=True)
    gesture = models.UUIDField(null=True, blank=True)
    origin = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=45, blank=True)

    class Meta(AppendOnlyModel.Meta):
        ordering = ["item", "step"]
        constraints = [
            models.UniqueConstraint(fields=["item", "step"], name="one_verdict_per_step"),
            models.CheckConstraint(condition=~Q(decided_by=""), name="verdict_decided_by_whom_and_when"),
            models.CheckConstraint(
                condition=Q(about_id__isnull=True)
                | Q(state="answered")
                | (Q(decider_id__isnull=False) & ~Q(decider_id=F("about_id"))),
                name="nobody_reviews_their_own",
            ),
            models.CheckConstraint(condition=Q(state__in=["attested", "gone"]) | ~Q(words=""), name="verdict_says_why"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in ItemState if s != ItemState.OPEN]), name="verdict_says_what"
            ),
            models.CheckConstraint(
                condition=~Q(state="revoked") | Q(evidence_row__isnull=False), name="revoked_with_evidence"
            ),
        ]
        indexes = [models.Index(fields=["review", "id"], name="verdict_of_review")]

    def __str__(self) -> str:
        return f"{self.get_state_display()} by {self.decided_by}"

    @property
    def needed_by(self) -> str:
        """The review that it belongs to, while that is open."""
        return f"{self.review.reference}, which is open" if self.review.is_open else ""


class Attestation(AppendOnlyModel):
    """The signature under a review: who attests what, when, and the digest of exactly what was attested.

    `digest` covers the population and the last verdict on each item: see portal.assurance.digesting.
    """

    correction: ClassVar[str] = "What was signed stays as it was signed."
    codes: ClassVar[Collection[str]] = ("population", "digest")
    database_guards: ClassVar[tuple[Trigger, ...]] = guards.OF_ATTESTATIONS

    review = models.OneToOneField(Review, on_delete=models.PROTECT, related_name="attestation")
    statement = models.TextField()
    signed_at = models.DateTimeField()
    signed_by = models.CharField(max_length=LONGEST_NAME)
    signer_id = models.BigIntegerField("signer's account")
    population = models.CharField("digest of the population", max_length=64)
    digest = models.CharField("digest of what was attested", max_length=64)
    counts = models.JSONField("items by state", default=dict)
    address = models.CharField(max_length=45, blank=True)
    gesture = models.UUIDField(null=True, blank=True)

    class Meta(AppendOnlyModel.Meta):
        ordering = ["-signed_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(signed_by="") & ~Q(statement=""), name="attestation_signed_by_whom_and_when"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.review_id}: signed by {self.signed_by}"
