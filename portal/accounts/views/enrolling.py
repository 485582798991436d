"""One's own second factors: what there is, adding and removing one, and new recovery codes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from portal.accounts import factors, passkeys, second, services, sessions, stepup
from portal.accounts.models import User
from portal.accounts.requests import SignedIn
from portal.lib import clock

SECRET = "new_app"  # noqa: S105 - the name of a key
WRONG_CODE = "That is not the code that the app shows now. Wait for the next one, then try again."
NO_PASSKEY = "No passkey was added. Try again, or set up an authenticator app."


class CodeForm(forms.Form):
    """The first code of a new authenticator app."""

    code = forms.CharField(
        label="Code that the app shows",
        max_length=20,
        error_messages={"required": "Enter the code that the app shows."},
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class PasskeyForm(forms.Form):
    """The name of a new passkey, and what the browser made."""

    name = forms.CharField(
        label="Name",
        max_length=passkeys.NAME_LENGTH,
        help_text="So that you know it later, such as “Laptop” or “Blue key”.",
        error_messages={"required": "Give it a name that you know it by."},
    )
    credential = forms.CharField(required=False, max_length=passkeys.LONGEST, widget=forms.HiddenInput())


def require_fresh(request: SignedIn) -> None:
    """Raise NotConfirmed unless the reader confirmed lately, or signed in as lately and has no factor to protect."""
    began = sessions.began_at(request.session)
    new = began is not None and clock.now() - began <= settings.CONFIRMATION_LASTS
    if not (new and not factors.has_factor(request.user)):
        stepup.require_confirmation(request)


def wanted_page(request: HttpRequest) -> str:
    """Return where the reader was going before they were led here."""
    return stepup.way_back(request, request.POST.get("next") or request.GET.get("next", ""))


@login_required
@never_cache
@require_safe
def overview(request: SignedIn) -> HttpResponse:
    """Show what there is, and what can be added."""
    owed = second.is_owed(request)
    context = {
        "factors": factors.factors_of(request.user),
        "needed": second.needs_one(request.user),
        "passkeys_work": passkeys.are_possible(request),
        "host": passkeys.host_of(request),
        "demo": settings.SECOND_FACTOR == "demo",
        "next": wanted_page(request),
    }
    return render(request, "accounts/factors_owed.html" if owed else "accounts/factors.html", context)


@method_decorator([login_required, never_cache], name="dispatch")
class Adding(View):
    """What adding an app and adding a passkey have in common."""

    request: SignedIn

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Ask for a confirmation first."""
        require_fresh(self.request)
        return super().dispatch(request, *args, **kwargs)

    def added(self, user: User, what: str) -> HttpResponse:
        """Keep this session, which has shown its factor; show recovery codes to whoever has none."""
        update_session_auth_hash(self.request, user)
        at = clock.now()
        second.show(self.request, user, what, at=at)
        if factors.factors_of(user).codes_left:
            messages.success(self.request, f"Your {what} is set up.")
            return redirect("accounts:factors")
        codes = services.make_recovery_codes(user, by=user, at=at)
        context = {"codes": codes, "added": what, "next": wanted_page(self.request)}
        return render(self.request, "accounts/recovery_codes.html", context)


class AddApp(Adding):
    """Shows a new secret as a picture, and takes the first code as proof that the app has it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the picture: the same one until the code was right, so that going back changes nothing."""
        if factors.factors_of(self.request.user).app is not None:
            return redirect("accounts:factors")
        return self._show(CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add the app once its code is right."""
        user, form, at = self.request.user, CodeForm(request.POST), clock.now()
        if not form.is_valid():
            return self._show(form)
        secret = self._secret()
        counter = factors.counter_of(secret, form.cleaned_data["code"], at=at)
        if counter is None:
            form.add_error("code", WRONG_CODE)
            return self._show(form)
        request.session.pop(SECRET, None)
        if not services.add_app(user, secret, counter=counter, by=user, at=at):
            return redirect("accounts:factors")
        return self.added(user, factors.NAMES[factors.Kind.TOTP])

    def _secret(self) -> str:
        kept = self.request.session.get(SECRET)
        if not isinstance(kept, dict) or kept.get("user") != self.request.user.pk:
            kept = {"user": self.request.user.pk, "secret": factors.new_secret()}
            self.request.session[SECRET] = kept
        return str(kept["secret"])

    def _show(self, form: CodeForm) -> HttpResponse:
        secret = self._secret()
        context = {
            "form": form,
            "picture": factors.picture_of(factors.address_of(self.request.user, secret)),
            "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
            "next": wanted_page(self.request),
        }
        return render(self.request, "accounts/add_app.html", context)


class AddPasskey(Adding):
    """Asks the browser for a new passkey, and keeps it once its answer is right."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form, where passkeys work."""
        if not passkeys.are_possible(request):
            return redirect("accounts:factors")
        count = len(factors.factors_of(self.request.user).passkeys)
        return self._show(PasskeyForm(initial={"name": f"Passkey {count + 1}" if count else "Passkey"}))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Add the passkey."""
        user, form = self.request.user, PasskeyForm(request.POST)
        if not form.is_valid():
            return self._show(form)
        new = passkeys.checked(request, user, form.cleaned_data["credential"])
        name = form.cleaned_data["name"]
        if new is None or not services.add_passkey(user, new, name=name, by=user, at=clock.now()):
            form.add_error(None, NO_PASSKEY)
            return self._show(form)
        return self.added(user, factors.NAMES[factors.Kind.WEBAUTHN])

    def _show(self, form: PasskeyForm) -> HttpResponse:
        question = passkeys.ask_for_new(self.request, self.request.user)
        context = {"form": form, "question": question, "next": wanted_page(self.request)}
        return render(self.request, "accounts/add_passkey.html", context)


@login_required
@never_cache
@require_POST
def new_codes(request: SignedIn) -> HttpResponse:
    """Make new recovery codes and show them, this once."""
    stepup.require_confirmation(request)
    try:
        codes = services.make_recovery_codes(request.user, by=request.user, at=clock.now())
    except services.Refused as refused:
        messages.error(request, str(refused))
        return redirect("accounts:factors")
    return render(request, "accounts/recovery_codes.html", {"codes": codes, "next": wanted_page(request)})


@login_required
@require_POST
def remove(request: SignedIn, pk: int) -> HttpResponse:
    """Remove the app or a passkey."""
    stepup.require_confirmation(request)
    keep_one = second.needs_one(request.user)
    try:
        name = services.remove_factor(request.user, pk, keep_one=keep_one, by=request.user, at=clock.now())
        messages.success(request, f"“{name}” is removed.")
    except services.Refused as refused:
        messages.error(request, str(refused))
    return redirect("accounts:factors")
