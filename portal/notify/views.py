"""One's own pages: how I am reached, and what the portal has told me. Everybody may keep their own methods in order."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from portal.accounts.requests import SignedIn
from portal.directory import services as directory
from portal.directory.forms import add_refusal
from portal.directory.models import Contact, ContactMethod
from portal.lib import clock
from portal.notify import services
from portal.notify.compose import ACTION_LINK
from portal.notify.forms import AddMethodForm, CodeForm
from portal.notify.models import Message
from portal.notify.verification import LIFETIME

PAGE = 25
OWN_PAGE = "by the person themselves, on their page of contact methods"
MARKED_AT_ONCE = 200


def own_contact(request: SignedIn) -> Contact | None:
    """Return the directory's entry of whoever is signed in. Not every account has one."""
    return Contact.objects.filter(user_id=request.user.pk, active=True).first()


# The inbox.


@require_safe
@login_required
def inbox(request: SignedIn) -> HttpResponse:
    """Show the reader's messages, those not yet read first."""
    mine = services.inbox_of(request.user)
    ordered = mine.alias(is_read=Q(read_at__isnull=False)).order_by("is_read", "-created_at", "-id")
    page = Paginator(ordered, PAGE).get_page(request.GET.get("page"))
    context = {
        "now": clock.now(),
        "page": page,
        "rows": [(message, text_inside(message)) for message in page.object_list],
        "unread": mine.filter(read_at=None).count(),
        "has_contact": own_contact(request) is not None,
    }
    return render(request, "notify/inbox.html", context)


def text_inside(message: Message) -> str:
    """Return the body as the inbox shows it: without the line that carries the secret link of a mail."""
    return "\n".join(line for line in message.body.splitlines() if ACTION_LINK not in line).strip()


@require_POST
@login_required
def mark_read(request: SignedIn) -> HttpResponse:
    """Mark the messages named by `id` as read, or with `all` every one."""
    if "all" in request.POST:
        ids = list(services.inbox_of(request.user).filter(read_at=None).values_list("pk", flat=True))
    else:
        given = request.POST.getlist("id")[:MARKED_AT_ONCE]
        ids = [int(text) for text in given if text.isascii() and text.isdigit() and len(text) < 19]
    count = services.mark_read(request.user, ids, at=clock.now())
    if count > 1:
        messages.success(request, f"{count} messages marked as read.")
    return redirect("notify:inbox")


# My contact methods.


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def contact_methods(request: SignedIn) -> HttpResponse:
    """Show how the reader is reached, in which order; POST adds a method and sends it a code."""
    contact = own_contact(request)
    if contact is None:
        return render(request, "notify/contact_methods.html", {"contact": None, "now": clock.now()})
    if request.method != "POST":
        return _methods_page(request, contact, form=AddMethodForm())
    form = AddMethodForm(request.POST)
    if form.is_valid() and _add(request, contact, form):
        return redirect("notify:contact-methods")
    return _methods_page(request, contact, form=form, status=422)


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


def _methods_page(
    request: SignedIn,
    contact: Contact,
    *,
    form: AddMethodForm,
    code_form: CodeForm | None = None,
    code_for: int = 0,
    status: int = 200,
) -> HttpResponse:
    """Draw the page. `code_form` stands with the method `code_for`, whose code was refused."""
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
    return _methods_page(request, contact, form=AddMethodForm(), code_form=form, code_for=method.pk, status=422)


@on_own_method
def retire_method(request: SignedIn, contact: Contact, method: ContactMethod) -> HttpResponse:
    """Use a method no longer."""
    directory.retire_method(method, by=request.user, at=clock.now(), reason=f"Retired {OWN_PAGE}")
    messages.success(request, f"Nothing more is sent to {method.shown_address}.")
    if contact.pk not in directory.sending_methods([contact.pk]):
        messages.warning(request, "You have no verified contact method now. Pages reach only your inbox here.")
    return redirect("notify:contact-methods")
