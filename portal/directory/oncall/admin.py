"""Schedules in the admin: what verbs have written, each verb a button. Nothing is typed into these rows."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from portal.audit.admin import GuardedAdmin, GuardedTabularInline, Verb
from portal.directory.models import CalendarFeed, Layer, LayerMember, Schedule, Swap
from portal.lib import clock


class ByVerbs:
    """Written by verbs alone: no form adds or changes such a row."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Verbs add them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Verbs change them."""
        return False


class LayerInline(ByVerbs, GuardedTabularInline[Layer]):
    """The layers of a schedule, past ones too."""

    model = Layer
    fields = ("name", "position", "every", "unit", "first_day", "handoff", "hours", "starts", "until")


@admin.register(Schedule)
class ScheduleAdmin(ByVerbs, GuardedAdmin[Schedule]):
    """Schedules of teams."""

    list_display = ("name", "team", "time_zone", "retired_at")
    list_filter = ("team", ("retired_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "team__name")
    inlines = (LayerInline,)

    def verbs(self, request: HttpRequest, obj: Schedule) -> list[Verb]:
        """Lead to the schedule's own page and to its verbs."""
        found = [Verb("Open schedule", reverse("directory:schedule", args=[obj.pk]), post=False, icon="calendar")]
        if obj.retired_at is None and request.user.has_perm("directory.change_schedule"):
            add, end = (reverse(f"directory:{name}", args=[obj.pk]) for name in ("add-layer", "retire-schedule"))
            found.append(Verb("Add layer", add, post=False, icon="plus"))
            found.append(Verb("Retire schedule", end, post=False, danger=True, icon="archive"))
        return found


class LayerMemberInline(ByVerbs, GuardedTabularInline[LayerMember]):
    """Who takes turns, in their order."""

    model = LayerMember
    fields = ("position", "contact")


@admin.register(Layer)
class LayerAdmin(ByVerbs, GuardedAdmin[Layer]):
    """Layers as they stood, version by version."""

    list_display = ("name", "schedule", "position", "every", "unit", "starts", "until")
    list_filter = ("schedule__team",)
    search_fields = ("name", "schedule__name")
    inlines = (LayerMemberInline,)

    def verbs(self, request: HttpRequest, obj: Layer) -> list[Verb]:
        """Offer to change or end one that counts or will."""
        over = obj.until is not None and obj.until <= clock.now()
        if over or not request.user.has_perm("directory.change_schedule"):
            return []
        change, end = (reverse(f"directory:{name}-layer", args=[obj.pk]) for name in ("change", "end"))
        return [
            Verb("Change layer", change, post=False, icon="pencil"),
            Verb("End layer", end, post=False, danger=True, icon="circle-stop"),
        ]


@admin.register(LayerMember)
class LayerMemberAdmin(ByVerbs, GuardedAdmin[LayerMember]):
    """Places in rotations."""

    list_display = ("contact", "layer", "position")
    list_filter = ("layer__schedule__team",)
    search_fields = ("contact__name",)


@admin.register(Swap)
class SwapAdmin(ByVerbs, GuardedAdmin[Swap]):
    """Who asked whom to take over, and what they answered."""

    list_display = ("asker", "taker", "schedule", "starts", "until", "state")
    list_filter = ("state", "schedule__team")
    search_fields = ("asker__name", "taker__name")
    date_hierarchy = "starts"

    def verbs(self, request: HttpRequest, obj: Swap) -> list[Verb]:
        """Lead to the page where the two people answer."""
        return [Verb("Open swap", reverse("directory:swap", args=[obj.pk]), post=False, icon="handshake")]


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ByVerbs, GuardedAdmin[CalendarFeed]):
    """Secret addresses of calendars. The secret is shown once, when one is made."""

    list_display = ("owner", "team", "system", "created_at", "revoked_at", "revoked_by")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("owner__name",)
    fields = ("owner", "team", "system", "created_at", "created_by", "revoked_at", "revoked_by")
    masked_fields = CalendarFeed.masked

    def get_readonly_fields(self, request: HttpRequest, obj: CalendarFeed | None = None) -> list[Any]:
        """Leave the digest out."""
        return [name for name in super().get_readonly_fields(request, obj) if name != "digest"]
