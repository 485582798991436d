"""Checklists themselves: the list, one with its versions and rules, writing and editing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.requests import SignedIn
from portal.lib import clock
from portal.runbooks.checklists import services
from portal.runbooks.checklists.forms import EditForm, as_text
from portal.runbooks.checklists.policy import Refused
from portal.runbooks.checklists.selectors.finding import checklist_for
from portal.runbooks.checklists.selectors.templates import lists_of, steps_of, template_of
from portal.runbooks.models import Checklist


@require_safe
@login_required
@permission_required("runbooks.view_checklist", raise_exception=True)
def template_list(request: SignedIn) -> HttpResponse:
    """Show the checklists by how often they are worked."""
    context = {
        "now": clock.now(),
        "groups": lists_of(request.user),
        "may_write": request.user.has_perm("runbooks.add_checklist"),
        "may_start": request.user.has_perm("runbooks.add_checklistrun"),
    }
    return render(request, "checklists/templates.html", context)


@require_safe
@login_required
def template(request: SignedIn, slug: str) -> HttpResponse:
    """Show one checklist: the steps in force or those of another version, its rules, its edits."""
    found = checklist_for(request.user, slug)
    asked = request.GET.get("version", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) <= 6 else found.version
    context = {
        "now": clock.now(),
        "checklist": found,
        "shown": template_of(request.user, found, number),
        "may_write": request.user.has_perm("runbooks.change_checklist"),
        "may_start": request.user.has_perm("runbooks.add_checklistrun") and found.active,
    }
    return render(request, "checklists/template.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("runbooks.add_checklist", raise_exception=True)
def new(request: SignedIn) -> HttpResponse:
    """Write a checklist."""
    form = EditForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data
        slug = slugify(words["name"])[:60]
        if not slug or Checklist.objects.visible_to(request.user).filter(slug=slug).exists():
            form.add_error("name", "Another checklist has this name. Choose another one, or edit that.")
        elif _kept(request, form, slug=slug):
            return redirect("checklists:template", slug)
    return _page(request, form)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@permission_required("runbooks.change_checklist", raise_exception=True)
def edit(request: SignedIn, slug: str) -> HttpResponse:
    """Edit a checklist: a new version of it."""
    found = checklist_for(request.user, slug)
    start = {
        "name": found.name,
        "purpose": found.purpose,
        "frequency": found.frequency,
        "seen": found.version,
        "steps": as_text(steps_of(request.user, found, found.version)),
    }
    form = EditForm(request.POST or None, user=request.user, initial=start)
    if request.method == "POST" and form.is_valid() and _kept(request, form, checklist=found):
        return redirect(found)
    return _page(request, form, checklist=found)


def _kept(request: SignedIn, form: EditForm, *, checklist: Checklist | None = None, slug: str = "") -> bool:
    words = form.cleaned_data
    given: dict[str, Any] = {"lines": words["steps"], "by": request.user, "at": clock.now(), "reason": words["reason"]}
    named = {name: words[name] for name in ("name", "purpose", "frequency")}
    try:
        if checklist is None:
            services.make(slug=slug, **named, **given)
        else:
            services.revise(checklist, seen=words["seen"], **named, **given)
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    messages.success(request, "The checklist is kept. Runs that were started keep their steps.")
    return True


def _page(request: SignedIn, form: EditForm, *, checklist: Checklist | None = None) -> HttpResponse:
    status = 422 if form.is_bound else 200
    context = {"now": clock.now(), "form": form, "checklist": checklist}
    return render(request, "checklists/edit.html", context, status=status)
