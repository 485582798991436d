"""The way in and out: password, then the second factor of whoever has one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from portal.accounts import events, factors, proving, second, stepup
from portal.accounts.forms import SignInForm
from portal.accounts.models import User
from portal.audit.actor import Actor, acting
from portal.lib import clock

PENDING = "password_given"
BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignIn(auth_views.LoginView):
    """The door. It leads on only to addresses of this portal, and is throttled: by django-axes and by our own count."""

    http_method_names = ["get", "head", "post", "options"]  # Django reads a PUT as a POST
    template_name = "accounts/sign_in.html"
    authentication_form = SignInForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sign in. Whatever is written on the way is written only once the password fitted the name."""
        name = request.POST.get("username", "").strip()[:150] or "anonymous"
        with acting(by=Actor(name=name)):
            return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Name the moment of the try."""
        return {**super().get_form_kwargs(), "at": clock.now()}

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        """Show the form again, as 429 when it has to wait."""
        return self.render_to_response(self.get_context_data(form=form), status=429 if form.wait else 200)

    def form_valid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]
        """Open the session as the person who signs in, or ask for their second factor first."""
        user = form.get_user()
        with acting(by=user):
            if not factors.has_factor(user):
                return super().form_valid(form)
            remember(self.request, user, wanted=self.get_success_url(), at=clock.now())
            return redirect("accounts:second-step")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Say that a session ended, and where no second factor is asked for."""
        return {
            **super().get_context_data(**kwargs),
            "ended": "ended" in self.request.GET,
            "without_second_factor": settings.SECOND_FACTOR == "demo",
        }


def remember(request: HttpRequest, user: User, *, wanted: str, at: datetime) -> None:
    """Remember in the session, which nobody is signed in to yet, that the password fitted."""
    request.session.cycle_key()
    bears = user.get_session_auth_hash()
    request.session[PENDING] = {"user": user.pk, "bears": bears, "next": wanted, "at": at.timestamp()}


def waiting(request: HttpRequest, *, at: datetime) -> User | None:
    """Return whose password fitted lately in this session; nobody once the account has changed since."""
    found = request.session.get(PENDING)
    if not isinstance(found, dict) or at.timestamp() - found["at"] > settings.SECOND_STEP_LASTS.total_seconds():
        return None
    user = User.objects.filter(pk=found["user"], is_active=True).first()
    return user if user is not None and user.get_session_auth_hash() == found["bears"] else None


@method_decorator([never_cache, sensitive_post_parameters()], name="dispatch")
class SecondStep(View):
    """Asks for the second factor of somebody whose password fitted, and opens the session."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form."""
        at = clock.now()
        user = waiting(request, at=at)
        if user is None:
            return redirect("accounts:sign-in")
        return self._show(user, proving.FactorProof(request, user, at=at))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Open the session for the right code or passkey."""
        at = clock.now()
        user = waiting(request, at=at)
        if user is None:
            return redirect(f"{reverse('accounts:sign-in')}?ended=1")
        with acting(by=Actor(name=user.username)):
            form = proving.FactorProof(request, user, request.POST, at=at)
            if not form.is_valid():
                if form.why_not:
                    events.refused(request, user.username, why=f"Second factor refused: {form.why_not}")
                return self._show(user, form)
        wanted = request.session.pop(PENDING)["next"]
        request.signed_in_with = f"password and {form.how}"  # type: ignore[attr-defined]
        with acting(by=user):
            login(request, user, backend=BACKEND)
        second.show(request, user, form.how, at=at)
        return redirect(stepup.way_back(request, wanted))

    def _show(self, user: User, form: proving.Proof) -> HttpResponse:
        context = {
            "form": form,
            "account": user,
            "question": proving.passkey_question(self.request, user, form),
            "codes_left": factors.factors_of(user).codes_left,
        }
        return render(self.request, "accounts/second_step.html", context)


class SignOut(auth_views.LogoutView):
    """Ends the session. Only POST is answered."""
