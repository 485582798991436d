"""Timeline notes, periods and demands in the admin. Only a demand that was given up is acted upon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse

from portal.audit.admin import ReadOnlyAdmin, Verb
from portal.audit.asking import ReasonForm
from portal.audit.middleware import person
from portal.lib import clock
from portal.records import services
from portal.records.models import Demand, Note, Period
from portal.records.readers import may_read

AGAIN = Verb("Try again", "", primary=True, icon="rotate-ccw")
SETTLE = Verb("Close by hand", "", icon="circle-check")


@admin.register(Note)
class NoteAdmin(ReadOnlyAdmin[Note]):
    """Every line of every timeline."""

    list_display = ["event_at", "actor_name", "text", "kind", "subject_type", "subject_id", "recorded_at"]
    list_filter = ["kind", "origin"]
    list_select_related = ["subject_type"]
    search_fields = ["text", "actor_name", "=subject_id"]
    date_hierarchy = "event_at"


@admin.register(Period)
class PeriodAdmin(ReadOnlyAdmin[Period]):
    """What went on with the systems."""

    list_display = ["reference", "system", "kind", "weight", "starts", "ends"]
    list_filter = ["kind", "system"]
    list_select_related = ["system"]
    search_fields = ["reference"]


@admin.register(Demand)
class DemandAdmin(ReadOnlyAdmin[Demand]):
    """What one part of the portal asked of another, answered or not."""

    list_display = ["topic", "key", "system", "asked_at", "answer_by", "answered_at", "tries", "given_up_at", "error"]
    list_filter = ["topic", ("given_up_at", admin.EmptyFieldListFilter)]
    list_select_related = ["system"]
    search_fields = ["key"]
    readonly_fields: ClassVar[list[str]] = ["veil"]

    def get_fields(self, request: HttpRequest, obj: Demand | None = None) -> list[Any]:
        """Say only that it is about something restricted, to whoever may not read that."""
        names = [field.name for field in self.opts.concrete_fields if not field.primary_key]
        if obj is None or may_read(obj, request.user):
            return names
        return ["veil" if name == "payload" else name for name in names if name != "answer"]

    @admin.display(description="payload")
    def veil(self, _obj: Demand) -> str:
        """Return what stands in the place of what the reader may not see."""
        return "About something that only its members may read."

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses of the verbs."""
        return [
            path(f"<int:pk>/{verb}/", self.admin_site.admin_view(view), name=f"records_demand_{verb}")
            for verb, view in (("again", self.again), ("settle", self.settle))
        ] + super().get_urls()

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Offer, for one that was given up, to have it tried again or to close it."""
        obj = kwargs.get("obj")
        context["verbs"] = []
        if obj is not None and obj.given_up_at is not None and request.user.has_perm("records.change_demand"):
            context["verbs"] = [
                Verb(verb.label, reverse(f"admin:records_demand_{name}", args=[obj.pk]), post=False, icon=verb.icon)
                for name, verb in (("settle", SETTLE), ("again", AGAIN))
            ]
        return super().render_change_form(request, context, *args, **kwargs)

    def again(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, and have a demand tried again."""
        text = "Mend first what its error says. The next sweep tries it, up to ten times."
        return self._act(request, pk, services.try_again, AGAIN, title="Try this request again", text=text)

    def settle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, and close a demand."""
        text = "Do by hand what it asks for, or say why it no longer matters."
        return self._act(request, pk, services.settle_by_hand, SETTLE, title="Close this request", text=text)

    def _act(
        self, request: HttpRequest, pk: int, act: Callable[..., None], verb: Verb, *, title: str, text: str
    ) -> HttpResponse:
        demand = self.get_object(request, str(pk))
        if demand is None:
            raise Http404("There is no such request.")
        if not request.user.has_perm("records.change_demand"):
            raise PermissionDenied
        form = ReasonForm(request.POST if request.method == "POST" else None)
        if not form.is_valid():
            return self.reason_page(request, demand, form, title=title, text=text, verb=verb)
        try:
            act(demand, by=person(request), at=clock.now(), reason=form.cleaned_data["change_reason"])
        except ValueError as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, "The next sweep tries it." if verb is AGAIN else "The request is closed.")
        return redirect("admin:records_demand_change", pk)


# Evidence is a package of its own; Django looks for admins here.
from portal.records.evidence import admin as evidence  # noqa: E402, F401
