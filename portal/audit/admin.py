"""The admin pages that every model stands on: audited rows are changed with a reason and never deleted."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import capfirst
from simple_history.admin import SimpleHistoryAdmin

from portal.audit import beside
from portal.audit.actor import acting
from portal.audit.asking import ReasonForm, reason_of, without_reason
from portal.audit.differences import Differ
from portal.audit.history import AuditHistory
from portal.audit.middleware import person
from portal.audit.reasons import SAY_WHY, ReasonMissing
from portal.audit.retention.values import REMOVED
from portal.audit.trail import record_opening
from portal.lib.choosing import ManyField
from portal.lib.visibility import VisibleQuerySet, narrowed, reads_all
from portal.lib.widgets import ADMIN_FIELDS

M = TypeVar("M", bound=models.Model)
HISTORY_PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Verb:
    """A button on a record's admin page that does the same as on its own page. `post` false makes it a link."""

    label: str
    url: str
    post: bool = True
    primary: bool = False
    danger: bool = False
    icon: str = ""


def only_reading(request: HttpRequest) -> None:
    """Raise PermissionDenied for every method but GET and HEAD: a history page writes nothing."""
    if request.method not in {"GET", "HEAD"}:
        raise PermissionDenied("History is read here, never written.")


class VisibleRows(admin.options.BaseModelAdmin, Generic[M]):
    """Lists, and the choices in forms, hold only what the reader may see.

    `masked_fields` names fields whose values no history shows and no list is narrowed by: asked often enough, a list
    that begins with a guess gives a secret away.
    """

    model: type[Any]
    masked_fields: ClassVar[Collection[str]] = ()
    formfield_overrides = ADMIN_FIELDS

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[M]:
        """Return the rows that the reader may see."""
        return narrowed(super().get_queryset(request), request.user)

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> Any:
        """Return the choices of a relation that the reader may see."""
        chosen = super().get_field_queryset(db, db_field, request)
        rows = db_field.remote_field.model._default_manager.using(db).all() if chosen is None else chosen
        return rows.visible_to(request.user) if isinstance(rows, VisibleQuerySet) else chosen

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Let a field of several records refuse whatever is not one of its choices, however large."""
        return super().formfield_for_manytomany(db_field, request, **{"form_class": ManyField, **kwargs})

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Tell whether an address of the list may ask this; nothing is asked of a field whose values are secret.

        Secret is what no history shows: the fields that are masked, and those that it leaves out.
        """
        history = AuditHistory.of.get(self.model)
        secret = {*self.masked_fields, *getattr(self.model, "masked", ())}
        secret |= history.excluded(self.model) if history is not None else set()
        return secret.isdisjoint(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def reason_page(
        self, request: HttpRequest, obj: M, form: ReasonForm, *, title: str, text: str, verb: Verb
    ) -> HttpResponse:
        """Ask why one act is done; its button posts the reason back to the same address."""
        request.current_app = self.admin_site.name
        record_opening(obj, "to say why")
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "text": text,
            "form": form,
            "verb": verb,
            "original": obj,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/reason.html", context, status=422 if form.errors else 200)


def _relations(model: type[models.Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if field.is_relation]


class GuardedAdmin(VisibleRows[M], SimpleHistoryAdmin):
    """An audited model's admin: changes with a reason, a history that only shows, no deletion.

    `verbs` returns the record's buttons.
    """

    show_full_result_count = False

    def verbs(self, request: HttpRequest, obj: M) -> list[Verb]:
        """Return the buttons of this record for this reader."""
        _ = request, obj
        return []

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Nothing audited is deleted: records are closed or deactivated."""
        return False

    def get_list_select_related(self, request: HttpRequest) -> bool | list[str] | tuple[str, ...]:
        """Load what the rows point at with them: one query however long the list is."""
        return self.list_select_related or _relations(self.model)

    def get_readonly_fields(self, request: HttpRequest, obj: M | None = None) -> list[Any]:
        """Show what services alone may set, such as a status; a new record has none of it yet."""
        declared = list(super().get_readonly_fields(request, obj))
        if obj is None:
            return declared
        kept = [f.name for f in self.opts.concrete_fields if not f.editable and not f.primary_key]
        return [*declared, *(name for name in kept if name not in declared)]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> M | None:
        """Return the record; while a form is saved, locked and read again, so that no act of others is taken back."""
        found: M | None = super().get_object(request, object_id, from_field)
        if found is None or request.method != "POST" or not transaction.get_connection().in_atomic_block:
            return found
        self.model._base_manager.select_for_update(of=("self",)).filter(pk=found.pk).first()
        return super().get_object(request, object_id, from_field)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show or save the form; what it saves is done by the reader, for the reason they gave.

        Without a reason nothing privileged is saved: the form comes back as it was sent, and asks for one.
        """
        context = {"asks_reason": True, "reason_required": self.needs_reason(), **(extra_context or {})}
        with acting(by=person(request), reason=reason_of(request), origin="admin"):
            try:
                return super().changeform_view(request, object_id, form_url, context)
            except ReasonMissing:  # all of it was rolled back; what did not change asks for no reason
                request.reason_missing = True  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, context)

    def needs_reason(self) -> bool:
        """Tell whether what this form saves is privileged: the record itself, or rows inside its form."""
        return any(getattr(found, "privileged", False) for found in (self.model, *(i.model for i in self.inlines)))

    def get_form(self, request: HttpRequest, obj: M | None = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002
        """Return the form; when a reason was missing, one that says so and saves nothing."""
        form = super().get_form(request, obj, change=change, **kwargs)
        return without_reason(form, SAY_WHY) if getattr(request, "reason_missing", False) else form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the record's buttons to the page, and what is wrong with the reason."""
        obj = kwargs.get("obj")
        context["verbs"] = [*self.verbs(request, obj), *beside.verbs(request, obj)] if obj is not None else []
        if obj is not None:
            record_opening(obj)
        context["marks"] = beside.marks(request, obj) if obj is not None else []
        if context.get("errors") and self.needs_reason() and not reason_of(request):
            context["reason_error"] = SAY_WHY
        return super().render_change_form(request, context, *args, **kwargs)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show who changed what, when and why, in a fixed number of queries. Only GET and HEAD are answered."""
        obj = self._historical_object(request, object_id)
        rows = self.model.history.filter(**{self.opts.pk.attname: obj.pk}).order_by("-history_id")
        page = Paginator(rows, HISTORY_PER_PAGE).get_page(request.GET.get(PAGE_VAR))
        shown = list(rows[max(page.start_index() - 1, 0) : page.end_index() + 1])
        changes = Differ(self.model, self.masked_fields).changes(shown)
        for row, found in zip(shown, changes, strict=True):
            row.history_delta_changes = found
        page.object_list = shown[: page.end_index() - page.start_index() + 1]
        return self._history_page(request, obj, self.object_history_template, extra_context, page_obj=page)

    def history_form_view(
        self, request: HttpRequest, object_id: str, version_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the record as it was. Nothing is reverted from here: only GET and HEAD are answered."""
        obj = self._historical_object(request, object_id)
        rows = self.model.history.filter(**{self.opts.pk.attname: obj.pk})
        row = rows.filter(pk=version_id).first() if version_id.isdecimal() and len(version_id) < 19 else None
        if row is None:
            raise Http404("This record has no such version.")
        values = Differ(self.model, self.masked_fields).values(row)
        return self._history_page(
            request, obj, self.object_history_form_template, extra_context, version=row, values=values
        )

    def _historical_object(self, request: HttpRequest, object_id: str) -> Any:
        """Return the record, or the last that is known of a deleted one.

        PermissionDenied is raised for every method but GET and HEAD and without the view permission, Http404 for what
        the reader may not see.
        """
        only_reading(request)
        key = unquote(object_id)
        obj = self.get_object(request, key)
        if obj is None and self.has_view_permission(request) and reads_all(request.user, self.model):
            obj = self._deleted_object(key)
        if obj is None:
            if not self.has_view_permission(request):
                raise PermissionDenied
            raise Http404("There is no such record.")
        if not self.has_view_permission(request, obj):
            raise PermissionDenied
        record_opening(obj, "with its history")
        return obj

    def _deleted_object(self, key: str) -> Any:
        if not key.isdecimal() or len(key) >= 19 or self.model._base_manager.filter(pk=key).exists():
            return None
        last = self.model.history.filter(**{self.opts.pk.attname: key}).order_by("-history_id").first()
        if last is None or last.actor_name == REMOVED:  # nothing is left of it that could be shown here
            return None
        return last.instance

    def _history_page(
        self, request: HttpRequest, obj: Any, template: str, extra_context: dict[str, Any] | None, **own: Any
    ) -> HttpResponse:
        request.current_app = self.admin_site.name
        base = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "object_history_list_template": self.object_history_list_template,
            "page_var": PAGE_VAR,
            "module_name": capfirst(str(self.opts.verbose_name_plural)),
            "object": obj,
            "original": obj,
            "opts": self.opts,
            "changelist_url": reverse(f"{base}_changelist"),
            "change_url": reverse(f"{base}_change", args=[obj.pk]),
            "history_url": reverse(f"{base}_history", args=[obj.pk]),
            **own,
            **(extra_context or {}),
        }
        return TemplateResponse(request, template, context)


class GuardedInline(VisibleRows[M], admin.options.InlineModelAdmin):
    """Audited rows inside another record's form. With `may_delete` whoever may change them may take them away."""

    may_delete: ClassVar[bool] = False
    extra = 0

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Tell whether a row may be taken away here; its history stays."""
        return self.may_delete and self.has_change_permission(request, obj)


class GuardedTabularInline(GuardedInline[M], admin.TabularInline):
    """Audited rows as a table inside another record's form."""


class GuardedStackedInline(GuardedInline[M], admin.StackedInline):
    """Audited rows one above the other inside another record's form."""


class ReadOnlyAdmin(VisibleRows[M], admin.ModelAdmin):
    """What the system writes and people only read: no history of its own, no form that changes it."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """The system alone adds such rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Nobody changes such rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: M | None = None) -> bool:
        """Nobody deletes such rows by hand."""
        return False

    def get_list_select_related(self, request: HttpRequest) -> bool | list[str] | tuple[str, ...]:
        """Load what the rows point at with them: one query however long the list is."""
        return self.list_select_related or _relations(self.model)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the page of a record that has no history of its own. Only GET and HEAD are answered."""
        only_reading(request)
        return super().history_view(request, object_id, extra_context)
