"""How I want to be reached: my rules, my quiet hours, and a test page to myself."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from portal.accounts.requests import SignedIn
from portal.directory import reaching
from portal.directory import services as directory
from portal.directory.enums import Occasion
from portal.directory.forms import add_refusal
from portal.directory.models import Contact
from portal.lib import clock
from portal.notify import services
from portal.notify.forms import AddMethodForm, HoursForm, RulesForm, TestForm
from portal.notify.views.methods import OWN_PAGE, methods_page
from portal.notify.views.own import own_contact

WithContact = Callable[..., HttpResponse]


def for_oneself(view: WithContact) -> WithContact:
    """Give `view` the reader's own entry by POST; whoever has none is shown what to do about it."""

    @require_POST
    @login_required
    @wraps(view)
    def found(request: SignedIn, **address: str) -> HttpResponse:
        contact = own_contact(request)
        return redirect("notify:contact-methods") if contact is None else view(request, contact, **address)

    return found


def _back(part: str) -> HttpResponse:
    return redirect(f"{reverse('notify:contact-methods')}#{part}")


@for_oneself
def set_rules(request: SignedIn, contact: Contact, occasion: str) -> HttpResponse:
    """Set over which methods usual or loud pages go, each after how long."""
    if occasion not in Occasion.values:
        raise Http404
    usable = directory.sending_methods([contact.pk]).get(contact.pk, [])
    rules = reaching.rules_of([contact.pk]).get(contact.pk, {}).get(occasion, [])
    form = RulesForm(request.POST, methods=usable, rules=rules, occasion=occasion)
    if form.is_valid():
        try:
            reaching.set_rules(
                contact, occasion, form.steps(), by=request.user, at=clock.now(), reason=f"Set {OWN_PAGE}"
            )
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, f"{Occasion(occasion).label} go this way from now on.")
            return _back(occasion)
    return methods_page(request, contact, form=AddMethodForm(), status=422, refused={f"{occasion}_form": form})


@for_oneself
def set_hours(request: SignedIn, contact: Contact) -> HttpResponse:
    """Set or take away the quiet hours, and how long further pages are gathered."""
    form = HoursForm(request.POST)
    if form.is_valid():
        try:
            reaching.set_hours(contact, **form.cleaned_data, by=request.user, at=clock.now(), reason=f"Set {OWN_PAGE}")
        except ValidationError as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, "Your quiet hours are kept.")
            return _back("hours")
    return methods_page(request, contact, form=AddMethodForm(), status=422, refused={"hours_form": form})


@for_oneself
def send_test(request: SignedIn, contact: Contact) -> HttpResponse:
    """Page the reader as an incident of the chosen severity would."""
    form = TestForm(request.POST)
    if not form.is_valid():
        return methods_page(request, contact, form=AddMethodForm(), status=422, refused={"test_form": form})
    try:
        services.send_test(contact, form.cleaned_data["severity"], at=clock.now())
    except services.TestRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The test page is on its way. Look here for what arrived where.")
    return _back("test")
