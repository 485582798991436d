"""The directory in the admin. People, teams and systems are deactivated, never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import reverse

from portal.audit.admin import GuardedAdmin, GuardedTabularInline, ReadOnlyAdmin, Verb
from portal.directory import readiness
from portal.directory.enums import MethodKind
from portal.directory.models import (
    Calendar,
    CalendarDay,
    Channel,
    Contact,
    ContactMethod,
    EmergencyContact,
    NotificationRule,
    OnCallShift,
    Severity,
    SeverityClock,
    SheetDelivery,
    System,
    Team,
)
from portal.directory.oncall import admin as schedules  # noqa: F401 - its admins register themselves
from portal.directory.recovery.admin import DependencyInline, RecoveryObjectiveInline
from portal.lib import clock


class SecretAddress:
    """Show an address in full to those who may change it only: a Slack or ntfy address lets its reader write there."""

    secret_fields: ClassVar[dict[str, str]] = {"address": "shown_address"}

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Return the fields, the address without its secret parts for those who only read."""
        fields = list(super().get_fields(request, obj))  # type: ignore[misc]
        if obj is None or self.has_change_permission(request, obj):  # type: ignore[attr-defined]
            return fields
        return [self.secret_fields.get(name, name) for name in fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """Add the address as it is shown, so that it may stand among the fields."""
        return [*super().get_readonly_fields(request, obj), "shown_address"]  # type: ignore[misc]

    @admin.display(description="address")
    def shown_address(self, obj: ContactMethod | Channel) -> str:
        """Return the address without its secret parts."""
        return obj.shown_address


class OfAnyone:
    """Let only those change methods here who may change people. Everybody keeps their own on their own page."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Tell whether methods of anybody may be added."""
        return request.user.has_perm("directory.change_contact") and super().has_add_permission(request, *args)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tell whether methods of anybody may be changed."""
        return request.user.has_perm("directory.change_contact") and super().has_change_permission(request, obj)  # type: ignore[misc]


class CalendarDayInline(GuardedTabularInline[CalendarDay]):
    """The own days of a calendar."""

    model = CalendarDay
    may_delete = True
    verbose_name_plural = "own days"


@admin.register(Calendar)
class CalendarAdmin(GuardedAdmin[Calendar]):
    """Working calendars with their own days."""

    list_display = ("name", "time_zone", "weekdays", "opens", "closes", "country", "subdivision")
    inlines = (CalendarDayInline,)


@admin.register(CalendarDay)
class CalendarDayAdmin(GuardedAdmin[CalendarDay]):
    """Days that a calendar counts otherwise than the holidays of its country do."""

    list_display = ("date", "name", "calendar", "is_working")
    list_filter = ("calendar", "is_working")
    date_hierarchy = "date"


class NotificationRuleInline(OfAnyone, GuardedTabularInline[NotificationRule]):
    """Over which method somebody is paged after how long. Without a line the first verified method is used at once."""

    model = NotificationRule
    may_delete = True
    fields = ("occasion", "method", "delay_seconds")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the person's own methods alone."""
        if db_field.name == "method":
            person = str((request.resolver_match.kwargs if request.resolver_match else {}).get("object_id"))
            mine = ContactMethod.objects.visible_to(request.user).filter(active=True).exclude(kind=MethodKind.PHONE)
            kwargs["queryset"] = mine.filter(contact_id=int(person)) if person.isdecimal() else mine.none()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


class ContactMethodInline(OfAnyone, SecretAddress, GuardedTabularInline[ContactMethod]):
    """How one person is reached. A changed address must be verified anew."""

    model = ContactMethod
    fields = ("kind", "address", "position", "verified_at", "active")
    readonly_fields = ("verified_at",)
    ordering = ("position", "id")


@admin.register(Contact)
class ContactAdmin(GuardedAdmin[Contact]):
    """People, with how they are reached."""

    list_display = ("name", "title", "user", "time_zone", "quiet_from", "quiet_until", "active")
    list_filter = ("active", "teams")
    search_fields = ("name", "title")
    inlines = (ContactMethodInline, NotificationRuleInline)

    def save_model(self, request: HttpRequest, obj: Contact, form: ModelForm[Contact], change: bool) -> None:  # noqa: FBT001
        """Save the person, and say where somebody who left is still named."""
        super().save_model(request, obj, form, change)
        if not obj.active:
            for sentence in readiness.still_named(obj, at=clock.now()):
                messages.warning(request, sentence)


@admin.register(ContactMethod)
class ContactMethodAdmin(OfAnyone, SecretAddress, GuardedAdmin[ContactMethod]):
    """Ways to reach people."""

    masked_fields = ContactMethod.masked
    list_display = ("contact", "kind", "shown_address", "position", "verified_at", "active")
    list_filter = ("kind", "active")
    fields = ("contact", "kind", "address", "position", "verified_at", "active")
    readonly_fields = ("verified_at",)
    search_fields = ("contact__name",)


@admin.register(NotificationRule)
class NotificationRuleAdmin(GuardedAdmin[NotificationRule]):
    """The rules by which people are paged. They are changed on the person's page, and shown here with their history."""

    list_display = ("contact", "occasion", "method", "delay_seconds")
    list_filter = ("occasion",)
    list_select_related = ("contact", "method__contact")
    search_fields = ("contact__name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rules are added on the person's page."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Rules are changed on the person's page."""
        return False


@admin.register(Team)
class TeamAdmin(GuardedAdmin[Team]):
    """Teams and their members."""

    list_display = ("name", "slug", "description", "active")
    list_filter = ("active",)
    search_fields = ("name", "slug")
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ["name"]}

    def verbs(self, request: HttpRequest, obj: Team) -> list[Verb]:
        """Offer to put somebody on call."""
        if not request.user.has_perm("directory.add_oncallshift"):
            return []
        address = reverse("directory:put-on-call", args=[obj.slug])
        return [Verb("Put somebody on call", address, post=False, icon="phone-call")]


@admin.register(OnCallShift)
class OnCallShiftAdmin(GuardedAdmin[OnCallShift]):
    """Who is on call, by hand."""

    list_display = ("contact", "team", "starts", "until", "withdrawn")
    list_filter = ("team", "withdrawn")
    search_fields = ("contact__name",)
    date_hierarchy = "starts"

    def verbs(self, request: HttpRequest, obj: OnCallShift) -> list[Verb]:
        """Offer to end a running shift, and to withdraw a coming one."""
        now = clock.now()
        if obj.withdrawn or obj.until <= now or not self.has_change_permission(request, obj):
            return []
        word = "End now" if obj.starts <= now else "Withdraw"
        address = reverse("directory:end-shift", args=[obj.pk])
        return [Verb(word, address, post=False, danger=True, icon="circle-stop")]


@admin.register(SheetDelivery)
class SheetDeliveryAdmin(ReadOnlyAdmin[SheetDelivery]):
    """When the contact sheet left this machine, by which way, and what went wrong."""

    list_display = ("day", "way", "target", "delivered_at", "attempts", "error")
    list_filter = ("way", ("delivered_at", admin.EmptyFieldListFilter))
    date_hierarchy = "day"


@admin.register(Channel)
class ChannelAdmin(SecretAddress, GuardedAdmin[Channel]):
    """Shared addresses."""

    masked_fields = Channel.masked
    list_display = ("name", "kind", "shown_address", "active")
    list_filter = ("kind", "active")
    fields = ("name", "kind", "address", "bundle_seconds", "active")
    search_fields = ("name",)


class EmergencyContactInline(GuardedTabularInline[EmergencyContact]):
    """The emergency-contact table of a system."""

    model = EmergencyContact
    may_delete = True
    verbose_name_plural = "emergency contacts"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Leave the little links beside each choice out: the table is narrow, and people have pages of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field


@admin.register(System)
class SystemAdmin(GuardedAdmin[System]):
    """Systems, who answers for them, and how soon they must be back."""

    list_display = ("name", "slug", "owner", "version", "last_updated", "parent", "active")
    list_filter = ("active", "owner")
    search_fields = ("name", "slug", "description")
    prepopulated_fields: ClassVar[dict[str, Sequence[str]]] = {"slug": ["name"]}
    inlines = (EmergencyContactInline, DependencyInline, RecoveryObjectiveInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[System]:
        """Return the systems with their owner and parent."""
        return super().get_queryset(request).select_related("owner", "parent")

    def save_model(self, request: HttpRequest, obj: System, form: ModelForm[System], change: bool) -> None:  # noqa: FBT001
        """Save the system, and say so when nobody owns it."""
        super().save_model(request, obj, form, change)
        if obj.owner is None and obj.active:
            messages.warning(
                request,
                f"Nobody owns {obj}. Its incidents page the administrators until you choose a team as its owner.",
            )


@admin.register(EmergencyContact)
class EmergencyContactAdmin(GuardedAdmin[EmergencyContact]):
    """Who answers for which system in which role, and who stands in."""

    list_display = ("system", "role", "contact", "backup")
    list_filter = ("role",)
    search_fields = ("system__name", "contact__name", "backup__name")


class SeverityClockInline(GuardedTabularInline[SeverityClock]):
    """The clocks of a severity. A clock that is taken away no longer runs for new incidents of that level."""

    model = SeverityClock
    may_delete = True


@admin.register(Severity)
class SeverityAdmin(GuardedAdmin[Severity]):
    """The severity table."""

    list_display = ("code", "name", "description", "target", "is_major", "pages_loudly", "ignores_quiet_hours", "tone")
    inlines = (SeverityClockInline,)


@admin.register(SeverityClock)
class SeverityClockAdmin(GuardedAdmin[SeverityClock]):
    """The limits of the clocks, by severity."""

    list_display = ("severity", "clock", "limit", "unit", "repeat_minutes")
    list_filter = ("severity", "clock")
