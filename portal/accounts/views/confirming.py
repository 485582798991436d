"""The page that asks who is there once more."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from portal.accounts import events, proving, second, stepup
from portal.accounts.requests import SignedIn
from portal.lib import clock

NOT_KEPT = "What you had entered was too long to keep. Go back to it with your browser, then send it within 5 minutes."


@method_decorator([login_required, never_cache, sensitive_post_parameters()], name="dispatch")
class Confirm(View):
    """Asks for the second factor, or the password of whoever has none, then leads back.

    What was posted meanwhile is offered to be sent.
    """

    request: SignedIn

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form; with a confirmation that still stands, lead on."""
        if stepup.confirmed_recently(request):
            return self._lead_on()
        return self._show(proving.form_for(request, self.request.user, at=clock.now()))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Believe what is right for a few minutes."""
        if "forget" in request.POST:
            stepup.drop(request)
            return redirect(self._next)
        at, user = clock.now(), self.request.user
        form = proving.form_for(request, user, at=at, data=request.POST)
        if not form.is_valid():
            events.not_proved(request, user, why=form.why_not)
            return self._show(form)
        stepup.confirm(request, at=at)
        events.proved(request, user, how=form.how)
        if isinstance(form, proving.FactorProof):
            second.show(request, user, form.how, at=at)
        return self._lead_on()

    @property
    def _next(self) -> str:
        wanted = self.request.POST.get("next") or self.request.GET.get("next", "")
        return stepup.way_back(self.request, wanted)

    def _show(self, form: proving.Proof) -> HttpResponse:
        context = {
            "form": form,
            "next": self._next,
            "kept": stepup.kept(self.request),
            "question": proving.passkey_question(self.request, self.request.user, form),
        }
        return render(self.request, "accounts/confirm.html", context)

    def _lead_on(self) -> HttpResponse:
        kept = stepup.kept(self.request)
        if kept is None:
            return redirect(self._next)
        if kept["too_long"]:
            stepup.drop(self.request)
            messages.warning(self.request, NOT_KEPT)
            return redirect(self._next)
        return render(self.request, "accounts/confirmed.html", {"kept": kept, "next": self._next})
