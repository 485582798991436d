"""How I am reached: my contact methods, in which order, and proving that they are mine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts.requests import SignedIn
from portal.directory import services as directory
from portal.directory.forms import add_refusal
from portal.directory.models import Contact, ContactMethod
from portal.lib import clock
from portal.notify import services
from portal.notify.forms import AddMethodForm, CodeForm
from portal.notify.verification import LIFETIME
from portal.notify.views.own import own_contact
from portal.notify.views.showing import reached_context

OWN_PAGE = "by the person themselves, on their page of contact methods"


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def contact_methods(request: SignedIn) -> HttpResponse:
    """Show how the reader is reached, in which order; POST adds a method and sends it a code."""
    contact = own_contact(request)
    if contact is None:
        return render(request, "notify/contact_methods.html", {"contact": None, "now": clock.now()})
    if request.method != "POST":
        return methods_page(request, contact, form=AddMethodForm())
    form = AddMethodForm(request.POST)
    if form.is_valid() and _add(request, contact, form):
        return redirect("notify:contact-methods")
    return methods_page(request, contact, form=form, status=422)


def _add(request: SignedIn, contact: Contact, form: AddMethodForm) -> bool:
    now = clock.now()
    given = form.cleaned_data
    try:
        method = directory.add_method(
            contact,
            kind=given["kind"],
            address=given["address"],
            by=request.user,
            at=now,
            reason=f"Added {OWN_PAGE}",
        )
    except ValidationError as refusal:
        add_refusal(form, refusal)
        return False
    if method.can_send:
        _send_code(request, method)
    else:
        messages.success(request, "The number is in the list. People call it; nothing is sent there.")
    return True


def methods_page(
    request: SignedIn,
    contact: Contact,
    *,
    form: AddMethodForm,
    code_form: CodeForm | None = None,
    code_for: int = 0,
    status: int = 200,
    refused: Mapping[str, object] | None = None,
) -> HttpResponse:
    """Draw the page. `code_form` stands with the method `code_for`, whose code was refused.

    `refused` are further forms of the page that were sent and not taken.
    """
    now = clock.now()
    methods = directory.methods_of(contact)
    sendable = [method for method in methods if method.can_send]
    context = {
        "now": now,
        "contact": contact,
        "methods": methods,
        "code_form": code_form or CodeForm(),
        "code_for": code_for,
        "first": next((method for method in sendable if method.is_verified), None),
        "to_verify": next((method for method in sendable if not method.is_verified), None),
        "form": form,
        "lifetime": LIFETIME,
        **reached_context(contact, [method for method in sendable if method.is_verified], at=now),
        **(refused or {}),
    }
    return render(request, "notify/contact_methods.html", context, status=status)


OnMethod = Callable[[SignedIn, Contact, ContactMethod], HttpResponse]


def on_own_method(view: OnMethod) -> Callable[[SignedIn, int], HttpResponse]:
    """Give `view` the reader's own method of that number by POST; anybody else's is not found."""

    @require_POST
    @login_required
    @wraps(view)
    def found(request: SignedIn, pk: int) -> HttpResponse:
        method = (
            ContactMethod.objects.filter(pk=pk, contact__user_id=request.user.pk, contact__active=True, active=True)
            .select_related("contact")
            .first()
        )
        if method is None:
            raise Http404
        return view(request, method.contact, method)

    return found


@on_own_method
def move_method(request: SignedIn, contact: Contact, method: ContactMethod) -> HttpResponse:
    """Move a method one place up, or with `down` one place down."""
    ids = [other.pk for other in directory.methods_of(contact)]
    here = ids.index(method.pk)
    there = here + 1 if "down" in request.POST else here - 1
    if 0 <= there < len(ids):
        ids[here], ids[there] = ids[there], ids[here]
        try:
            directory.reorder_methods(contact, ids, by=request.user, at=clock.now(), reason=f"Put in order {OWN_PAGE}")
        except ValidationError as refusal:
            messages.error(request, " ".join(refusal.messages))
    return redirect("notify:contact-methods")


@on_own_method
def send_code(request: SignedIn, _contact: Contact, method: ContactMethod) -> HttpResponse:
    """Send a new code to a method that is not verified."""
    if method.is_verified:
        messages.info(request, f"You verified {method.shown_address} already.")
    else:
        _send_code(request, method)
    return redirect("notify:contact-methods")


def _send_code(request: SignedIn, method: ContactMethod) -> None:
    try:
        services.start_verification(method, by=request.user, at=clock.now())
    except services.VerificationRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"A code is on its way to {method.shown_address}. Type it here to use the address.")


@on_own_method
def verify_method(request: SignedIn, contact: Contact, method: ContactMethod) -> HttpResponse:
    """Take the code that arrived at a method, and use the method from now on."""
    form = CodeForm(request.POST)
    if form.is_valid():
        try:
            services.verify(method, form.cleaned_data["code"], by=request.user, at=clock.now())
        except services.VerificationRefused as refusal:
            form.add_error("code", str(refusal))
        except ValidationError as refusal:
            form.add_error("code", refusal.messages)
        else:
            messages.success(request, f"Messages reach you at {method.shown_address} from now on.")
            return redirect("notify:contact-methods")
    return methods_page(request, contact, form=AddMethodForm(), code_form=form, code_for=method.pk, status=422)


@on_own_method
def retire_method(request: SignedIn, contact: Contact, method: ContactMethod) -> HttpResponse:
    """Use a method no longer."""
    directory.retire_method(method, by=request.user, at=clock.now(), reason=f"Retired {OWN_PAGE}")
    messages.success(request, f"Nothing more is sent to {method.shown_address}.")
    if contact.pk not in directory.sending_methods([contact.pk]):
        messages.warning(request, "You have no verified contact method now. Pages reach only your inbox here.")
    return redirect("notify:contact-methods")
