"""Holds and tombstones in the admin: holds are placed and lifted with a reason, what was removed is only read."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from portal.accounts import stepup
from portal.audit import retention
from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin, Verb
from portal.audit.asking import ReasonForm, reason_of
from portal.audit.holds import LegalHold, Tombstone, TombstoneRequest
from portal.audit.middleware import person
from portal.lib import clock

LIFT = Verb("Lift hold", "", danger=True, icon="undo-2")


class HoldForm(ModelForm):
    """A new hold; a kind or an object that the record does not know is refused."""

    class Meta:
        help_texts: ClassVar[dict[str, str]] = {
            "model": "As in an address of the trail, such as directory.contact. Empty means the whole record.",
            "object_id": "Its number; what belongs to it is held too. Empty means all of the kind.",
        }

    def clean(self) -> dict[str, Any]:
        """Return what was given, as the record names it."""
        given = super().clean() or {}
        try:
            retention.check_covered(given.get("model", ""), given.get("object_id", ""))
        except retention.Refused as refused:
            raise ValidationError(str(refused)) from refused
        return given


@admin.register(LegalHold)
class LegalHoldAdmin(GuardedAdmin[LegalHold]):
    """What may not be removed. A hold is placed here, lifted by its button, and otherwise never changed."""

    form = HoldForm
    list_display = ["title", "model", "object_id", "placed_at", "placed_by", "lifted_at", "lifted_by"]
    list_filter = [("lifted_at", admin.EmptyFieldListFilter)]
    search_fields = ["title", "placed_by"]
    fields: ClassVar[list[Any]] = ["title", "model", "object_id"]

    def has_change_permission(self, request: HttpRequest, obj: LegalHold | None = None) -> bool:
        """What was placed stays as it was placed; it is lifted, and another one placed."""
        return False

    def get_fields(self, request: HttpRequest, obj: LegalHold | None = None) -> Any:
        """Show who placed and lifted it, once it stands."""
        return self.fields if obj is None else [*self.fields, "placed_at", "placed_by", "lifted_at", "lifted_by"]

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the verb."""
        lift = self.admin_site.admin_view(self.lift_view)
        return [path("<int:pk>/lift/", lift, name="audit_legalhold_lift"), *super().get_urls()]

    def verbs(self, request: HttpRequest, obj: LegalHold) -> list[Verb]:
        """Offer to lift a hold that stands."""
        if not obj.stands or not request.user.has_perm("audit.change_legalhold"):
            return []
        address = reverse("admin:audit_legalhold_lift", args=[obj.pk])
        return [Verb(LIFT.label, address, post=False, icon=LIFT.icon)]

    def save_form(self, request: HttpRequest, form: ModelForm[LegalHold], change: bool) -> Any:  # noqa: FBT001
        """Ask who is there before anything is saved."""
        stepup.require_confirmation(request)
        return super().save_form(request, form, change)

    def save_model(self, request: HttpRequest, obj: LegalHold, form: Any, change: bool) -> None:  # noqa: FBT001
        """Place the hold."""
        given = {"title": obj.title, "model": obj.model, "object_id": obj.object_id}
        if not reason_of(request):
            super().save_model(request, obj, form, change)  # refused there for want of a reason
        retention.place(obj, **given, by=person(request), at=clock.now(), reason=reason_of(request))

    def lift_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, and lift the hold, after a confirmation of who does it."""
        hold = self.get_object(request, str(pk))
        if hold is None:
            raise Http404("There is no such hold.")
        if not request.user.has_perm("audit.change_legalhold"):
            raise PermissionDenied
        stepup.require_confirmation(request)
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            text = "What it covers may be removed from then on, by two administrators as ever."
            return self.reason_page(request, hold, form, title=f"Lift “{hold}”", text=text, verb=LIFT)
        try:
            retention.lift(hold, by=person(request), at=clock.now(), reason=form.cleaned_data["change_reason"])
            messages.success(request, f"“{hold}” is lifted.")
        except retention.Refused as refused:
            messages.error(request, str(refused))
        return redirect("admin:audit_legalhold_change", pk)


@admin.register(TombstoneRequest)
class TombstoneRequestAdmin(ReadOnlyAdmin[TombstoneRequest]):
    """Who asked for which words to go, and why. Asking and confirming are done at a terminal."""

    list_display = ["id", "asked_at", "asked_by", "row_count", "reason", "tombstone"]
    list_select_related = ["tombstone"]
    list_filter = [("tombstone", admin.EmptyFieldListFilter)]
    search_fields = ["asked_by", "reason"]
    fields: ClassVar[list[Any]] = ["asked_at", "asked_by", "asked_by_id", "reason", "row_count", "positions"]
    readonly_fields: ClassVar[list[str]] = ["row_count"]

    @admin.display(description="rows")
    def row_count(self, obj: TombstoneRequest) -> int:
        """Return how many rows it names."""
        return len(obj.positions)


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin[Tombstone]):
    """Which request was confirmed, when and by whom."""

    list_display = ["id", "confirmed_at", "confirmed_by", "request"]
    search_fields = ["confirmed_by", "request__asked_by", "request__reason"]
