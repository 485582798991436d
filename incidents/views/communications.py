"""Messages to audiences: written from a template, sent or asked for, withdrawn. A second submit changes nothing."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from incidents.communications import choosing, drafting, sending
from incidents.communications.forms import MessageForm, WithdrawForm
from incidents.communications.recipients import described, listed, reach_of
from incidents.enums import Audience
from incidents.models import Communication, CommunicationTemplate, Incident
from incidents.policy import Refused
from incidents.selectors.communications import message_page
from incidents.selectors.room import incident_for
from portal.accounts.requests import SignedIn
from portal.approvals.policy import Refused as NotApproved
from portal.audit.actor import acting
from portal.audit.trail import record_opening
from portal.lib import clock
from portal.records import services as records

READ_WRITE = require_http_methods(["GET", "HEAD", "POST"])


@READ_WRITE
@login_required
def tell(request: SignedIn, reference: str, audience: str) -> HttpResponse:
    """Write a message to one audience, from the template that fits best or from `?template=`; send it or keep it."""
    incident = incident_for(request.user, reference)
    if audience not in Audience.values:
        raise Http404(f"There is no audience {audience}.")
    if not request.user.has_perm("incidents.add_communication"):
        raise PermissionDenied
    at = clock.database_now()
    asked = request.GET.get("template", "")
    words = choosing.words_for(
        incident, audience=audience, at=at, template_id=int(asked) if asked.isdecimal() and len(asked) < 19 else None
    )
    options: dict[str, Any] = {
        "at": at,
        "user": request.user,
        "approved_first": sending.needs_approval(incident, audience),
    }
    form = MessageForm(_sent(request), initial={"subject": words.subject, "text": words.text}, **options)
    if request.method == "POST" and form.is_valid():
        try:
            return _drafted(request, incident, audience, form, words.template, at=at)
        except (Refused, NotApproved) as refused:
            form.add_error(None, str(refused))
    recipients = listed(audience, system_ids=[system.pk for system in incident.systems.all()])
    context = {
        "words": words,
        "templates": choosing.templates_for(audience),
        "goes_to": described(recipients),
        "reach": reach_of(incident, audience, recipients),
    }
    return _form_page(request, incident, audience, form, at=at, **context)


def _drafted(
    request: SignedIn, incident: Incident, audience: str, form: MessageForm, template: CommunicationTemplate | None,
    *, at: datetime,
) -> HttpResponse:  # fmt: skip
    once: uuid.UUID = form.cleaned_data["once"]
    with transaction.atomic(), acting(by=request.user, once=once):
        message = drafting.draft(
            incident, audience=audience, template=template, once=once, by=request.user, at=at,
            subject=form.cleaned_data["subject"], text=form.cleaned_data["text"],
        )  # fmt: skip
        fresh = message.drafted_at == at
        said = _carry_on(request, message, form, at=at) if fresh else "It was taken already."
    messages.success(request, f"{incident.reference}: {said}")
    return redirect(incident)


def _carry_on(request: SignedIn, message: Communication, form: MessageForm, *, at: datetime) -> str:
    """Do what the button of the form says with a message that is written down; return what is said of it."""
    word = message.get_audience_display().lower()
    if request.POST.get("do") == "save":
        return f"The message to {word} is kept as a draft. It is not sent yet."
    if "by_itself" not in form.fields:
        sending.send(message, by=request.user, at=at)
        return f"The message to {word} is on its way."
    by_itself = form.cleaned_data["by_itself"]
    asked = sending.ask(
        message, by=request.user, at=at, send_when_approved=by_itself,
        reason=f"A message to {word} about {message.incident.reference}",
    )  # fmt: skip
    after = "goes out as soon as it is approved" if by_itself else "waits for you once it is approved"
    return f"{asked.reference} asks for its approval. The message {after}."


@READ_WRITE
@login_required
def communication(request: SignedIn, reference: str, pk: int) -> HttpResponse:
    """Show one message with what became of it; while it has not gone out, change and send it."""
    incident = incident_for(request.user, reference)
    message = _message(request, incident, pk)
    at = clock.database_now()
    page = message_page(message, user=request.user)
    may_change = request.user.has_perm("incidents.change_communication") and message.is_unsent
    if request.method == "POST" and not request.user.has_perm("incidents.change_communication"):
        raise PermissionDenied
    options: dict[str, Any] = {"at": at, "user": request.user}
    options["approved_first"] = page.needs_approval and not page.standing.approved
    options["seen"] = drafting.digest_of(message)
    initial = {"subject": message.subject, "text": message.text, "by_itself": message.send_when_approved}
    form = MessageForm(_sent(request), initial=initial, **options)
    if request.method == "POST" and form.is_valid():
        try:
            return _changed(request, message, form, at=at)
        except drafting.Overtaken as overtaken:
            form.show_anew(drafting.digest_of(_message(request, incident, pk)))
            form.add_error(None, str(overtaken))
        except (Refused, NotApproved) as refused:
            form.add_error(None, str(refused))
    if may_change or form.errors:
        context = {"page": page, "message": message, "goes_to": page.goes_to, "reach": page.reach}
        return _form_page(request, incident, message.audience, form, at=at, **context)
    record_opening(incident, "with a message")
    return render(request, "incidents/message.html", {"now": at, "incident": incident, "page": page})


def _changed(request: SignedIn, message: Communication, form: MessageForm, *, at: datetime) -> HttpResponse:
    once: uuid.UUID = form.cleaned_data["once"]
    words = {name: form.cleaned_data[name] for name in ("subject", "text")}
    with transaction.atomic(), acting(by=request.user, once=once) as context:
        # Under the incident's lock: of two submits of one form, the second finds what the first has written.
        Incident.objects.select_for_update(of=("self",)).get(pk=message.incident_id)
        if records.timeline(message.incident).filter(gesture=context.gesture).exists():
            return redirect(message.incident)
        now = Communication.objects.visible_to(request.user).get(pk=message.pk)
        seen = form.cleaned_data["seen"]
        if seen and seen != drafting.digest_of(now) and now.is_unsent and words != {n: getattr(now, n) for n in words}:
            raise drafting.Overtaken(now)
        drafting.edit(message, by=request.user, at=at, **words)
        said = _carry_on(request, Communication.objects.visible_to(request.user).get(pk=message.pk), form, at=at)
    messages.success(request, f"{message.incident.reference}: {said}")
    return redirect(message.incident)


@READ_WRITE
@login_required
def withdraw_communication(request: SignedIn, reference: str, pk: int) -> HttpResponse:
    """Ask why a message is not sent after all, and withdraw it."""
    incident = incident_for(request.user, reference)
    message = _message(request, incident, pk)
    if not request.user.has_perm("incidents.change_communication"):
        raise PermissionDenied
    at = clock.database_now()
    form = WithdrawForm(_sent(request), incident=incident, at=at, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            drafting.withdraw(message, by=request.user, at=at, reason=form.cleaned_data["reason"])
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{incident.reference}: The message is withdrawn.")
            return redirect(incident)
    record_opening(incident, "in the form to withdraw a message")
    context = {"now": at, "incident": incident, "message": message, "form": form}
    return render(request, "incidents/withdraw.html", context, status=422 if form.errors else 200)


def _sent(request: SignedIn) -> Any:
    return request.POST if request.method == "POST" else None


def _message(request: SignedIn, incident: Incident, pk: int) -> Communication:
    rows = Communication.objects.visible_to(request.user).select_related("incident__severity", "template")
    found: Communication | None = rows.filter(incident=incident, pk=pk).first()
    if found is None:
        raise Http404("There is no such message.")
    return found


def _form_page(
    request: SignedIn, incident: Incident, audience: str, form: MessageForm, *, at: datetime, **context: Any
) -> HttpResponse:
    record_opening(incident, f"in the form to tell {audience}")
    context |= {
        "now": at,
        "incident": incident,
        "form": form,
        "audience": Audience(audience),
        "word": Audience(audience).label.lower(),
        "approved_first": "by_itself" in form.fields,
    }
    return render(request, "incidents/tell.html", context, status=422 if form.errors else 200)
