"""The templates of standard changes: which are in force, what each says, and revoking one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from changes import services
from changes.approving import TEMPLATE
from changes.enums import StepKind
from changes.models import Change, ChangeTemplate
from changes.policy import Refused
from portal.accounts.requests import SignedIn
from portal.approvals.services import standings
from portal.audit.asking import FIELD, ReasonForm
from portal.lib import clock

READS = "changes.view_changetemplate"
MOST_MADE = 10


@require_safe
@login_required
@permission_required(READS, raise_exception=True)
def template_list(request: SignedIn) -> HttpResponse:
    """Show the templates, those in force first, with how each stands."""
    rows = list(ChangeTemplate.objects.visible_to(request.user).prefetch_related("systems"))
    found = standings(TEMPLATE, [row.pk for row in rows])
    rows.sort(key=lambda row: (row.revoked_at is not None, row.name.casefold()))
    context = {
        "now": clock.now(),
        "rows": [(row, found[row.pk], _usable(row, found[row.pk])) for row in rows],
        "add_url": _admin(request, "changes.add_changetemplate", "add"),
    }
    return render(request, "changes/templates.html", context)


@require_safe
@never_cache
@login_required
@permission_required(READS, raise_exception=True)
def template(request: SignedIn, slug: str) -> HttpResponse:
    """Show what one template says, how it stands, and what was made from it lately."""
    rows = ChangeTemplate.objects.visible_to(request.user).prefetch_related("systems", "steps")
    found: ChangeTemplate = get_object_or_404(rows, slug=slug)
    stands = standings(TEMPLATE, [found.pk])[found.pk]
    steps = sorted(found.steps.all(), key=lambda step: step.position)
    made = Change.objects.visible_to(request.user).filter(template=found).select_related("requester")
    context = {
        "now": clock.now(),
        "template": found,
        "standing": stands,
        "usable": _usable(found, stands),
        "plans": [
            (kind.label, [(step.text, step.minutes) for step in steps if step.kind == kind]) for kind in StepKind
        ],
        "made": list(made[:MOST_MADE]),
        "edit_url": _admin(request, "changes.change_changetemplate", "change", found.pk),
        "may_ask": TEMPLATE.may_ask(request.user) and found.revoked_at is None and stands.word != "Approved",
        "may_revoke": request.user.has_perm("changes.change_changetemplate") and found.revoked_at is None,
    }
    return render(request, "changes/template.html", context)


def _usable(row: ChangeTemplate, stands: Any) -> bool:
    return row.revoked_at is None and bool(stands.approved)


def _admin(request: SignedIn, permission: str, page: str, *args: int) -> str:
    """Return the address of a record page, for those who may use it."""
    if not (request.user.is_staff and request.user.has_perm(permission)):
        return ""
    try:
        return reverse(f"admin:changes_changetemplate_{page}", args=args)
    except NoReverseMatch:
        return ""


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("changes.change_changetemplate", raise_exception=True)
def revoke_template(request: SignedIn, slug: str) -> HttpResponse:
    """Ask why a template is revoked, and revoke it."""
    found: ChangeTemplate = get_object_or_404(ChangeTemplate.objects.visible_to(request.user), slug=slug)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            services.revoke_template(
                found, by=request.user, at=clock.database_now(), reason=form.cleaned_data[FIELD]
            )  # fmt: skip
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"“{found}” is revoked. Nothing is made from it any more.")
            return redirect(found)
    context = {"now": clock.now(), "template": found, "form": form}
    return render(request, "changes/revoke.html", context, status=422 if form.is_bound else 200)
