"""Reviews in the admin: their plans are edited here, everything else is done on their own pages."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.accounts.roles import ROLES
from portal.assurance.enums import ReviewKind
from portal.assurance.models import Attestation, Review, ReviewItem, ReviewPlan, Verdict
from portal.assurance.policy import NO_REVIEWERS, NOTHING_TO_REVIEW
from portal.assurance.services.people import reviewing_accounts, reviewing_roles
from portal.assurance.services.veiling import readable
from portal.audit.admin import GuardedAdmin, ReadOnlyAdmin, Verb


class PlanForm(forms.ModelForm):
    """A plan: roles are boxes to tick, and what nobody could do is refused."""

    reviewer_roles = forms.MultipleChoiceField(
        label="Roles that review", required=False, widget=forms.CheckboxSelectMultiple
    )
    roles = forms.MultipleChoiceField(
        label="Roles that are reviewed",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(role.name, role.name) for role in ROLES],
        help_text="Of an access review.",
    )

    class Meta:
        model = ReviewPlan
        fields = [
            "name", "kind", "months", "days", "reviewer_roles", "reviewers", "roles", "all_accounts",
            "emergency_contacts", "engagements", "active",
        ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "reviewer_roles" in self.fields:  # a reader without the right to change sees no field
            self.fields["reviewer_roles"].choices = [(name, name) for name in reviewing_roles()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Refuse a plan without reviewers, and an access review of nothing."""
        given = super().clean() or {}
        if not given.get("reviewer_roles") and not given.get("reviewers"):
            raise ValidationError({"reviewer_roles": NO_REVIEWERS})
        scope = ("roles", "all_accounts", "emergency_contacts", "engagements")
        if given.get("kind") == ReviewKind.ACCESS and not any(given.get(name) for name in scope):
            raise ValidationError({"roles": NOTHING_TO_REVIEW})
        return given


@admin.register(ReviewPlan)
class ReviewPlanAdmin(GuardedAdmin[ReviewPlan]):
    """Which reviews are made by themselves, how often, and who does them."""

    form = PlanForm
    list_display = ["name", "kind", "months", "days", "active"]
    list_filter = ["kind", "active"]
    fields = [
        "name", "kind", "months", "days", "reviewer_roles", "reviewers", "roles", "all_accounts",
        "emergency_contacts", "engagements", "active",
    ]  # fmt: skip

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer the accounts that may review as boxes to tick."""
        if db_field.name == "reviewers":
            kwargs["queryset"] = reviewing_accounts()
            kwargs["widget"] = forms.CheckboxSelectMultiple()
            kwargs["help_text"] = "Beside the roles."
        return super().formfield_for_manytomany(db_field, request, **kwargs)


@admin.register(Review)
class ReviewAdmin(GuardedAdmin[Review]):
    """Reviews, with their history."""

    list_display = ["reference", "title", "kind", "state", "opened_at", "due_at", "signed_by", "signed_at"]
    list_display_links = ["reference", "title"]
    list_filter = ["kind", "state"]
    search_fields = ["reference", "title"]
    readonly_fields: ClassVar[list[str]] = ["shown_reviewers"]

    def get_fields(self, request: HttpRequest, obj: Review | None = None) -> list[Any]:
        """Show everything, the reviewers by name."""
        names = [field.name for field in self.opts.concrete_fields if not field.primary_key]
        return [*names, "shown_reviewers"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Reviews are opened on their own page, so that their population is frozen."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Review | None = None) -> bool:
        """Everything that moves a review is a verb."""
        return False

    def verbs(self, request: HttpRequest, obj: Review) -> list[Verb]:
        """Offer what the review's page offers."""
        page = Verb("Open review", obj.get_absolute_url(), post=False, icon="clipboard-check")
        result = Verb("Result", reverse("assurance:review-result", args=[obj.reference]), post=False, icon="file-text")
        if not obj.is_open or not request.user.has_perm("assurance.change_review"):
            return [result, page]
        hand = Verb("Hand over", reverse("assurance:hand-over", args=[obj.reference]), post=False, icon="users")
        off = Verb("Call off", reverse("assurance:call-off", args=[obj.reference]), post=False, danger=True, icon="ban")
        return [result, hand, off, page]

    @admin.display(description="reviewers")
    def shown_reviewers(self, obj: Review) -> str:
        """Return who is named as a reviewer."""
        return ", ".join(str(user) for user in obj.reviewers.all()) or "none by name"


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnlyAdmin[ReviewItem]):
    """What reviews are made of."""

    list_display = ["number", "review", "title", "about_name", "at", "rows"]
    list_display_links = ["number", "title"]
    list_filter = ["subject"]
    search_fields = ["title", "about_name", "review__reference"]
    exclude = ["facts"]
    readonly_fields: ClassVar[list[str]] = ["shown_facts"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReviewItem]:
        """Leave out what touches a restricted record that the reader may not see."""
        return readable(super().get_queryset(request), request.user)

    @admin.display(description="facts")
    def shown_facts(self, obj: ReviewItem) -> SafeString:
        """Return the facts of which the digest was taken."""
        return format_html("<pre>{}</pre>", json.dumps(obj.facts, indent=2, ensure_ascii=False))


@admin.register(Verdict)
class VerdictAdmin(ReadOnlyAdmin[Verdict]):
    """What was decided on each item, and by whom."""

    list_display = ["item", "review", "state", "decided_by", "decided_at", "words"]
    list_filter = ["state"]
    search_fields = ["words", "decided_by", "review__reference"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Verdict]:
        """Leave out what was said of a restricted record that the reader may not see."""
        return readable(super().get_queryset(request), request.user, item="item__")


@admin.register(Attestation)
class AttestationAdmin(ReadOnlyAdmin[Attestation]):
    """Who signed what."""

    list_display = ["review", "signed_by", "signed_at", "digest"]
    search_fields = ["review__reference", "signed_by", "digest"]
