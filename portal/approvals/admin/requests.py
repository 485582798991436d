"""Requests and their parts: no form changes them, verbs lead to the same pages, several are approved at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.accounts import stepup
from portal.accounts.models import User
from portal.approvals import registry, services
from portal.approvals.enums import Verdict
from portal.approvals.models import ApprovalRequest, Decision, Stage
from portal.approvals.policy import Refused
from portal.approvals.selectors.room import refusal_at, room_of
from portal.audit.admin import GuardedAdmin, GuardedTabularInline, ReadOnlyAdmin, Verb
from portal.lib import clock

MOST_AT_ONCE = 20


class OnlyShown:
    """What is asked and decided is never changed by a form."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Requests are asked for on the page of the record."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown."""
        return False


class StageInline(OnlyShown, GuardedTabularInline[Stage]):
    """The stages of a request."""

    model = Stage
    fields = ["position", "name", "role", "needed", "state"]
    readonly_fields = ["position", "name", "role", "needed", "state"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """One request chosen to be approved with others: as it stands, and why the reader may not decide on it."""

    request: ApprovalRequest
    stage: Stage | None
    refusal: str


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(OnlyShown, GuardedAdmin[ApprovalRequest]):
    """What was asked, on exactly which words, and how it ended."""

    list_display = ["reference", "title", "state", "requester_name", "implementer_name", "asked_at", "decide_by"]
    list_display_links = ["reference", "title"]
    list_filter = ["state", "kind"]
    search_fields = ["reference", "title", "requester_name"]
    search_help_text = "A reference, words of the title, or who asked"
    ordering = ["-asked_at", "-id"]
    actions = ["approve_selected"]
    inlines = [StageInline]
    view_on_site = False  # a verb leads there
    fields = [
        *("reference", "kind", "title", "state", "shown_text", "digest", "why", "requester_name", "implementer_name"),
        *("round", "decide_by", "asked_at", "asked_by", "settled_at", "settled_by", "outcome"),
    ]
    readonly_fields: ClassVar[list[str]] = ["shown_text"]

    @admin.display(description="what is shown")
    def shown_text(self, obj: ApprovalRequest) -> SafeString:
        """Return the very text that the digest is of."""
        kind = registry.of_kind(obj.kind)
        kept_back = kind.kept_back(kind.read(obj.subject_id), obj.shown) if kind is not None else ""
        return format_html("<pre>{}</pre>", kept_back or obj.shown)

    def verbs(self, request: HttpRequest, obj: ApprovalRequest) -> list[Verb]:
        """Offer what the page of the request offers to this reader."""
        user = _user(request)
        room = room_of(obj, user, at=clock.now())
        found = []
        if room.may_withdraw:
            address = reverse("approvals:withdraw", args=[obj.reference])
            found.append(Verb("Withdraw request", address, post=False, danger=True, icon="undo-2"))
        if room.may_name:
            address = reverse("approvals:implementer", args=[obj.reference])
            found.append(Verb("Name implementer", address, post=False, icon="user-cog"))
        decides = room.deciding is not None and not room.refusal
        words = "Read and decide" if decides else "Open its page"
        return [*found, Verb(words, obj.get_absolute_url(), post=False, primary=decides, icon="file-check")]

    @admin.action(description="Approve selected", permissions=["view"])
    def approve_selected(self, request: HttpRequest, queryset: QuerySet[ApprovalRequest]) -> HttpResponse | None:
        """Show the chosen requests word for word; then approve each that the reader may decide on.

        Each decision is bound to the digest that the page showed. Whatever is refused is named with its sentence.
        """
        at = clock.database_now()
        chosen = [_chosen(one, request, at=at) for one in queryset.order_by("pk")[: MOST_AT_ONCE + 1]]
        if len(chosen) > MOST_AT_ONCE:
            self.message_user(request, f"Choose at most {MOST_AT_ONCE} requests, and read them.", messages.ERROR)
            return None
        if "approve" not in request.POST:
            return self._reading(request, chosen)
        if not stepup.confirmed_recently(request):
            return stepup.ask(request)
        for one in chosen:
            level, sentence = _approve(one, request, at=at)
            self.message_user(request, f"{one.request.reference}: {sentence}", level)
        return None

    def _reading(self, request: HttpRequest, chosen: list[Chosen]) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Approve selected",
            "opts": self.opts,
            "chosen": chosen,
            "some": any(not one.refusal for one in chosen),
            "confirmed": stepup.confirmed_recently(request),
        }
        return TemplateResponse(request, "admin/approvals/approvalrequest/approve_selected.html", context)


def _user(request: HttpRequest) -> User:
    user: Any = request.user
    found: User = user
    return found


def _chosen(found: ApprovalRequest, request: HttpRequest, *, at: datetime) -> Chosen:
    room = room_of(found, _user(request), at=at)
    return Chosen(found, room.deciding, room.refusal)


def _approve(one: Chosen, request: HttpRequest, *, at: datetime) -> tuple[int, str]:
    """Approve one request; return the level and the sentence of its message."""
    read = _number(request.POST.get(f"stage-{one.request.pk}", ""))
    stage = one.request.stages.filter(pk=read).first() or one.stage
    refusal = refusal_at(one.request, stage, _user(request), at=at)
    if refusal or stage is None:
        return messages.ERROR, refusal
    try:
        services.decide(
            one.request, stage=stage, verdict=Verdict.APPROVE,
            digest=request.POST.get(f"digest-{one.request.pk}", ""), reason=request.POST.get("reason", "")[:1000],
            confirmed=stepup.confirmed_recently(request), by=_user(request), at=at,
        )  # fmt: skip
    except Refused as refused:
        return messages.ERROR, str(refused)
    return messages.SUCCESS, "Your approval is recorded."


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@admin.register(Stage)
class StageAdmin(OnlyShown, GuardedAdmin[Stage]):
    """One stage, with its history."""

    list_display = ["request", "position", "name", "role", "needed", "state"]
    list_filter = ["state"]
    search_fields = ["request__reference"]
    fields = ["request", "position", "name", "role", "needed", "state"]

    def get_model_perms(self, request: HttpRequest) -> dict[str, bool]:
        """Stand in no list of records: the request leads here."""
        return {}


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin[Decision]):
    """Who decided what, when, why and on which digest."""

    list_display = ["request", "stage", "verdict", "decided_by", "decided_at", "reason", "origin"]
    list_select_related = ["request", "stage__request"]
    list_filter = ["verdict"]
    search_fields = ["request__reference", "decided_by"]
    date_hierarchy = "decided_at"
