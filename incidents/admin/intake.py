"""Intake addresses, what the labels of alerts mean, and every post as it came."""

from __future__ import annotations

import contextlib
import json
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from incidents.admin.sources import verb_of
from incidents.enums import IntakeKind, Signing
from incidents.intake import acts, heartbeats, paths, reading, tokens
from incidents.models import IntakeDelivery, IntakeMapping, IntakeToken, PayloadLine, StatusWord
from portal.accounts import stepup
from portal.audit.admin import GuardedAdmin, GuardedTabularInline, ReadOnlyAdmin, Verb
from portal.audit.asking import reason_of
from portal.audit.middleware import person
from portal.lib import clock

SHOWN_BODY = 40_000  # characters of a body that are shown


class PayloadLineForm(forms.ModelForm):
    """One line of a mapping, whose path can be read."""

    def clean_path(self) -> str:
        """Refuse a path that cannot be read, with the sentence that says why."""
        path = str(self.cleaned_data["path"]).strip()
        try:
            paths.parse(path)
        except paths.BadPath as problem:
            raise forms.ValidationError(str(problem)) from None
        return path


class LineInline(GuardedTabularInline[PayloadLine]):
    """Where the fields of an alert stand in the payloads of a generic address."""

    model = PayloadLine
    form = PayloadLineForm
    may_delete = True
    extra = 1


class WordInline(GuardedTabularInline[StatusWord]):
    """What the words for a status mean at this address."""

    model = StatusWord
    may_delete = True
    extra = 1


class IntakeTokenForm(forms.ModelForm):
    """An address; signatures are asked for once there is a secret to sign with."""

    def clean_signing(self) -> str:
        """Refuse to ask for signatures while no secret is in use: everything would be refused."""
        asked = str(self.cleaned_data["signing"])
        if asked != Signing.NONE and not self.instance.secrets.filter(retired_at=None).exists():
            raise forms.ValidationError("Make a signing secret first, and give it to the source.")
        return asked


@admin.register(IntakeToken)
class IntakeTokenAdmin(GuardedAdmin[IntakeToken]):
    """Addresses that alerts are posted to. The secret is shown once, when the address is made."""

    list_display = ["name", "kind", "default_severity", "created_at", "created_by", "revoked_at"]
    list_filter = ["kind", ("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["name"]
    masked_fields: ClassVar[tuple[str, ...]] = IntakeToken.masked
    form = IntakeTokenForm
    inlines: ClassVar[list[Any]] = [LineInline, WordInline]

    def get_inlines(self, request: HttpRequest, obj: IntakeToken | None) -> list[Any]:
        """Only an address that reads a mapping has its lines and words; one of mails has words."""
        if obj is None or obj.kind not in {IntakeKind.GENERIC, IntakeKind.EMAIL}:
            return []
        return self.inlines if obj.kind == IntakeKind.GENERIC else [WordInline]

    def get_fields(self, request: HttpRequest, obj: IntakeToken | None = None) -> list[Any]:
        """Return what is chosen, and for one that stands who made and who revoked it."""
        fields = ["name", "kind", "default_severity", "reopen_minutes"]
        if obj is not None and obj.kind == IntakeKind.HEARTBEAT:
            fields += ["every_minutes", "grace_minutes", "paused_at", "paused_by"]
        elif obj is not None and obj.kind not in acts.UNSIGNED:
            fields += ["signing", "window_seconds"]
        return [*fields, "created_at", "created_by", "revoked_at", "revoked_by"] if obj is not None else fields

    def get_readonly_fields(self, request: HttpRequest, obj: IntakeToken | None = None) -> list[Any]:
        """The form of the alerts is chosen once: the source that knows the address sends in it."""
        fields = [name for name in super().get_readonly_fields(request, obj) if name != "digest"]
        return [*fields, "kind"] if obj is not None else fields

    def verbs(self, request: HttpRequest, obj: IntakeToken) -> list[Verb]:
        """Offer the page of the source with its deliveries, and the verbs that fit it as it stands."""
        page = Verb("Open source", reverse("incidents:source", args=[obj.pk]), post=False, icon="webhook")
        if not self.has_change_permission(request, obj):
            return [page]
        used = obj.secrets.filter(retired_at=None).count()
        return [page, *(verb_of(obj, act) for act in acts.of_source(obj, secrets_in_use=used))]

    def save_model(self, request: HttpRequest, obj: IntakeToken, form: Any, change: bool) -> None:  # noqa: FBT001
        """Make a new address with a secret of its own, after a confirmation."""
        if change:
            super().save_model(request, obj, form, change)
            if obj.kind == IntakeKind.HEARTBEAT:
                heartbeats.follow_rhythm(obj)
        else:
            stepup.require_confirmation(request)
            obj.secret = tokens.issue(  # type: ignore[attr-defined]
                obj, by=person(request), at=clock.now(), reason=reason_of(request)
            )

    def response_add(
        self, request: HttpRequest, obj: IntakeToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the address, this once. It is on no page that could be opened again."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"The address of {obj}",
            "opts": self.opts,
            "token": obj,
            "address": tokens.address_of(obj.secret),  # type: ignore[attr-defined]
            "secret": obj.secret,  # type: ignore[attr-defined]
            "enqueue_address": tokens.enqueue_address(),
            "mail_address": tokens.mail_address_of(obj.secret),  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/incidents/intaketoken/created.html", context)


@admin.register(IntakeMapping)
class IntakeMappingAdmin(GuardedAdmin[IntakeMapping]):
    """What a label of an alert means. The lowest position wins."""

    list_display = ["position", "label", "value", "token", "system", "severity", "active"]
    list_display_links = ["label", "value"]
    list_filter = ["active", "token", "severity"]
    search_fields = ["label", "value", "system__name"]
    fields = ["label", "value", "system", "severity", "token", "position", "active"]


@admin.register(IntakeDelivery)
class IntakeDeliveryAdmin(ReadOnlyAdmin[IntakeDelivery]):
    """Every post as it came, with what it was answered. Its body is shown as text alone."""

    list_display = ["received_at", "token", "result", "status_code", "sentence", "shown_incident"]
    list_filter = ["result", "token"]
    search_fields = ["sentence", "incident__reference"]
    fields = [
        *("received_at", "token", "result", "status_code", "sentence", "incident"),
        *("address", "content_type", "shown_body"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[IntakeDelivery]:
        """Leave the bodies out of lists."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        return rows.defer("body") if match is not None and str(match.url_name).endswith("_changelist") else rows

    @admin.display(description="incident")
    def shown_incident(self, obj: IntakeDelivery) -> str:
        """Return the reference of the incident."""
        return obj.incident.reference if obj.incident is not None else "none"

    @admin.display(description="body")
    def shown_body(self, obj: IntakeDelivery) -> SafeString:
        """Return the body as text: invisible characters gone, JSON indented, the rest of a long one left out."""
        return format_html("<pre>{}</pre>", body_text(bytes(obj.body)) or "It was empty.")


def body_text(body: bytes) -> str:
    """Return a body as text that a page can show, whatever it holds."""
    found = body.decode(errors="replace")
    with contextlib.suppress(reading.Unreadable, RecursionError):
        found = json.dumps(reading.read_json(body), indent=2, ensure_ascii=False)
    return reading.text(found, SHOWN_BODY)
