"""Sign-in, sign-out and one's own account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods

from portal.accounts.forms import PasswordForm, ProfileForm, SignInForm
from portal.accounts.models import User
from portal.accounts.roles import ROLES
from portal.audit.actor import Actor, acting
from portal.audit.middleware import person


class SignIn(auth_views.LoginView):
    """The door. It leads on only to addresses of this portal, and is throttled by django-axes."""

    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign in. Whatever is written on the way is written only once the password fitted the name."""
        name = request.POST.get("username", "").strip()[:150] or "anonymous"
        with acting(by=Actor(name=name)):
            return super().post(request, *args, **kwargs)

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        """Open the session as the person who signs in."""
        with acting(by=form.get_user()):
            return super().form_valid(form)


class SignOut(auth_views.LogoutView):
    """Ends the session. Only POST is answered."""


class ChangePassword(auth_views.PasswordChangeView):
    """One's own password, asked for with the old one."""

    template_name = "accounts/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("accounts:me")

    def form_valid(self, form: Any) -> HttpResponse:
        """Change the password as the person themselves, and say so."""
        with acting(by=person(self.request)):
            response = super().form_valid(form)
        messages.success(self.request, "Your password is changed.")
        return response


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """Show and change one's own account."""
    user = User.objects.get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        with acting(by=person(request)):
            form.save()
        messages.success(request, "Your account is up to date.")
        return redirect("accounts:me")
    held = [role for role in ROLES if role.name in user.role_names]
    return render(request, "accounts/me.html", {"form": form, "roles": held, "account": user})
