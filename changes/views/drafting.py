"""Writing a change down, free or by a template, and editing it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from changes import approving, policy, services
from changes.enums import ChangeType, Status, StepKind
from changes.forms.drafting import DraftForm, TemplateDraftForm, WhenForm
from changes.models import Change, ChangeTemplate
from changes.policy import Refused
from changes.selectors.room import change_for
from portal.accounts.requests import SignedIn
from portal.approvals.services import standings
from portal.approvals.shown import canonical, digest
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.directory.models import System
from portal.lib import clock
from portal.lib.visibility import is_restricted
from portal.records import linking
from portal.records.making import making
from portal.records.models import Note

VOIDING = (Status.ASSESSED, Status.APPROVED, Status.SCHEDULED)
MEANWHILE = "Somebody edited it meanwhile. Open the form again, so that you see what it says now."


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("changes.add_change", raise_exception=True)
def draft(request: SignedIn) -> HttpResponse:
    """Show the form of a new change, or write it down.

    `?about=` (or `?incident=`), `?system=`, `?title=` and `?type=emergency` fill it in beforehand; it is linked with
    the record that it is about: it fixes what went wrong, and carries out what was planned. No word of a
    restricted record is taken over: more people read changes.
    """
    at = clock.database_now()
    about = _about(request)
    if request.method != "POST":
        form: WhenForm = DraftForm(at=at, user=request.user, initial=_initial(request, about))
        return _draft_page(request, form, at=at, about=about)
    form = DraftForm(request.POST, at=at, user=request.user)
    made = _drafted(request, form, about, lambda: services.draft(form.plan(), by=request.user, at=at), at=at)
    return redirect(made) if made else _draft_page(request, form, at=at, about=about, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("changes.add_change", raise_exception=True)
def draft_from_template(request: SignedIn, slug: str) -> HttpResponse:
    """Show the form of a standard change, or write it down by its template."""
    at = clock.database_now()
    template = get_object_or_404(ChangeTemplate.objects.visible_to(request.user), slug=slug)
    about = _about(request)
    start = _initial(request, about)
    options: dict[str, Any] = {"template": template, "at": at, "user": request.user, "initial": start}
    if request.method != "POST":
        return _draft_page(request, TemplateDraftForm(**options), at=at, about=about, template=template)
    form = TemplateDraftForm(request.POST, **options)

    def make() -> Change:
        plan = form.plan()
        return services.draft_from_template(template, systems=plan.systems or [], plan=plan, by=request.user, at=at)

    made = _drafted(request, form, about, make, at=at)
    return redirect(made) if made else _draft_page(request, form, at=at, about=about, template=template, status=422)


def _drafted(
    request: SignedIn, form: WhenForm, about: Any, make: Callable[[], Change], *, at: datetime
) -> Change | None:
    """Write the change down once, and link it with what it is about; nothing when it is refused."""
    if not form.is_valid():
        return None
    try:
        with making(request.user, once=form.cleaned_data["once"], kinds=["drafted"]) as standing:
            if standing is not None:
                return Change.objects.visible_to(request.user).filter(pk=standing).first()
            made = make()
            if about is not None:
                services.relate(made, about, kind=_kind_of(about), by=request.user, at=at)
    except Refused as refused:
        form.add_error(None, str(refused))
        return None
    messages.success(request, f"{made.reference} is drafted. Submit it when it says all that it must.")
    return made


def _about(request: SignedIn) -> Any:
    """Return the record that a change is drafted for, where its reader may see it and it can be linked."""
    asked = request.GET.get("about") or request.GET.get("incident", "")
    found = linking.by_reference(asked[:20], user=request.user)
    return found if found is not None and linking.takes(found) else None


def _kind_of(about: Any) -> str:
    """Return how a change that is drafted for a record is linked with it: as the first that the record takes."""
    return linking.takes(about)[0]


def _initial(request: SignedIn, about: Any) -> dict[str, Any]:
    asked = request.GET
    found: dict[str, Any] = {"title": asked.get("title", "")[:200]}
    if asked.get("type") == ChangeType.EMERGENCY:
        found["type"] = ChangeType.EMERGENCY
    if asked.getlist("system"):
        named = System.objects.visible_to(request.user).filter(active=True, slug__in=asked.getlist("system")[:50])
        found["systems"] = list(named.values_list("pk", flat=True))
    elif about is not None and hasattr(about, "systems"):
        found["systems"] = list(about.systems.values_list("pk", flat=True))
    if about is not None and not found["title"] and not is_restricted(type(about), about.pk):
        planned = _kind_of(about) == linking.CARRIES_OUT
        title = str(getattr(about, "title", about))
        found["title"] = title[:200] if planned else f"Mend: {title}"[:200]
        found["justification"] = f"It {'carries out' if planned else 'mends the cause of'} {about.reference}."
    return found


def _draft_page(
    request: SignedIn, form: WhenForm, *, at: datetime, about: Any, template: Any = None, status: int = 200
) -> HttpResponse:
    words = services.LINK_KINDS[_kind_of(about)] if about is not None else ""
    context = {"now": at, "form": form, "about": about, "about_words": words, "template": template}
    if template is not None:
        context["steps"] = _steps(template)
    else:
        context["templates"] = _usable(request)
    return render(request, "changes/draft.html", context, status=status)


def _usable(request: SignedIn) -> list[ChangeTemplate]:
    """Return the templates that are in force and approved as they stand."""
    rows = list(ChangeTemplate.objects.visible_to(request.user).in_force())
    found = standings(approving.TEMPLATE, [row.pk for row in rows])
    return [row for row in rows if found[row.pk].approved]


def _steps(template: ChangeTemplate) -> list[tuple[str, list[Any]]]:
    """Return the plans of a template with their steps. One query."""
    rows = sorted(template.steps.all(), key=lambda step: step.position)
    return [(kind.label, [step for step in rows if step.kind == kind]) for kind in StepKind]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("changes.change_change", raise_exception=True)
def edit(request: SignedIn, reference: str) -> HttpResponse:
    """Show what a change consists of as a form, or edit it; whoever decided is told what changed."""
    at = clock.database_now()
    change = change_for(request.user, reference)
    stands = digest(canonical(approving.facts_of(change)))
    options: dict[str, Any] = {"at": at, "user": request.user, "change": change, "initial": {"stands": stands}}
    sent = request.POST if request.method == "POST" else None
    form: WhenForm
    if change.template is not None:
        form = TemplateDraftForm(sent, template=change.template, **options)
    else:
        form = DraftForm(sent, **options)
    refusal = _not_editable(change)
    if request.method == "POST" and form.is_valid() and _edited(request, change, form, at=at):
        return redirect(change)
    record_opening(change, "in the form to edit it")
    context = {
        "now": at, "form": form, "change": change, "template": change.template, "refusal": refusal,
        "voids": change.status in VOIDING, "steps": _steps(change.template) if change.template else None,
    }  # fmt: skip
    return render(request, "changes/edit.html", context, status=422 if form.is_bound else 200)


def _edited(request: SignedIn, change: Change, form: WhenForm, *, at: datetime) -> bool:
    """Tell whether the edit was kept; when it was refused, its sentence stands in the form."""
    given = form.cleaned_data
    try:
        with transaction.atomic(), acting(by=request.user, once=given["once"]) as context:
            Change.objects.select_for_update(of=("self",)).get(pk=change.pk)
            if Note.objects.filter(gesture=context.gesture, kind="revised").exists():
                return True
            _check_stands(change_for(request.user, change.reference), given["stands"])
            edited = services.revise(change, form.plan(), by=request.user, at=at, reason=given["reason"])
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    said = "The edit is kept." if edited.version != change.version or edited.status == change.status else "It is kept."
    messages.success(request, f"{change.reference}: {said}")
    return True


def _check_stands(change: Change, stands: str) -> None:
    """Refuse an edit of what the form did not show."""
    if digest(canonical(approving.facts_of(change))) != stands:
        raise Refused(MEANWHILE)


def _not_editable(change: Change) -> str:
    try:
        policy.check_editable(change.status)
    except Refused as refused:
        return str(refused)
    return ""
