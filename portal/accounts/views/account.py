"""One's own account: profile, password, sessions."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST

from portal.accounts import events, factors, second, services
from portal.accounts.forms import PasswordForm, ProfileForm
from portal.accounts.models import SignIn, User
from portal.accounts.requests import SignedIn
from portal.accounts.roles import ROLES
from portal.audit.actor import acting
from portal.audit.middleware import person
from portal.lib import clock

SHOWN_SIGN_INS = 5


class ChangePassword(auth_views.PasswordChangeView):
    """One's own password, asked for with the old one. A wrong one is told in the trail, and counts."""

    http_method_names = ["get", "head", "post", "options"]  # Django reads a PUT as a POST
    template_name = "accounts/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("accounts:me")

    def get_form_kwargs(self) -> dict[str, Any]:
        """Name the moment at which the old password is tried."""
        return {**super().get_form_kwargs(), "at": clock.now()}

    def form_invalid(self, form: Any) -> HttpResponse:
        """Tell that the old password was refused, when it was, and show the form again."""
        events.not_proved(self.request, form.user, why=form.why_not)
        return super().form_invalid(form)

    def form_valid(self, form: Any) -> HttpResponse:
        """Change the password as the person themselves, and say so."""
        with acting(by=person(self.request), reason="Changed by the person themselves, with their old password"):
            response = super().form_valid(form)
        messages.success(self.request, "Your password is changed.")
        return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """Show and change one's own account."""
    changing = request.method == "POST"
    with transaction.atomic() if changing else nullcontext():
        user = (User.objects.select_for_update(no_key=True) if changing else User.objects).get(pk=request.user.pk)
        form = ProfileForm(request.POST or None, instance=user)
        if changing and form.is_valid():
            with acting(by=person(request), reason="Changed by the person themselves, on their account page"):
                form.save()
            messages.success(request, "Your account is up to date.")
            return redirect("accounts:me")
    held = [role for role in ROLES if role.name in user.role_names]
    context = {
        "form": form,
        "roles": held,
        "account": user,
        "factors": factors.factors_of(user),
        "needed": second.needs_one(user),
        "demo": settings.SECOND_FACTOR == "demo",
        "sign_ins": SignIn.objects.filter(username=user.username).order_by("-attempt_time")[:SHOWN_SIGN_INS],
    }
    return render(request, "accounts/me.html", context)


@login_required
@require_POST
def end_other_sessions(request: SignedIn) -> HttpResponse:
    """Sign the account out everywhere but here."""
    user = User.objects.get(pk=request.user.pk)
    services.end_other_sessions(user, by=user, at=clock.now())
    update_session_auth_hash(request, user)
    messages.success(request, "You are signed out everywhere but here.")
    return redirect("accounts:me")
