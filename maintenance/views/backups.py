"""The pages of a backup: written down, changed, its token, its runs, what was verified of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from maintenance import services
from maintenance.forms.recovery import BackupForm, RunForm, ValidateForm, WhyForm
from maintenance.looks import MARKS
from maintenance.models import BackupPlan, BackupRun
from maintenance.policy import Refused
from maintenance.selectors.recovery import backups_of, incident_of, is_silent
from maintenance.services.common import once
from portal.accounts import stepup
from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.directory.models import System
from portal.lib import clock
from portal.lib.once import TimedForm
from portal.records.lines import marked, timeline_of

MOST_RUNS = 60
LEADS, WORKS = "maintenance.change_backupplan", "maintenance.add_backuprun"
LOOK = marked(MARKS)


@require_safe
@never_cache
@login_required
@permission_required("maintenance.view_backupplan", raise_exception=True)
def backup(request: SignedIn, reference: str) -> HttpResponse:
    """Show one backup with its newest runs."""
    at = clock.now()
    plan = _plan(request, reference)
    record_opening(plan)
    known = [found for found in backups_of(request.user, [plan.system_id])[plan.system_id] if found.pk == plan.pk]
    silent = bool(known) and is_silent(known[0], at)
    context = {
        "now": at,
        "plan": plan,
        "incident": incident_of(request.user, plan) if silent else None,
        "last_run_at": known[0].last_run_at if known else None,
        "silent_from": plan.silent_from(known[0].last_run_at) if known else None,
        "silent": silent,
        "runs": BackupRun.objects.visible_to(request.user).filter(plan=plan)[:MOST_RUNS],
        "may_lead": request.user.has_perm(LEADS),
        "may_work": request.user.has_perm(WORKS),
        "timeline": timeline_of(plan, look=LOOK, quoted=frozenset(), whole=request.GET.get("all") == "1", at=at),
    }
    return render(request, "maintenance/backup.html", context)


def _plan(request: SignedIn, reference: str) -> BackupPlan:
    rows = BackupPlan.objects.visible_to(request.user).select_related("system", "owner")
    found: BackupPlan = get_object_or_404(rows, reference=reference.upper())
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required("maintenance.add_backupplan", raise_exception=True)
def new(request: SignedIn, slug: str) -> HttpResponse:
    """Show the form of a backup of a system, or write it down."""
    system = get_object_or_404(System.objects.visible_to(request.user), slug=slug)
    at = clock.database_now()
    form = BackupForm(request.POST or None, at=at, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            with once(system, by=request.user, key=form.cleaned_data["once"]) as is_first:
                if not is_first:
                    return redirect("maintenance:recovery-system", slug=slug)
                plan = services.plan_backup(
                    system, form.values(), by=request.user, at=at, reason=form.cleaned_data["reason"]
                )
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{plan.reference} is written down. Its runs are waited for from now on.")
            return redirect(plan)
    page = {"now": at, "system": system, "form": form, "title": f"A backup of {system}", "verb": "Write it down"}
    return render(request, "maintenance/backup_form.html", page, status=422 if request.method == "POST" else 200)


class Verb(NamedTuple):
    """One verb of a backup: its title, the word on its button, its permission, its form and what carries it out."""

    title: str
    button: str
    permission: str
    form: type[TimedForm]
    do: Callable[[BackupPlan, TimedForm, Any, datetime], Any]
    danger: bool = False


def _revise(plan: BackupPlan, form: Any, by: Any, at: datetime) -> str:
    services.revise_backup(plan, form.values(), by=by, at=at, reason=form.cleaned_data["reason"])
    return "The change is kept."


def _retire(plan: BackupPlan, form: Any, by: Any, at: datetime) -> str:
    services.retire_backup(plan, by=by, at=at, reason=form.cleaned_data["reason"])
    return "It is waited for no more."


def _token(plan: BackupPlan, form: Any, by: Any, at: datetime) -> tuple[BackupPlan, str]:
    return services.make_backup_token(plan, by=by, at=at, reason=form.cleaned_data["reason"])


def _run(plan: BackupPlan, form: Any, by: Any, at: datetime) -> str:
    words = {name: value for name, value in form.cleaned_data.items() if name != "once"}
    run, news = services.record_run(plan, by=by, at=at, **words)
    if not news:
        raise Refused("A run that finished at that moment was reported already. It stands below, and counts once.")
    return "The run is kept as verified." if run.verified else "The run is kept. It does not count as verified yet."


VERBS = {
    "edit": Verb("Change the backup", "Change it", LEADS, BackupForm, _revise),
    "retire": Verb("Retire the backup", "Retire it", LEADS, WhyForm, _retire, danger=True),
    "token": Verb("A token for its job", "Make a token", LEADS, WhyForm, _token),
    "run": Verb("Record a run", "Record it", WORKS, RunForm, _run),
}


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def act(request: SignedIn, reference: str, verb: str) -> HttpResponse:
    """Show the form of a verb of a backup, or carry it out."""
    plan, chosen = _plan(request, reference), VERBS.get(verb)
    if chosen is None:
        raise Http404("There is no such verb.")
    if not request.user.has_perm(chosen.permission):
        raise PermissionDenied
    if verb == "token":
        stepup.require_confirmation(request)
    at = clock.database_now()
    start = {name: getattr(plan, name) for name in ("what", "place", "frequency_minutes", "grace_minutes", "owner")}
    form = chosen.form(request.POST or None, at=at, user=request.user, initial=start if verb == "edit" else None)
    if request.method == "POST" and form.is_valid():
        try:
            said = _once(request, plan, form, chosen, at)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            if isinstance(said, tuple):
                address = f"{settings.PORTAL_URL}/backups/{said[1]}/"
                return render(request, "maintenance/backup_token.html", {"now": at, "plan": plan, "address": address})
            messages.success(request, f"{plan.reference}: {said}")
            return redirect(plan)
    page = {
        "now": at, "plan": plan, "system": plan.system, "form": form, "title": chosen.title, "verb": chosen.button,
        "danger": chosen.danger,
    }  # fmt: skip
    return render(request, "maintenance/backup_form.html", page, status=422 if request.method == "POST" else 200)


def _once(request: SignedIn, plan: BackupPlan, form: TimedForm, chosen: Verb, at: datetime) -> Any:
    with once(plan, by=request.user, key=form.cleaned_data["once"]) as is_first:
        return chosen.do(plan, form, request.user, at) if is_first else "It is done already."


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@permission_required("maintenance.change_backuprun", raise_exception=True)
def validate(request: SignedIn, reference: str, pk: int) -> HttpResponse:
    """Ask what was verified of a run, or keep it."""
    plan = _plan(request, reference)
    run = get_object_or_404(BackupRun.objects.visible_to(request.user), plan=plan, pk=pk)
    at = clock.database_now()
    start = {"verified": run.verified, "stored": run.stored}
    form = ValidateForm(request.POST or None, at=at, user=request.user, initial=start)
    if request.method == "POST" and form.is_valid():
        words = {name: value for name, value in form.cleaned_data.items() if name != "once"}
        try:
            with acting(by=request.user, once=form.cleaned_data["once"]):
                services.validate_run(run, by=request.user, at=at, **words)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{plan.reference}: what you verified is kept.")
            return redirect(plan)
    page = {
        "now": at, "plan": plan, "system": plan.system, "form": form, "title": "What was verified of this run",
        "verb": "Keep it", "run": run,
    }  # fmt: skip
    return render(request, "maintenance/backup_form.html", page, status=422 if request.method == "POST" else 200)
