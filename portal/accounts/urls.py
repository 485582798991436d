"""The addresses of sign-in, of second factors and of one's own account."""

from __future__ import annotations

from django.urls import path

from portal.accounts.second import not_needed_for
from portal.accounts.views import account, confirming, door, enrolling

app_name = "accounts"

urlpatterns = [
    path("sign-in/", not_needed_for(door.SignIn.as_view()), name="sign-in"),
    path("sign-in/second/", not_needed_for(door.SecondStep.as_view()), name="second-step"),
    path("sign-out/", not_needed_for(door.SignOut.as_view()), name="sign-out"),
    path("confirm/", not_needed_for(confirming.Confirm.as_view()), name="confirm"),
    path("me/", account.me, name="me"),
    path("me/password/", account.ChangePassword.as_view(), name="password"),
    path("me/sessions/end/", account.end_other_sessions, name="end-other-sessions"),
    path("me/second-factor/", not_needed_for(enrolling.overview), name="factors"),
    path("me/second-factor/app/", not_needed_for(enrolling.AddApp.as_view()), name="add-app"),
    path("me/second-factor/passkey/", not_needed_for(enrolling.AddPasskey.as_view()), name="add-passkey"),
    path("me/second-factor/codes/", enrolling.new_codes, name="new-codes"),
    path("me/second-factor/<int:pk>/remove/", enrolling.remove, name="remove-factor"),
]
