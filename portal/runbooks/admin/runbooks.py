"""Runbooks in the admin: their facts are changed here, their words on their own pages."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from portal.audit.admin import GuardedAdmin, Verb
from portal.audit.asking import reason_of
from portal.audit.middleware import person
from portal.lib import clock
from portal.runbooks import services, shutting
from portal.runbooks.enums import VersionState
from portal.runbooks.holding import HELD
from portal.runbooks.models import Runbook, RunbookVersion


@admin.register(Runbook)
class RunbookAdmin(GuardedAdmin[Runbook]):
    """What a runbook is called, which system it is about, who keeps it, and how often it is reviewed."""

    list_display = ["reference", "title", "system", "owner", "reviewed_at", "retired_at"]
    list_filter = ["system", "owner"]
    search_fields = ["reference", "title", "system__name"]
    list_select_related: ClassVar[Any] = ["system", "owner"]
    fields = ["title", "system", "owner", "review_every_days"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A runbook is made on its own page, with its first draft."""
        return False

    def save_model(self, request: HttpRequest, obj: Runbook, form: Any, change: bool) -> None:  # noqa: FBT001
        """Change the facts by the verb, so that the next review follows them."""
        given = form.cleaned_data
        services.change_facts(
            obj,
            title=given["title"], system=given["system"], owner=given["owner"],
            review_every_days=given["review_every_days"],
            by=person(request), at=clock.database_now(), reason=reason_of(request),
        )  # fmt: skip

    def verbs(self, request: HttpRequest, obj: Runbook) -> list[Verb]:
        """Lead to the pages that do the rest."""
        found = [
            Verb("Read", reverse("runbooks:runbook", args=[obj.reference]), post=False, primary=True, icon="book-open")
        ]
        if obj.retired_at is None and request.user.has_perm("runbooks.change_runbookversion"):
            found.append(Verb("Write", reverse("runbooks:edit", args=[obj.reference]), post=False, icon="pencil"))
        return found


@admin.register(RunbookVersion)
class RunbookVersionAdmin(GuardedAdmin[RunbookVersion]):
    """Every version, with its state and its verbs; its words are read and written on its own pages."""

    list_display = ["__str__", "state", "made_by", "made_at", "published_by", "published_at"]
    list_filter = ["state"]
    search_fields = ["runbook__reference", "runbook__title", "summary"]
    list_select_related: ClassVar[Any] = ["runbook"]
    fields = ["runbook", "number", "state", "summary", "words", "source", "digest"]
    readonly_fields: ClassVar[list[str]] = ["words"]

    @admin.display(description="text")
    def words(self, obj: RunbookVersion) -> SafeString:
        """Return the text, but while it tells how to shut down what must stay up."""
        return format_html("<pre>{}</pre>", HELD if shutting.kept_back(obj.runbook, obj.text) else obj.text)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Versions are begun on the page of their runbook."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What stands is shown; its verbs are buttons."""
        return False

    def verbs(self, request: HttpRequest, obj: RunbookVersion) -> list[Verb]:
        """Lead to the pages of its verbs."""
        base = (obj.runbook.reference, obj.number)
        found = [Verb("Read", reverse("runbooks:version", args=base), post=False, primary=True, icon="book-open")]
        if not request.user.has_perm("runbooks.change_runbookversion"):
            return found
        acts = {
            VersionState.DRAFT: (("Send to review", "submit", "send"), ("Discard draft", "discard", "trash-2")),
            VersionState.IN_REVIEW: (("Publish", "publish", "book-open-check"), ("Take back", "take-back", "undo-2")),
        }
        for label, verb, icon in acts.get(VersionState(obj.state), ()):
            url = reverse("runbooks:act-on-version", args=[*base, verb])
            found.append(Verb(label, url, post=False, icon=icon, danger=verb == "discard"))
        return found
