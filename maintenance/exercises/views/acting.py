"""Carrying out a verb of a recovery plan, an exercise or a step: a small form that works without script."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render

from maintenance.exercises.acts import Act
from maintenance.models import Exercise, ExerciseStep, RecoveryPlan
from maintenance.policy import Refused
from portal.accounts.requests import SignedIn
from portal.audit.actor import acting
from portal.lib import clock
from portal.records.models import Note


def carry_out(
    request: SignedIn,
    chosen: Act | None,
    subject: RecoveryPlan | Exercise | ExerciseStep,
    page: RecoveryPlan | Exercise,
) -> HttpResponse:
    """Show the form of a verb, or carry it out once however often the form is sent. `page` is where it leads back."""
    if chosen is None:
        raise Http404("There is no such verb.")
    at, status = clock.database_now(), 200
    options: dict[str, Any] = {"subject": subject, "at": at, "user": request.user}
    form = chosen.form(request.POST or None, **options)
    if request.method == "POST":
        status = 422
        if form.is_valid():
            result = None
            try:
                with transaction.atomic(), acting(by=request.user, once=form.cleaned_data["once"]) as context:
                    # Under the lock: of two submits of one form, the second finds what the first has written.
                    type(page)._default_manager.select_for_update(of=("self",)).get(pk=page.pk)
                    if not Note.objects.filter(gesture=context.gesture).exists():
                        result = chosen.service(subject, by=request.user, at=at, **form.words())
            except Refused as refused:
                form.add_error(None, str(refused))
            else:
                messages.success(request, f"{page.reference}: {chosen.said}")
                leads_to = result if isinstance(result, Exercise) else page
                return redirect(f"{leads_to.get_absolute_url()}{_anchor(subject)}")
    context_of = {"now": at, "act": chosen, "subject": subject, "page": page, "form": form}
    return render(request, "maintenance/exercises/act.html", context_of, status=status)


def _anchor(subject: RecoveryPlan | Exercise | ExerciseStep) -> str:
    return f"#step-{subject.position}" if isinstance(subject, ExerciseStep) else ""
