"""The outbox: a message is a row first, and is sent outside any transaction."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q

from portal.directory.models import Channel, Contact, ContactMethod
from portal.directory.validators import shown_address
from portal.lib.visibility import VisibleQuerySet


class MessageState(models.TextChoices):
    """Pending, sending under a lease, then sent, dead after the last try, or cancelled while unsent."""

    PENDING = "pending", "Waiting"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed, will be tried again"
    DEAD = "dead", "Given up"
    CANCELLED = "cancelled", "Cancelled"


class MessageQuerySet(VisibleQuerySet):
    """Messages."""


class Message(models.Model):
    """One message to one recipient over one channel.

    `idempotency_key` is the same in every delivery of this message. `about` is the record it concerns; acknowledging
    that record cancels what is unsent and stops the rest (`stopped_at`): no try, repeat or fallback may follow.
    `action_path` asks for a single-use secret link: each delivery makes one, and puts it where the body says
    ``{action_link}``. `repeat_seconds` repeats an urgent message until it is stopped. `due_at` is when it should go
    out first, `next_attempt_at` when it is tried next. `fallback_of` is the message that did not get through.
    `is_drill`: it concerns an exercise; its title says so first, and no real page waits for it or leaves with it.
    `gathers`: it is no page, and leaves with others of its kind to the same recipient once in an interval.
    `waits_while_quiet`: the recipient's quiet hours hold it. `bundle` names the delivery that it shares with others.
    """

    idempotency_key = models.CharField(max_length=160)
    kind = models.CharField(max_length=40)
    # Every index costs each message of a storm, so that foreign keys have one only where it is read.
    about_type = models.ForeignKey(
        ContentType, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    about_id = models.BigIntegerField(null=True, blank=True)
    about_reference = models.CharField(max_length=40, blank=True)
    generation = models.PositiveIntegerField(default=0)
    lane = models.CharField(max_length=12)
    contact = models.ForeignKey(
        Contact, null=True, blank=True, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    method = models.ForeignKey(
        ContactMethod, null=True, blank=True, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    channel = models.ForeignKey(
        Channel, null=True, blank=True, on_delete=models.PROTECT, related_name="messages", db_index=False
    )
    address = models.CharField(max_length=300, blank=True)
    title = models.CharField(max_length=300)
    body = models.TextField()
    url_path = models.CharField(max_length=300, blank=True)
    action_path = models.CharField(max_length=100, blank=True)
    urgent = models.BooleanField(default=False)
    is_drill = models.BooleanField("of a drill", default=False, db_default=False)
    gathers = models.BooleanField("gathered", default=False, db_default=False)
    waits_while_quiet = models.BooleanField(default=False)
    bundle = models.CharField(max_length=80, blank=True)
    repeat_seconds = models.PositiveIntegerField(null=True, blank=True)
    repeat_number = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=10, choices=MessageState, default=MessageState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)
    fallback_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="fallbacks", db_index=False
    )
    settled_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            # A constraint and not unique=True, which would add a second index for LIKE.
            models.UniqueConstraint(fields=["idempotency_key"], name="one_message_per_key"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "failed", "sending"], settled_at__isnull=True)
                | Q(state__in=["sent", "dead", "cancelled"], settled_at__isnull=False),
                name="message_settled_with_its_moment",
            ),
            models.CheckConstraint(
                condition=Q(state="sending", lease_token__isnull=False, lease_until__isnull=False)
                | (~Q(state="sending") & Q(lease_token__isnull=True, lease_until__isnull=True)),
                name="message_leased_while_sending",
            ),
        ]
        indexes = [
            # Read by portal.notify.sending.claim, and by the two questions about what waits in portal.notify.services.
            models.Index(
                fields=["lane", "-urgent", "next_attempt_at"],
                condition=Q(state__in=["pending", "failed", "sending"]),
                name="message_unsent",
            ),
            models.Index(fields=["about_type", "about_id"], name="message_about"),
            models.Index(fields=["contact", "lane", "read_at"], name="message_inbox"),
            models.Index(fields=["-created_at", "-id"], name="message_newest"),
            models.Index(fields=["method", "created_at"], condition=Q(kind="verification"), name="message_of_codes"),
            models.Index(fields=["fallback_of"], condition=Q(fallback_of__isnull=False), name="message_fallback"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def shown_address(self) -> str:
        """Return the address as pages show it, with the secret parts left out."""
        return shown_address(self.lane, self.address) if self.address else ""


class Turn(models.Model):
    """When the next page may leave for one contact method or channel: what comes before is gathered until then.

    Pages of drills wait for `next_at`, and for `drills_next_at` of their own, which no real page looks at. News wait
    for both and for `news_next_at`, which no page looks at.
    """

    method = models.OneToOneField(ContactMethod, null=True, blank=True, on_delete=models.PROTECT, related_name="turn")
    channel = models.OneToOneField(Channel, null=True, blank=True, on_delete=models.PROTECT, related_name="turn")
    next_at = models.DateTimeField()
    drills_next_at = models.DateTimeField(null=True, blank=True)
    news_next_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(method__isnull=False, channel__isnull=True) | Q(method__isnull=True, channel__isnull=False),
                name="turn_of_a_method_or_a_channel",
            )
        ]

    def __str__(self) -> str:
        return f"Turn of {self.method or self.channel}"


class ActionLink(models.Model):
    """A single-use secret link in one delivery of a message. Only the digest of the secret is kept."""

    hidden_with: ClassVar[str] = "message"

    digest = models.CharField(max_length=64, unique=True)
    message = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="links")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Link of message {self.message_id}"


class Verification(models.Model):
    """A code in one delivery to a contact method, to be typed back. Only its digest is kept."""

    method = models.ForeignKey(ContactMethod, on_delete=models.PROTECT, related_name="verifications")
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Code for {self.method}"
