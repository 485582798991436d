"""What vouches for sources: their secrets, topics and heartbeats, each changed by its verbs alone."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from incidents.intake import acts
from incidents.models import Heartbeat, IntakeSecret, IntakeToken, TopicSubscription
from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin, Verb


def verb_of(token: IntakeToken, act: acts.Act, part: Any = None) -> Verb:
    """Return the button that leads to the page of a verb."""
    address = reverse("incidents:act-on-source", args=[token.pk, act.slug])
    return Verb(
        act.label, address if part is None else f"{address}?of={part.pk}", post=False, danger=act.danger, icon=act.icon
    )


class PartAdmin(GuardedAdmin[Any]):
    """What belongs to an address and is only made and changed by its verbs."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """It is made by a verb of the source, or by the source itself."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """It is changed by verbs alone."""
        return False


@admin.register(IntakeSecret)
class IntakeSecretAdmin(PartAdmin):
    """Secrets that sources sign with. None is ever shown again."""

    list_display = ["token", "ending", "created_at", "created_by", "retired_at"]
    list_filter = ["token", ("retired_at", admin.EmptyFieldListFilter)]
    masked_fields: ClassVar[tuple[str, ...]] = IntakeSecret.masked
    fields = ["token", "ending", "created_at", "created_by", "retired_at", "retired_by"]

    def verbs(self, request: HttpRequest, obj: IntakeSecret) -> list[Verb]:
        """Offer to retire a secret that is in use."""
        if obj.retired_at is not None or not request.user.has_perm("incidents.change_intaketoken"):
            return []
        return [verb_of(obj.token, acts.ACTS["retire-secret"], obj)]


@admin.register(TopicSubscription)
class TopicSubscriptionAdmin(PartAdmin):
    """Topics of SNS that post here, or ask to."""

    list_display = ["topic", "token", "state", "asked_at", "confirmed_at", "confirmed_by"]
    list_filter = ["state", "token"]
    search_fields = ["topic"]
    masked_fields: ClassVar[tuple[str, ...]] = TopicSubscription.masked
    fields = ["topic", "token", "state", "asked_at", "confirmed_at", "confirmed_by", "certificate"]

    def verbs(self, request: HttpRequest, obj: TopicSubscription) -> list[Verb]:
        """Offer what fits the topic as it stands."""
        if not request.user.has_perm("incidents.change_intaketoken"):
            return []
        return [verb_of(obj.token, act, obj) for act in acts.of_topic(obj)]


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin[Heartbeat]):
    """When heartbeats were last heard."""

    list_display = ["token", "last_at", "silent_since", "count"]
    list_filter = [("silent_since", admin.EmptyFieldListFilter)]
