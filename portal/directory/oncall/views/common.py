"""What the pages of on-call share: who may open them, and how an act is done or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_safe

from portal.accounts.requests import SignedIn
from portal.accounts.roles import has_role
from portal.directory.forms import add_refusal
from portal.directory.models import Contact, OnCallShift, Schedule
from portal.lib import clock

READS = ["directory.view_schedule", "directory.view_contact", "directory.view_oncallshift"]
CHANGES = "directory.change_schedule"
View = Callable[..., HttpResponse]


def reading(view: View) -> View:
    """Open a page to whoever may read schedules."""
    return require_safe(login_required(permission_required(READS, raise_exception=True)(view)))


def acting_page(permission: str | list[str]) -> Callable[[View], View]:
    """Open the form of an act to whoever may do it."""

    def wrap(view: View) -> View:
        guarded = login_required(permission_required(permission, raise_exception=True)(view))
        return require_http_methods(["GET", "HEAD", "POST"])(guarded)

    return wrap


def own_contact(request: HttpRequest) -> Contact | None:
    """Return the reader's own entry in the directory."""
    return Contact.objects.filter(user=request.user.pk or 0, active=True).first()


def schedule_for(request: SignedIn, pk: int) -> Schedule:
    """Return a schedule that the reader may see."""
    return get_object_or_404(Schedule.objects.visible_to(request.user).select_related("team"), pk=pk)


def reads_only(request: SignedIn) -> bool:
    """Tell whether the reader is an auditor, who changes nothing, whoever put them on call."""
    return has_role(request.user, "auditor")


def may_swap(request: SignedIn, found: Schedule, me: Contact, *, at: datetime) -> bool:
    """Tell whether the reader may ask for a swap: whoever takes turns here, by a rotation or by hand."""
    if reads_only(request):
        return False
    shifts = OnCallShift.objects.visible_to(request.user)
    by_hand = shifts.filter(team=found.team_id, contact=me, until__gt=at, withdrawn=False)
    return found.layers.filter(members__contact=me).exists() or by_hand.exists()


def may_take(request: SignedIn, found: Schedule, me: Contact) -> bool:
    """Tell whether the reader may stand in: as a member of the team, of a rotation, or by their roles."""
    if reads_only(request):
        return False
    if request.user.has_perm("directory.add_oncallshift") or found.team.members.filter(pk=me.pk).exists():
        return True
    return found.layers.filter(members__contact=me).exists()


def moment_of(text: str | None, now: datetime) -> datetime | None:
    """Return the moment that an address names, never one that has passed."""
    try:
        found = parse_datetime(text or "")
    except ValueError:
        return None
    return max(found, now) if found is not None and timezone.is_aware(found) else None


def done(form: forms.Form, act: Callable[[], Any]) -> bool:
    """Do what a valid form says; False when it was refused, with the sentence in the form."""
    if not form.is_valid():
        return False
    try:
        act()
    except ValidationError as refusal:
        add_refusal(form, refusal)
        return False
    return True


def form_page(request: SignedIn, form: forms.Form, title: str, verb: str, **more: Any) -> HttpResponse:
    """Show the form of an act, with what was refused."""
    context = {"form": form, "title": title, "verb": verb, "now": clock.now(), **more}
    return render(request, "directory/oncall/form.html", context, status=422 if form.is_bound else 200)
